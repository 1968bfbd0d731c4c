// Writes transformer networks op by op, as they are deployed: one dense op per
// projection, head splits as transposes, the mask as an addition.
//
// Shape: every activation is batch x sequence x features. `context` is the number of
// keys (the sequence itself, or with it what a decoder has cached).
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
  std::uint64_t hidden = 0;
  std::uint64_t heads = 1;
  std::uint64_t context = 1;
};

class TransformerNet {
 public:
  explicit TransformerNet(const Options& options);

  [[nodiscard]] graph::NodeId root() const { return builder_.root(); }
  graph::NodeId module(graph::NodeId parent, OpKind kind, std::string name);

  // Tables; `shared`: an earlier use of the same layer has counted its weights.
  void embedding(graph::NodeId parent, std::string name, std::uint64_t rows, std::uint64_t width);
  void dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs, bool shared,
             OpKind activation = OpKind::kUnknown, bool has_bias = true);
  void layer_norm(graph::NodeId parent, std::string name, std::uint64_t width, bool shared);
  // Residual connections, masks, sums of embeddings.
  void add(graph::NodeId parent, std::string name, std::uint64_t width);
  // Of one token per sequence, as a classifier reads it.
  void first_token_dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs,
                         OpKind activation);
  void softmax_of_last_token(graph::NodeId parent, std::string name, std::uint64_t width);
  // Scores, mask, softmax and weighted sum of queries, keys and values already
  // projected; sets the facts of the module it fills.
  void attention_core(graph::NodeId module, const AttentionShape& shape);

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  [[nodiscard]] files::FileBytes finish() { return builder_.finish(); }

 private:
  [[nodiscard]] graph::OpContext context(std::string name) const;
  [[nodiscard]] graph::Tensor tensor(std::uint64_t width) const;

  graph::GraphBuilder builder_;
  std::uint64_t batch_ = 1;
  std::uint64_t sequence_ = 1;
  DataType type_ = DataType::kFloat32;
};

}  // namespace edgejoule::zoo
