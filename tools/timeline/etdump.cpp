// ExecuTorch's ETDump: instructions of a method as ops, what delegates report as inner steps.
//
// Source: names of events: Method::execute_instruction of runtime/executor/method.cpp, codegen's "native_call_NAME"
// around each kernel; the file has its size in front (flatcc's "with size"). ExecuTorch 1.0.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "schemas/etdump_wire_generated.h"
#include "text/escape.h"
#include "timeline/profile_readers.h"
#include "timeline/timeline_builder.h"
#include "timeline/timeline_file.h"

namespace edgejoule::timeline {
namespace {

constexpr std::string_view kExecute = "Method::execute";
constexpr std::string_view kOperator = "OPERATOR_CALL";
constexpr std::string_view kDelegate = "DELEGATE_CALL";
constexpr std::string_view kKernel = "native_call_";
constexpr std::size_t kPrefix = sizeof(flatbuffers::uoffset_t);

bool has_identifier(std::string_view bytes, std::size_t root) {
  return bytes.size() >= root + 8 && bytes.substr(root + 4, 4) == etdump_wire::ETDumpIdentifier();
}

std::string_view view_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view{} : std::string_view(text->c_str(), text->size());
}

// The file in aligned memory, verified.
class Dump {
 public:
  Dump(std::string_view bytes, const std::string& file_name) : words_(bytes.size() / 8 + 1) {
    std::memcpy(words_.data(), bytes.data(), bytes.size());
    const auto* const data = reinterpret_cast<const std::uint8_t*>(words_.data());
    const bool has_prefix = !has_identifier(bytes, 0);
    std::size_t size = bytes.size();
    if (has_prefix) size = std::min(size, std::size_t{flatbuffers::ReadScalar<flatbuffers::uoffset_t>(data)} + kPrefix);
    flatbuffers::Verifier verifier(data, size, 16, 10'000'000);
    if (!(has_prefix ? etdump_wire::VerifySizePrefixedETDumpBuffer(verifier)
                     : etdump_wire::VerifyETDumpBuffer(verifier))) {
      throw TimelineError(fmt::format(
          "{}: the ETDump is damaged or cut short; write it with get_etdump_data after the last inference", file_name));
    }
    root_ = has_prefix ? etdump_wire::GetSizePrefixedETDump(data) : etdump_wire::GetETDump(data);
  }
  [[nodiscard]] const etdump_wire::ETDump& root() const { return *root_; }

 private:
  std::vector<std::uint64_t> words_;
  const etdump_wire::ETDump* root_ = nullptr;
};

class EtdumpReader {
 public:
  EtdumpReader(TimelineBuilder& builder, double ns_per_tick, const std::string& file_name)
      : builder_(builder), ns_per_tick_(ns_per_tick), file_name_(file_name), thread_(builder.thread("", "method")) {}

  // Events of one run: what lies in an instruction is known before it, and delegates' steps are laid into it once it
  // is, where they lie in it at all.
  void read(const etdump_wire::RunData& run) {
    if (run.events() == nullptr) return;
    std::vector<ProfileSpan> steps;
    std::string kernel;
    for (const etdump_wire::Event* const event : *run.events()) {
      const etdump_wire::ProfileEvent* const profile = event->profile_event();
      if (profile == nullptr) continue;
      const std::string_view name = view_of(profile->name());
      const std::string_view delegate_name = view_of(profile->delegate_debug_id_str());
      ProfileSpan span{.begin_ns = instant(profile->start_time(), name), .end_ns = instant(profile->end_time(), name)};
      if (span.end_ns < span.begin_ns) damaged(name, "ends before it begins");
      if (profile->delegate_debug_id_str() != nullptr || profile->delegate_debug_id_int() >= 0) {
        span.kind = wire::SpanKind::inner;
        span.name = delegate_name.empty() ? fmt::format("step {}", profile->delegate_debug_id_int())
                                          : std::string(delegate_name);
        steps.push_back(std::move(span));
      } else if (name == kExecute) {
        span.kind = wire::SpanKind::inference;
        builder_.add(thread_, std::move(span));
      } else if (name.starts_with(kKernel)) {
        kernel = name.substr(kKernel.size());
      } else if (name == kOperator || name == kDelegate) {
        add_instruction(*profile, std::move(span), kernel, steps);
        kernel.clear();
      }
    }
    stray_ += steps.size();
  }

  [[nodiscard]] std::size_t ops() const { return ops_; }
  [[nodiscard]] std::size_t stray() const { return stray_; }

 private:
  [[noreturn]] void damaged(std::string_view name, const char* what) const {
    throw TimelineError(
        fmt::format("{}: event '{}' {}; write the ETDump again, and give the length of a tick (--tick-ns)", file_name_,
                    text::printable(name), what));
  }
  std::int64_t instant(std::uint64_t ticks, std::string_view name) const {
    const double ns = static_cast<double>(ticks) * ns_per_tick_;
    if (!(ns < static_cast<double>(kLatestNs))) damaged(name, "is at no instant that a clock shows");
    return ns_per_tick_ == 1 ? static_cast<std::int64_t>(ticks) : std::llround(ns);
  }
  void add_instruction(const etdump_wire::ProfileEvent& profile, ProfileSpan op, const std::string& kernel,
                       std::vector<ProfileSpan>& steps) {
    op.type = view_of(profile.name());
    op.name = kernel.empty() ? op.type : kernel;
    if (profile.instruction_id() >= 0) op.node = static_cast<std::uint32_t>(profile.instruction_id());
    for (ProfileSpan& step : steps) {
      if (step.begin_ns >= op.begin_ns && step.end_ns <= op.end_ns) {
        builder_.add(thread_, std::move(step));
      } else {
        ++stray_;
      }
    }
    steps.clear();
    builder_.add(thread_, std::move(op));
    ++ops_;
  }

  TimelineBuilder& builder_;
  double ns_per_tick_;
  const std::string& file_name_;
  std::uint16_t thread_;
  std::size_t ops_ = 0;
  std::size_t stray_ = 0;  // steps that lie in no instruction
};

}  // namespace

bool is_etdump(std::string_view bytes) {
  return has_identifier(bytes, 0) || has_identifier(bytes, kPrefix);
}

wire::TimelineT read_etdump(std::string_view bytes, const std::string& file_name, const ProfileOptions& options) {
  const Dump dump(bytes, file_name);
  TimelineBuilder builder(wire::TimelineSource::executorch_etdump,
                          std::max<std::int64_t>(1, std::llround(options.ns_per_tick)), file_name);
  builder.timeline().runtime = "ExecuTorch";
  EtdumpReader reader(builder, options.ns_per_tick, file_name);
  if (dump.root().run_data() != nullptr) {
    for (const etdump_wire::RunData* const run : *dump.root().run_data()) reader.read(*run);
  }
  if (reader.ops() == 0) {
    throw TimelineError(fmt::format(
        "{}: no instruction was profiled; build ExecuTorch with EXECUTORCH_ENABLE_EVENT_TRACER and give the ETDumpGen "
        "to load_method",
        file_name));
  }
  if (reader.stray() != 0) {
    builder.note(fmt::format("{} steps of delegates lie in no instruction (a clock of the delegate's own?): left out",
                             reader.stray()));
  }
  if (options.ns_per_tick == 1) {
    builder.note("a tick was taken for a nanosecond, as on Linux, where the clock is CLOCK_MONOTONIC");
  }
  return builder.finish();
}

}  // namespace edgejoule::timeline
