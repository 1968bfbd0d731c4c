// Measurements of whole models that are known op by op.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "files/file_bytes.h"
#include "measurements/mlperf_csv.h"

namespace edgejoule::measurements {

// The ops of an EJG1 graph, modules left away.
// Errors: MeasurementError; `name` is for messages.
[[nodiscard]] ModelParts parts_of_graph(const files::FileBytes& graph, const std::string& name);

// Asks once per model. Lifetime: views `parts_of`.
class ModelCache {
 public:
  explicit ModelCache(const PartsOfModel& parts_of) : parts_of_(parts_of) {}
  // `parts` is null where the model is not known.
  const ModelParts& find(const std::string& name);

 private:
  const PartsOfModel& parts_of_;
  std::map<std::string, ModelParts> known_;
};

// A model-level measurement without its joules.
[[nodiscard]] Measurement whole_model(const ModelParts& parts, const std::string& name);

// Joules that are not above zero cannot be compared by relative error: such a row goes
// to set.excluded.
void take_if_above_zero(Measurement m, MeasurementSet& set);

}  // namespace edgejoule::measurements
