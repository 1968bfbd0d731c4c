#include "import/onnx/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "graph/data_types.h"
#include "import/onnx/complaints.h"
#include "import/onnx/library.h"
#include "import/onnx/open_dims.h"
#include "import/onnx/order.h"
#include "import/onnx/shapes.h"

namespace edgejoule::import {
namespace {

constexpr std::size_t kMaxSteps = std::size_t{1} << 18U;
constexpr std::size_t kMaxCallDepth = 32;
constexpr std::size_t kMaxBoundBytes = std::size_t{1} << 28U;
constexpr std::int64_t kMaxTrips = std::int64_t{1} << 31U;

// The names of one graph or function body; what it does not define, its surroundings do.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string_view, std::uint32_t> values;
  std::unordered_map<std::string_view, const OnnxValueInfo*> stated;

  [[nodiscard]] std::uint32_t find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
      if (const auto found = scope->values.find(name); found != scope->values.end()) return found->second;
    }
    return kNoValue;
  }
};

// The attributes of the call that a function body is inlined for.
using CallAttributes = std::unordered_map<std::string_view, const OnnxAttribute*>;

// Where nodes stand: whose opsets hold, which attributes they may refer to.
struct Surroundings {
  const OnnxOpsets* opsets = nullptr;
  const CallAttributes* attributes = nullptr;
  std::vector<std::string> caller;
  std::size_t depth = 0;
};

class Lowering {
 public:
  Lowering(const OnnxFile& model, std::string_view file, const Bindings& bindings)
      : model_(model), file_(file), open_dims_(file, bindings), shapes_(program_.values, program_.bounded_results) {
    for (const OnnxFunction& function : model.functions) functions_.emplace(key_of(function), &function);
  }

  OnnxProgram run() {
    const OnnxGraph& graph = model_.graphs.front();
    Scope scope;
    declare(graph, scope);
    inputs(graph, scope);
    open_dims_.refuse_unbound();
    Surroundings around;
    around.opsets = &model_.opsets;
    lower(graph.nodes, scope, around, program_.steps);
    for (const OnnxValueInfo& output : graph.outputs) {
      const std::uint32_t value = scope.find(output.name);
      if (value == kNoValue) fail(fmt::format("output '{}'", short_name(output.name)), "nothing computes it", kDamaged);
      program_.outputs.push_back(value);
    }
    open_dims_.refuse_unused_bindings();
    program_.assumed = open_dims_.assumed();
    program_.bound = open_dims_.bound();
    return std::move(program_);
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what, const char* next) const {
    throw ImportError(fmt::format("{}: {}", file_, where), what, next);
  }

  static std::string key_of(std::string_view domain, std::string_view name, std::string_view overload) {
    return fmt::format("{}\n{}\n{}", domain, name, overload);
  }
  static std::string key_of(const OnnxFunction& function) {
    return key_of(function.domain, function.name, function.overload);
  }

  std::uint32_t add_value(std::string_view name) {
    program_.values.emplace_back().name = name;
    return static_cast<std::uint32_t>(program_.values.size() - 1);
  }

  std::uint32_t define(std::string_view name, Scope& scope) {
    const std::uint32_t value = add_value(name);
    if (!scope.values.emplace(name, value).second) {
      fail(fmt::format("value '{}'", short_name(name)), "two nodes define it", kDamaged);
    }
    return value;
  }

  // Initialisers, and what the file states of values by name.
  void declare(const OnnxGraph& graph, Scope& scope) {
    for (const OnnxTensor& tensor : graph.initializers) {
      const std::uint32_t value = define(tensor.name, scope);
      OnnxValue& made = program_.values[value];
      made.type = data_type_of_onnx(tensor.type);
      made.dims = tensor.dims;
      made.constant = true;
      // Integers make shapes; of floats only lists of scales and sizes do.
      made.numbers = tensor.numbers(graph::is_float(made.type) ? 16 : kMaxOnnxNumbers);
    }
    for (const OnnxValueInfo& info : graph.value_infos) scope.stated.emplace(info.name, &info);
    for (const OnnxValueInfo& info : graph.outputs) scope.stated.emplace(info.name, &info);
  }

