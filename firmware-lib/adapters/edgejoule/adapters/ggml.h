// ggml and llama.cpp: evaluations of a graph, and on request its ops, reported to an
// edgejoule hook.
//
//   edgejoule::adapters::GgmlMarks marks(&hook);
//   marks.begin_eval("token");
//   llama_decode(context, batch);            // or ggml_backend_sched_graph_compute
//   marks.end_eval();
//
// One evaluation is one inference: of a decoder one token, or one batch of them.
// Op by op, for diagnosis only: ggml then computes one op at a time and waits for each, so
// that the run is slower and costs more than the one it stands for.
//
//   edgejoule::adapters::GgmlMarks marks(&hook, edgejoule::adapters::GgmlMarks::Detail::kOps);
//   ggml_backend_sched_set_eval_callback(sched, edgejoule::adapters::GgmlMarks::callback, &marks);
//                                            // or llama_context_params.cb_eval, cb_eval_user_data
//
// A spent budget then stops the evaluation behind the op that spent it. Ops are counted in
// the order they run, views and reshapes left out; backends that run splits of one graph
// count on.
// Lifetime: views the hook. One thread: that which evaluates. C++14, nothing allocated.
#ifndef EDGEJOULE_ADAPTERS_GGML_H
#define EDGEJOULE_ADAPTERS_GGML_H

#include <cstdint>

#include "edgejoule/edgejoule.h"
#include "ggml-backend.h"
#include "ggml.h"

namespace edgejoule {
namespace adapters {

class GgmlMarks {
 public:
  enum class Detail { kEvaluations, kOps };

  explicit GgmlMarks(edgejoule_hook* hook, Detail detail = Detail::kEvaluations) noexcept
      : hook_(hook), detail_(detail) {}

  void begin_eval(const char* name) noexcept { eval_ = edgejoule_hook_begin_inference(hook_, name); }
  void end_eval() noexcept {
    edgejoule_hook_end(hook_, eval_);
    eval_ = op_ = EDGEJOULE_NO_EVENT;
  }

  // ggml_backend_sched_eval_callback. First asked whether it wants to see a tensor, right
  // before that is computed (with what nobody wanted to see before it), then shown it.
  static bool callback(ggml_tensor* tensor, bool ask, void* user_data) {
    GgmlMarks& marks = *static_cast<GgmlMarks*>(user_data);
    if (ask) return marks.begin_op(*tensor);
    edgejoule_hook_end(marks.hook_, marks.op_);
    marks.op_ = EDGEJOULE_NO_EVENT;
    return edgejoule_hook_is_over_budget(marks.hook_) == 0;
  }

 private:
  bool begin_op(const ggml_tensor& tensor) noexcept {
    if (detail_ == Detail::kEvaluations || !computes(tensor.op)) return false;
    op_ = edgejoule_hook_begin_op(hook_, tensor.name[0] != '\0' ? tensor.name : ggml_op_name(tensor.op),
                                  EDGEJOULE_NODE_IN_ORDER, 0);
    return true;
  }

  static bool computes(ggml_op op) noexcept {
    return op != GGML_OP_NONE && op != GGML_OP_VIEW && op != GGML_OP_RESHAPE && op != GGML_OP_PERMUTE &&
           op != GGML_OP_TRANSPOSE;
  }

  edgejoule_hook* hook_;
  Detail detail_;
  std::uint32_t eval_ = EDGEJOULE_NO_EVENT;
  std::uint32_t op_ = EDGEJOULE_NO_EVENT;
};

}  // namespace adapters
}  // namespace edgejoule

#endif  // EDGEJOULE_ADAPTERS_GGML_H
