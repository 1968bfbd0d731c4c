// Any runtime as a command: an experiment is written as a model file, the command runs
// it, and what it wrote about the run is read back.
//
// Shape: in the template {model}, {iterations}, {times}, {profile} and {layers} stand for
// paths and a number; it runs in a shell, its output goes to a log beside the model.
// Words with {profile} or {layers} are left out of runs whose power is measured:
// profiling costs time and joules. For TensorRT:
//   trtexec --onnx={model} --iterations={iterations} --duration=0 --warmUp=0
//     --useSpinWait --exportTimes={times} --exportProfile={profile}
//     --exportLayerInfo={layers} --profilingVerbosity=detailed
// The command and what it starts are a process group of their own: ctrl-C reaches them through signal() alone.
// Units: nanoseconds of CLOCK_MONOTONIC.
// Errors: RuntimeError (what, where, what to do next); TimelineError and ImportError of
// what was written and read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "import/experiment/files.h"
#include "timeline/trtexec.h"

namespace edgejoule::calibration {

struct RuntimeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Ops that run as one engine.
struct Experiment {
  std::string name;  // unique; what its files are called
  std::vector<import::ExperimentOp> ops;
  bool held_out = false;
};

// What a measured run was: its joules lie between begin and end.
struct RuntimeRun {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t inferences = 0;                // as {times} has them, else as asked for
  std::vector<timeline::InferenceTime> times;  // empty where the template has no {times}
};

// Of a run of its own. Empty where the template does not ask for it.
struct RuntimeProfile {
  std::optional<timeline::LayerProfile> profile;
  std::vector<timeline::EngineLayer> layers;
};

class RuntimeCommand {
 public:
  // `folder` is made where there is none; files of former runs are overwritten.
  RuntimeCommand(std::string command_template, import::ModelFormat format, std::filesystem::path folder);

  [[nodiscard]] import::ModelFormat format() const { return format_; }
  [[nodiscard]] bool tells_layers() const;  // which ops ran as one
  // Of the template, what looks like one of its places and is none: {profil}.
  [[nodiscard]] std::vector<std::string> unknown_places() const;
  // Written when it is first asked for.
  [[nodiscard]] std::filesystem::path model_of(const Experiment& experiment);
  [[nodiscard]] RuntimeRun run(const Experiment& experiment, std::uint64_t iterations);
  [[nodiscard]] RuntimeProfile profile(const Experiment& experiment, std::uint64_t iterations);
  // As its last profiled run left it in the folder.
  [[nodiscard]] RuntimeProfile earlier_profile(const Experiment& experiment) const;
  // To whatever run() or profile() run now, in another thread; they fail then. Nothing where nothing runs.
  void signal(int number);

 private:
  [[nodiscard]] std::filesystem::path file_of(const Experiment& experiment, std::string_view suffix) const;
  [[nodiscard]] std::string command_for(const Experiment& experiment, std::uint64_t iterations, bool profiled);
  void execute(const Experiment& experiment, const std::string& command, bool profiled);
  [[nodiscard]] std::string read_back(const Experiment& experiment, std::string_view suffix,
                                      std::string_view placeholder) const;

  std::string template_;
  import::ModelFormat format_;
  std::filesystem::path folder_;
  std::mutex running_mutex_;
  pid_t running_ = -1;  // that may still be signalled
};

}  // namespace edgejoule::calibration