  void inputs(const OnnxGraph& graph, Scope& scope) {
    bool first = true;
    for (const OnnxValueInfo& info : graph.inputs) {
      if (scope.values.count(info.name) != 0) continue;  // an initialiser gives its default
      const std::uint32_t value = define(info.name, scope);
      program_.values[value].type = data_type_of_onnx(info.type);
      if (!info.dims) continue;
      Dims dims;
      for (std::size_t axis = 0; axis < info.dims->size(); ++axis) dims.push_back(open_dims_.of_input(info, axis));
      if (first && dims.size() > 1 && dims.front() > 0) program_.batch = extent_of(dims.front());
      first = false;
      program_.values[value].dims = std::move(dims);
    }
  }

  void lower(const std::vector<OnnxNode>& nodes, Scope& scope, const Surroundings& around,
             std::vector<OnnxStep>& steps) {
    const OnnxOrder order = order_of(nodes, model_);
    if (order.stuck != nullptr) {
      fail(describe(*order.stuck), "it waits for its own result: the graph has a cycle", kDamaged);
    }
    program_.sorted = program_.sorted || order.sorted;
    for (const OnnxNode* node : order.nodes) lower(*node, scope, around, steps);
  }

  void lower(const OnnxNode& written, Scope& scope, const Surroundings& around, std::vector<OnnxStep>& steps) {
    if (++steps_ > kMaxSteps) {
      throw ImportError(file_, fmt::format("it runs more than {} nodes (each call of a function counted)", kMaxSteps),
                        "split the model, or export its loops as Loop");
    }
    const OnnxNode& node = with_call_attributes(written, around);
    const auto function =
        functions_.empty() ? functions_.end() : functions_.find(key_of(node.domain, node.op_type, node.overload));
    if (function != functions_.end()) {
      inline_call(node, *function->second, scope, around, steps);
      return;
    }
    OnnxStep step;
    step.node = &node;
    step.row = &onnx_op(node.domain, node.op_type);
    step.opset = opset_of(*around.opsets, node.domain);
    step.caller = around.caller;
    for (const std::string_view name : node.inputs) {
      const std::uint32_t value = name.empty() ? kNoValue : read(name, node, scope);
      step.inputs.push_back(value == absent_ ? kNoValue : value);
    }
    // Bodies come first: they must not see the results.
    if (is_control(step.row->rule)) {
      control(step, scope, around);
    } else {
      for (const std::string_view name : node.outputs) {
        step.outputs.push_back(name.empty() ? kNoValue : define(name, scope));
      }
      shapes_.infer(step);
    }
    complete(step, scope);
    steps.push_back(std::move(step));
  }

  static bool is_control(OnnxRule rule) {
    return rule == OnnxRule::kIf || rule == OnnxRule::kLoop || rule == OnnxRule::kScan;
  }

  std::uint32_t read(std::string_view name, const OnnxNode& node, const Scope& scope) const {
    const std::uint32_t value = scope.find(name);
    if (value == kNoValue) {
      fail(describe(node), fmt::format("it reads '{}', which no node, input or initialiser defines", short_name(name)),
           kDamaged);
    }
    return value;
  }

  // What our rules left open: the file's own word, then the library's.
  void complete(OnnxStep& step, const Scope& scope) {
    bool open = false;
    for (const std::uint32_t output : step.outputs) {
      if (output == kNoValue) continue;
      OnnxValue& value = program_.values[output];
      if (!value.dims || value.type == DataType::kUnknown) {
        if (const auto stated = scope.stated.find(value.name); stated != scope.stated.end()) {
          if (!value.dims) value.dims = open_dims_.stated(*stated->second);
          if (value.type == DataType::kUnknown) value.type = data_type_of_onnx(stated->second->type);
        }
      }
      open = open || (output == step.outputs.front() && !value.dims);
    }
    if (open && step.row->rule == OnnxRule::kStated) infer_with_library(step, program_.values);
    remember_dequantised(step);
    mark_load_time(step);
  }

