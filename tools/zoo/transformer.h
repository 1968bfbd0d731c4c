// Writes transformer networks op by op, as they are deployed: one dense op per
// projection, head splits as transposes, the mask as an addition.
//
// Shape: every activation is batch x sequence x features. `context` is the number of
// keys (the sequence itself, or with it what a decoder has cached).
// Weights may be stored narrower than the arithmetic, in blocks that share a scale:
// every use reads the narrow bytes and the scales, and unpacks each weight.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph_builder.h"
#include "graph/ops.h"
#include "zoo/options.h"

namespace edgejoule::zoo {

struct AttentionShape {
  std::uint64_t depth = 1;  // of one head
  std::uint64_t heads = 1;
  std::uint64_t kv_heads = 0;  // fewer than heads: several heads read the same keys and values; 0: heads
  std::uint64_t context = 1;
  bool masked = true;
};

// How the matrices are stored.
struct StoredWeights {
  DataType type = DataType::kUnknown;  // unknown: as the activations
  std::uint64_t block = 0;             // weights of one column that share a 16-bit scale
};

// weights= and block=, for families whose matrices may be stored narrower.
void declare_stored_weights(Options& options);
[[nodiscard]] StoredWeights stored_weights(const Options& options);

class TransformerNet {
 public:
  // `sequence`: rows of every activation, per input.
  TransformerNet(const Options& options, std::uint64_t sequence, StoredWeights stored = {});

  [[nodiscard]] graph::NodeId root() const { return builder_.root(); }
  graph::NodeId module(graph::NodeId parent, OpKind kind, std::string name);

  // Tables; `shared`: an earlier use of the same layer has counted its weights.
  void embedding(graph::NodeId parent, std::string name, std::uint64_t rows, std::uint64_t width);
  void dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs, bool shared,
             OpKind activation = OpKind::kUnknown, bool has_bias = true);
  void layer_norm(graph::NodeId parent, std::string name, std::uint64_t width, bool shared);
  void rms_norm(graph::NodeId parent, std::string name, std::uint64_t width);
  // Residual connections, masks, sums of embeddings.
  void add(graph::NodeId parent, std::string name, std::uint64_t width);
  // One learned value per position and feature is added.
  void add_parameters(graph::NodeId parent, std::string name, std::uint64_t width);
  void multiply(graph::NodeId parent, std::string name, std::uint64_t width);
  void activation(graph::NodeId parent, std::string name, OpKind kind, std::uint64_t width);
  // Queries or keys of `width`, in heads of `depth`, turned by their positions.
  void rotate(graph::NodeId parent, std::string name, std::uint64_t width, std::uint64_t depth);
  // New keys or values are written behind those of earlier tokens.
  void append_to_cache(graph::NodeId parent, std::string name, std::uint64_t width);
  // The image as one row per patch, and a learned row before them: `sequence` is one
  // more than the patches.
  void patches(graph::NodeId parent, std::uint64_t resolution, std::uint64_t patch, std::uint64_t channels,
               std::uint64_t width);
  // Of one token per sequence, as a classifier reads it.
  void one_token_dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs, bool shared,
                       OpKind activation = OpKind::kUnknown, bool has_bias = true);
  void softmax_of_last_token(graph::NodeId parent, std::string name, std::uint64_t width);
  // Scores, mask, softmax and weighted sum of queries, keys and values already
  // projected; sets the facts of the module it fills.
  void attention_core(graph::NodeId module, const AttentionShape& shape);

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  [[nodiscard]] files::FileBytes finish() { return builder_.finish(); }

 private:
  [[nodiscard]] graph::OpContext context(std::string name) const;
  [[nodiscard]] graph::Tensor tensor(std::uint64_t width) const;
  [[nodiscard]] Facts position() const;
  void add_dense(graph::NodeId parent, std::string name, graph::DenseParams params, bool shared);
  void normalise(graph::NodeId parent, std::string name, OpKind kind, std::uint64_t width, std::uint64_t parameters,
                 bool shared);
  // Weights narrower than the arithmetic are unpacked as they are read.
  void unpack(graph::OpNode& op, std::uint64_t weights) const;

  graph::GraphBuilder builder_;
  std::uint64_t batch_ = 1;
  std::uint64_t sequence_ = 1;
  DataType type_ = DataType::kFloat32;
  StoredWeights stored_;
};

}  // namespace edgejoule::zoo
