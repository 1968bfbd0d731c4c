#include "import/onnx/quantised.h"

#include <algorithm>

namespace edgejoule::import {
namespace {

void count_reads(const std::vector<OnnxStep>& steps, std::vector<std::uint32_t>& reads) {
  for (const OnnxStep& step : steps) {
    for (const std::uint32_t input : step.inputs) {
      if (input != kNoValue) ++reads[input];
    }
    for (const OnnxBody& body : step.bodies) {
      count_reads(body.steps, reads);
      for (const std::uint32_t output : body.outputs) ++reads[output];
    }
  }
}

bool may_run_quantised(const OnnxStep& step) {
  if (step.at_load || step.outputs.empty() || step.outputs.front() == kNoValue) return false;
  switch (step.row->rule) {
    case OnnxRule::kQuantize:
    case OnnxRule::kDequantize:
    case OnnxRule::kDynamicQuantize:
    case OnnxRule::kCast:
    case OnnxRule::kStated:
    case OnnxRule::kIf:
    case OnnxRule::kLoop:
    case OnnxRule::kScan: return false;
    default: return true;
  }
}

bool is_activation(const OnnxStep& step) {
  return class_of(step.row->kind) == OpClass::kActivation || step.row->kind == OpKind::kClip;
}

class Folding {
 public:
  Folding(const std::vector<OnnxStep>& steps, const OnnxProgram& program, const std::vector<std::uint32_t>& reads)
      : steps_(steps), program_(program), reads_(reads), made_(program.values.size(), false) {
    out_.quantised.assign(steps.size(), false);
    out_.absorbed.assign(steps.size(), false);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for (const std::uint32_t input : steps[i].inputs) {
        if (input != kNoValue) readers_[input].push_back(i);
      }
    }
  }

  OnnxFolding run() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const OnnxStep& step = steps_[i];
      if (!may_run_quantised(step) || !narrow_operands(step)) continue;
      const auto narrow = narrow_result(step.outputs.front(), true);
      if (!narrow) continue;
      out_.quantised[i] = true;
      made_[step.outputs.front()] = true;
      out_.narrow[step.outputs.front()] = *narrow;
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) out_.absorbed[i] = absorbed(steps_[i]);
    return std::move(out_);
  }

 private:
  // All data dequantised or made by a quantised op; constants are parameters or weights.
  [[nodiscard]] bool narrow_operands(const OnnxStep& step) const {
    bool any = false;
    for (const std::uint32_t input : step.inputs) {
      if (input == kNoValue || program_.values[input].constant) continue;
      if (program_.values[input].dequantised_from == kNoValue && !made_[input]) return false;
      any = true;
    }
    return any;
  }

  // The type that every reader of the value quantises it to.
  [[nodiscard]] std::optional<DataType> narrow_result(std::uint32_t value, bool activation_may_follow) const {
    const auto readers = readers_.find(value);
    if (readers == readers_.end() || readers->second.size() != reads_[value]) return std::nullopt;
    std::optional<DataType> out;
    for (const std::size_t reader : readers->second) {
      const OnnxStep& step = steps_[reader];
      if (step.outputs.empty() || step.outputs.front() == kNoValue || step.input(0) != value) return std::nullopt;
      std::optional<DataType> to;
      if (step.row->rule == OnnxRule::kQuantize) {
        to = program_.values[step.outputs.front()].type;
      } else if (activation_may_follow && is_activation(step)) {
        to = narrow_result(step.outputs.front(), false);
      }
      if (!to || (out && *out != *to)) return std::nullopt;
      out = to;
    }
    return out;
  }

  [[nodiscard]] bool absorbed(const OnnxStep& step) const {
    if (step.at_load || step.outputs.empty() || step.outputs.front() == kNoValue) return false;
    if (step.row->rule == OnnxRule::kQuantize) return step.input(0) != kNoValue && made_[step.input(0)];
    if (step.row->rule != OnnxRule::kDequantize) return false;
    const std::uint32_t value = step.outputs.front();
    const auto readers = readers_.find(value);
    return readers != readers_.end() && readers->second.size() == reads_[value] &&
           std::all_of(readers->second.begin(), readers->second.end(),
                       [&](std::size_t reader) { return out_.quantised[reader]; });
  }

  const std::vector<OnnxStep>& steps_;
  const OnnxProgram& program_;
  const std::vector<std::uint32_t>& reads_;
  std::vector<bool> made_;  // per value: by a quantised op
  std::map<std::uint32_t, std::vector<std::size_t>> readers_;
  OnnxFolding out_;
};

}  // namespace

std::vector<std::uint32_t> count_reads(const OnnxProgram& program) {
  std::vector<std::uint32_t> out(program.values.size(), 0);
  count_reads(program.steps, out);
  for (const std::uint32_t output : program.outputs) ++out[output];
  return out;
}

OnnxFolding fold_quantisation(const std::vector<OnnxStep>& steps, const OnnxProgram& program,
                              const std::vector<std::uint32_t>& reads) {
  return Folding(steps, program, reads).run();
}

}  // namespace edgejoule::import