  // Runtimes run what depends on constants alone once, when they load the model.
  void mark_load_time(OnnxStep& step) {
    if (!step.bodies.empty() || step.outputs.empty() || step.row->kind == OpKind::kRandom) return;
    const bool all_constant = std::all_of(step.inputs.begin(), step.inputs.end(), [&](std::uint32_t input) {
      return input == kNoValue || program_.values[input].constant;
    });
    const bool known_row = !step.row->name.empty();
    const bool has_source = !step.inputs.empty() || step.row->rule == OnnxRule::kConstant;
    const bool all_known = std::all_of(step.outputs.begin(), step.outputs.end(), [&](std::uint32_t output) {
      return output == kNoValue || program_.values[output].numbers.has_value();
    });
    if (!known_row || !has_source || (!all_constant && !all_known)) return;
    step.at_load = true;
    for (const std::uint32_t output : step.outputs) {
      if (output != kNoValue) program_.values[output].constant = true;
    }
  }

  // What lies behind a DequantizeLinear, and behind what only moves such weights: kernels
  // may read the narrow type.
  void remember_dequantised(const OnnxStep& step) {
    const std::uint32_t from = step.input(0);
    if (from == kNoValue || step.output(0) == kNoValue) return;
    OnnxValue& made = program_.values[step.outputs[0]];
    const OnnxValue& source = program_.values[from];
    if (step.row->rule == OnnxRule::kDequantize) {
      made.dequantised_from = from;
      const std::uint32_t scale = step.input(1);
      if (scale != kNoValue && program_.values[scale].dims) {
        made.scales = elements_of(*program_.values[scale].dims, short_name(step.node->name));
        made.scale_type = program_.values[scale].type;
      }
    } else if (class_of(step.row->kind) == OpClass::kDataMovement && source.dequantised_from != kNoValue &&
               source.constant && step.row->kind != OpKind::kCast && step.row->kind != OpKind::kQuantize) {
      made.dequantised_from = source.dequantised_from;
      made.scales = source.scales;
      made.scale_type = source.scale_type;
    }
  }

  // References of a function's nodes to attributes of its call, resolved.
  const OnnxNode& with_call_attributes(const OnnxNode& node, const Surroundings& around) {
    if (around.attributes == nullptr ||
        std::all_of(node.attributes.begin(), node.attributes.end(),
                    [](const OnnxAttribute& attribute) { return attribute.reference.empty(); })) {
      return node;
    }
    OnnxNode bound = node;
    std::vector<OnnxAttribute> attributes;
    for (const OnnxAttribute& attribute : node.attributes) {
      if (attribute.reference.empty()) {
        attributes.push_back(attribute);
      } else if (const auto found = around.attributes->find(attribute.reference); found != around.attributes->end()) {
        attributes.push_back(*found->second);
        attributes.back().name = attribute.name;
      }
    }
    for (const OnnxAttribute& attribute : attributes) {
      bound_bytes_ += sizeof(attribute) + 8 * attribute.ints.size() + 4 * attribute.floats.size();
    }
    if (bound_bytes_ > kMaxBoundBytes) {
      throw ImportError(file_, "calls of its functions repeat more attributes than a model has",
                        "inline the functions when exporting the model");
    }
    bound.attributes = std::move(attributes);
    bound.message = {};  // no longer what the file says
    program_.bound_nodes.push_back(std::move(bound));
    return program_.bound_nodes.back();
  }

