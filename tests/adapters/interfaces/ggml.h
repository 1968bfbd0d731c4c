/* Stand-in: of ggml's tensors what a callback reads. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum ggml_op {
  GGML_OP_NONE = 0,
  GGML_OP_ADD,
  GGML_OP_MUL_MAT,
  GGML_OP_RESHAPE,
  GGML_OP_VIEW,
  GGML_OP_PERMUTE,
  GGML_OP_TRANSPOSE
};

struct ggml_tensor {
  enum ggml_op op;
  char name[64];
};

const char* ggml_op_name(enum ggml_op op);

#ifdef __cplusplus
}
#endif
