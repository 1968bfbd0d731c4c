/* Stand-in: the callback of ggml's scheduler. */
#pragma once

#include <stdbool.h>

#include "ggml.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef bool (*ggml_backend_sched_eval_callback)(struct ggml_tensor* tensor, bool ask, void* user_data);

#ifdef __cplusplus
}
#endif