  void inline_call(const OnnxNode& node, const OnnxFunction& function, Scope& scope, const Surroundings& around,
                   std::vector<OnnxStep>& steps) {
    if (std::find(open_functions_.begin(), open_functions_.end(), &function) != open_functions_.end()) {
      fail(describe(node), fmt::format("function '{}' calls itself", short_name(function.name)), kDamaged);
    }
    if (around.depth >= kMaxCallDepth) {
      fail(describe(node), fmt::format("functions and bodies nest more than {} deep", kMaxCallDepth),
           "inline the inner ones when exporting the model");
    }
    ++program_.inlined_calls;
    Scope body;
    for (std::size_t i = 0; i < function.inputs.size(); ++i) {
      const bool given = i < node.inputs.size() && !node.inputs[i].empty();
      body.values[function.inputs[i]] = given ? read(node.inputs[i], node, scope) : absent();
    }
    CallAttributes attributes;
    for (const OnnxAttribute& attribute : function.defaults) attributes[attribute.name] = &attribute;
    for (const OnnxAttribute& attribute : node.attributes) attributes[attribute.name] = &attribute;
    Surroundings inner;
    inner.opsets = function.opsets.empty() ? around.opsets : &function.opsets;
    inner.attributes = &attributes;
    inner.caller = around.caller;
    inner.caller.emplace_back(node.name.empty() ? function.name.substr(0, 128) : node.name.substr(0, 512));
    inner.depth = around.depth + 1;
    open_functions_.push_back(&function);
    lower(function.nodes, body, inner, steps);
    open_functions_.pop_back();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      const std::uint32_t made = i < function.outputs.size() ? body.find(function.outputs[i]) : kNoValue;
      if (made == kNoValue) {
        fail(describe(node), fmt::format("function '{}' does not compute its output {}", short_name(function.name), i),
             kDamaged);
      }
      if (!scope.values.emplace(node.outputs[i], made).second) {
        fail(fmt::format("value '{}'", short_name(node.outputs[i])), "two nodes define it", kDamaged);
      }
    }
  }

  // The value of an optional input that a call leaves out.
  std::uint32_t absent() {
    if (absent_ == kNoValue) absent_ = add_value("");
    return absent_;
  }

  struct Result {
    std::optional<Dims> dims;
    DataType type = DataType::kUnknown;
    bool operator==(const Result&) const = default;
  };

  // Lowers a body; what its outputs look like.
  std::vector<Result> body(OnnxStep& step, const char* attribute_name, const Scope& scope, const Surroundings& around,
                           const std::vector<OnnxValue>& arguments) {
    const OnnxAttribute* attribute = step.node->attribute(attribute_name);
    if (attribute == nullptr || !attribute->graph) {
      fail(describe(*step.node), fmt::format("it has no '{}'", attribute_name), kDamaged);
    }
    if (around.depth >= kMaxCallDepth) {
      fail(describe(*step.node), fmt::format("functions and bodies nest more than {} deep", kMaxCallDepth),
           "inline the inner ones when exporting the model");
    }
    const OnnxGraph& graph = model_.graphs[*attribute->graph];
    Scope inner;
    inner.outer = &scope;
    declare(graph, inner);
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      if (inner.values.count(graph.inputs[i].name) != 0) continue;
      const std::uint32_t value = define(graph.inputs[i].name, inner);
      OnnxValue& made = program_.values[value];
      if (i < arguments.size()) {
        made.type = arguments[i].type;
        made.dims = arguments[i].dims;
      }
      if (!made.dims) made.dims = open_dims_.stated(graph.inputs[i]);
      if (made.type == DataType::kUnknown) made.type = data_type_of_onnx(graph.inputs[i].type);
    }
    Surroundings deeper = around;
    deeper.depth = around.depth + 1;
    deeper.caller.clear();  // the body is a module of its own, below the step
    OnnxBody out;
    out.name = graph.name.empty() ? std::string(attribute_name) : std::string(graph.name.substr(0, 128));
    lower(graph.nodes, inner, deeper, out.steps);
    std::vector<Result> results;
    for (const OnnxValueInfo& output : graph.outputs) {
      const std::uint32_t value = inner.find(output.name);
      if (value == kNoValue) {
        fail(describe(*step.node), fmt::format("its body does not compute '{}'", short_name(output.name)), kDamaged);
      }
      results.push_back({program_.values[value].dims, program_.values[value].type});
      out.outputs.push_back(value);
    }
    step.bodies.push_back(std::move(out));
    return results;
  }

  void set_results(OnnxStep& step, const std::vector<Result>& results, Scope& scope) {
    for (std::size_t i = 0; i < step.node->outputs.size(); ++i) {
      const std::string_view name = step.node->outputs[i];
      step.outputs.push_back(name.empty() ? kNoValue : define(name, scope));
      if (name.empty() || i >= results.size()) continue;
      program_.values[step.outputs[i]].dims = results[i].dims;
      program_.values[step.outputs[i]].type = results[i].type;
    }
  }

  void control(OnnxStep& step, Scope& scope, const Surroundings& around) {
    switch (step.row->rule) {
      case OnnxRule::kIf: branch(step, scope, around); break;
      case OnnxRule::kLoop: loop(step, scope, around); break;
      default: scan(step, scope, around); break;
    }
  }

  // Where the condition is known, the other branch never runs.
  void branch(OnnxStep& step, Scope& scope, const Surroundings& around) {
    const std::uint32_t condition = step.input(0);
    const auto known = condition == kNoValue ? std::nullopt : program_.values[condition].numbers;
    std::vector<Result> results;
    if (known && known->size() == 1) {
      results = body(step, known->front() != 0 ? "then_branch" : "else_branch", scope, around, {});
    } else {
      results = body(step, "then_branch", scope, around, {});
      const std::vector<Result> other = body(step, "else_branch", scope, around, {});
      for (std::size_t i = 0; i < std::min(results.size(), other.size()); ++i) {
        if (results[i] == other[i]) continue;
        // Different results: the larger one, as the bound that the branches are.
        if (!results[i].dims || (other[i].dims && smaller(*results[i].dims, *other[i].dims))) results[i] = other[i];
        ++program_.bounded_results;
      }
    }
    set_results(step, results, scope);
  }

  static bool smaller(const Dims& a, const Dims& b) {
    const auto size = [](const Dims& dims) {
      double out = 1;
      for (const std::int64_t dim : dims) out *= static_cast<double>(dim);
      return out;
    };
    return size(a) < size(b);
  }

  void loop(OnnxStep& step, Scope& scope, const Surroundings& around) {
    const std::uint32_t limit = step.input(0);
    const auto trips = limit == kNoValue ? std::nullopt : program_.values[limit].numbers;
    if (trips && trips->size() == 1 && trips->front() >= 0 && trips->front() < static_cast<double>(kMaxTrips)) {
      step.trips = static_cast<std::uint64_t>(trips->front());
      step.trips_known = true;
    }
    std::vector<OnnxValue> arguments(2);
    arguments[0].type = DataType::kInt64;
    arguments[0].dims = Dims{};
    arguments[1].type = DataType::kBoolean;
    arguments[1].dims = Dims{};
    for (std::size_t i = 2; i < step.inputs.size(); ++i) {
      arguments.push_back(step.inputs[i] == kNoValue ? OnnxValue{} : program_.values[step.inputs[i]]);
    }
    const std::size_t carried = arguments.size() - 2;
    std::vector<Result> results = body(step, "body", scope, around, arguments);
    step.may_end_early = ends_early(step);
    if (!results.empty()) results.erase(results.begin());  // the condition
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (i < carried) {
        results[i].dims = arguments[i + 2].dims ? arguments[i + 2].dims : results[i].dims;
      } else if (results[i].dims) {
        results[i].dims->insert(results[i].dims->begin(), static_cast<std::int64_t>(step.trips));
      }
    }
    set_results(step, results, scope);
  }

  // A condition that the body hands on unchanged, or computes as true, never ends the loop.
  bool ends_early(const OnnxStep& step) const {
    const OnnxAttribute* attribute = step.node->attribute("body");
    const OnnxGraph& graph = model_.graphs[*attribute->graph];
    if (graph.outputs.empty() || graph.inputs.size() < 2) return true;
    std::string_view condition = graph.outputs.front().name;
    for (const OnnxNode& node : graph.nodes) {
      if (node.outputs.empty() || node.outputs.front() != condition) continue;
      if (node.op_type == "Constant") return false;
      if (node.op_type == "Identity" && !node.inputs.empty()) condition = node.inputs.front();
    }
    return condition != graph.inputs[1].name;
  }

  void scan(OnnxStep& step, Scope& scope, const Surroundings& around) {
    const std::int64_t stated = step.node->integer("num_scan_inputs", 0);
    // Before opset 9 the first input gave sequence lengths, and every input had a batch.
    const bool early = step.opset > 0 && step.opset < 9;
    const std::size_t first = early ? 1 : 0;
    const auto count = static_cast<std::int64_t>(step.inputs.size() - std::min(first, step.inputs.size()));
    if (stated < 1 || stated > count) {
      fail(describe(*step.node), fmt::format("it scans {} of {} inputs", stated, count), kDamaged);
    }
    const auto scanned = static_cast<std::size_t>(stated);
    const std::size_t states = static_cast<std::size_t>(count) - scanned;
    const std::vector<std::int64_t> axes = step.node->ints("scan_input_axes");
    std::vector<OnnxValue> arguments;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::uint32_t input = step.inputs[first + i];
      arguments.push_back(input == kNoValue ? OnnxValue{} : program_.values[input]);
      OnnxValue& argument = arguments.back();
      argument.numbers.reset();
      if (early && argument.dims && !argument.dims->empty()) argument.dims->erase(argument.dims->begin());
      if (i < states || !argument.dims) continue;
      const std::int64_t wanted = i - states < axes.size() && !early ? axes[i - states] : 0;
      const auto axis = axis_of(wanted, argument.dims->size());
      if (!axis) fail(describe(*step.node), fmt::format("its input {} has no axis {}", i, wanted), kDamaged);
      step.trips = extent_of((*argument.dims)[*axis]);
      step.trips_known = true;
      argument.dims->erase(argument.dims->begin() + static_cast<std::ptrdiff_t>(*axis));
    }
    std::vector<Result> results = body(step, "body", scope, around, arguments);
    const std::vector<std::int64_t> output_axes = step.node->ints("scan_output_axes");
    for (std::size_t i = 0; i < results.size(); ++i) {
      Result& result = results[i];
      if (i < states) {
        if (arguments[i].dims) result.dims = arguments[i].dims;
      } else if (result.dims) {
        const std::int64_t wanted = i - states < output_axes.size() ? output_axes[i - states] : 0;
        const auto axis = axis_of(wanted, result.dims->size() + 1);
        if (axis) {
          result.dims->insert(result.dims->begin() + static_cast<std::ptrdiff_t>(*axis),
                              static_cast<std::int64_t>(step.trips));
        } else {
          result.dims.reset();
        }
      }
      if (early) result.dims.reset();
    }
    set_results(step, results, scope);
  }

  const OnnxFile& model_;
  std::string_view file_;
  OnnxOpenDims open_dims_;
  OnnxProgram program_;
  OnnxShapes shapes_;
  std::unordered_map<std::string, const OnnxFunction*> functions_;
  std::vector<const OnnxFunction*> open_functions_;
  std::uint32_t absent_ = kNoValue;
  std::size_t steps_ = 0;
  std::size_t bound_bytes_ = 0;  // of attributes copied for calls
};

}  // namespace

OnnxProgram lower_onnx(const OnnxFile& model, std::string_view file, const Bindings& bindings) {
  return Lowering(model, file, bindings).run();
}

}  // namespace edgejoule::import
