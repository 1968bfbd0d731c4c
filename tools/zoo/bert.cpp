// BERT (arXiv 1810.04805) with its relatives DistilBERT (1910.01108: no segments, no
// pooler) and ALBERT (1909.11942: factorised embeddings, one layer used many times).
// The tree has the names under which IrEne measures it.
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "graph/graph_builder.h"
#include "zoo/families.h"
#include "zoo/transformer.h"

namespace edgejoule::zoo {
namespace {

void declare_bert(Options& options) {
  options.declare_choice("variant", "bert", {"bert", "distilbert", "albert"}, "which relative");
  options.declare_count("layers", 12, 1, 1000, "encoder layers");
  options.declare_count("hidden", 768, 1, 65536, "width of the hidden states");
  options.declare_count("heads", 12, 1, 65536, "attention heads, a divisor of hidden");
  options.declare_count("intermediate", 0, 0, 1'000'000, "width of the feed-forward part; 0: four times hidden");
  options.declare_count("seq", 128, 1, 1'000'000, "tokens per input");
  options.declare_count("vocab", 30522, 1, 10'000'000, "rows of the word embeddings");
  options.declare_count("positions", 512, 1, 1'000'000, "rows of the position embeddings, no fewer than seq");
  options.declare_count("embedding", 0, 0, 65536, "width of ALBERT's embeddings; 0: hidden");
}

files::FileBytes build_bert(const Options& options) {
  const std::string& variant = options.choice("variant");
  const bool is_albert = variant == "albert";
  const bool is_distilled = variant == "distilbert";
  const std::uint64_t hidden = options.count("hidden");
  const std::uint64_t heads = options.count("heads");
  const std::uint64_t stated_intermediate = options.count("intermediate");
  const std::uint64_t intermediate = stated_intermediate != 0 ? stated_intermediate : 4 * hidden;
  const std::uint64_t stated_embedding = options.count("embedding");
  const std::uint64_t embedding = stated_embedding != 0 ? stated_embedding : hidden;
  if (hidden % heads != 0) {
    throw graph::GraphError(fmt::format("heads={} does not divide hidden={}", heads, hidden));
  }
  if (options.count("seq") > options.count("positions")) {
    throw graph::GraphError(fmt::format("seq={} is longer than positions={}; set positions as well",
                                        options.count("seq"), options.count("positions")));
  }
  if (!is_albert && embedding != hidden) {
    throw graph::GraphError("only variant=albert has embeddings of another width than hidden");
  }

  TransformerNet net(options, options.count("seq"));
  const graph::NodeId embeddings = net.module(net.root(), OpKind::kEmbeddings, "embeddings");
  net.embedding(embeddings, "word_embeddings", options.count("vocab"), embedding);
  net.embedding(embeddings, "position_embeddings", options.count("positions"), embedding);
  net.add(embeddings, "add_positions", embedding);
  if (!is_distilled) {
    net.embedding(embeddings, "token_type_embeddings", 2, embedding);
    net.add(embeddings, "add_token_types", embedding);
  }
  net.layer_norm(embeddings, "LayerNorm", embedding, false);

  const graph::NodeId encoder = net.module(net.root(), OpKind::kEncoder, "encoder");
  if (embedding != hidden) {
    net.dense(encoder, "embedding_hidden_mapping_in", embedding, hidden, false);
  }
  for (std::uint64_t index = 0; index < options.count("layers"); ++index) {
    const bool shared = is_albert && index > 0;
    const graph::NodeId layer = net.module(encoder, OpKind::kLayer, fmt::format("layer.{}", index));
    const graph::NodeId attention = net.module(layer, OpKind::kAttentionModule, "attention");
    const graph::NodeId self = net.module(attention, OpKind::kSelfAttention, "self");
    for (const char* which : {"query", "key", "value"}) {
      net.dense(self, which, hidden, hidden, shared);
    }
    net.attention_core(self, {.depth = hidden / heads, .heads = heads, .context = net.sequence()});
    const graph::NodeId projected = net.module(attention, OpKind::kProjectionOutput, "output");
    net.dense(projected, "dense", hidden, hidden, shared);
    net.add(projected, "add", hidden);
    net.layer_norm(projected, "LayerNorm", hidden, shared);
    const graph::NodeId inner = net.module(layer, OpKind::kFeedForward, "intermediate");
    net.dense(inner, "dense", hidden, intermediate, shared, OpKind::kGelu);
    const graph::NodeId output = net.module(layer, OpKind::kProjectionOutput, "output");
    net.dense(output, "dense", intermediate, hidden, shared);
    net.add(output, "add", hidden);
    net.layer_norm(output, "LayerNorm", hidden, shared);
  }
  if (!is_distilled) {
    const graph::NodeId pooler = net.module(net.root(), OpKind::kPooler, "pooler");
    net.one_token_dense(pooler, "dense", hidden, hidden, false, OpKind::kTanh);
  }
  return net.finish();
}

}  // namespace

Family bert() {
  return {"bert",
          "BERT encoder, by layers, hidden, heads and seq",
          declare_bert,
          build_bert,
          {{"bert-tiny", "layers=2,hidden=128,heads=2", "BERT-tiny: 2 layers of 128"},
           {"bert-mini", "layers=4,hidden=256,heads=4", "BERT-mini: 4 layers of 256"},
           {"bert-small", "layers=4,hidden=512,heads=8", "BERT-small: 4 layers of 512"},
           {"bert-medium", "layers=8,hidden=512,heads=8", "BERT-medium: 8 layers of 512"},
           {"bert-base", "layers=12,hidden=768,heads=12", "BERT-base: 12 layers of 768"},
           {"bert-large", "layers=24,hidden=1024,heads=16", "BERT-large: 24 layers of 1024"},
           {"distilbert", "variant=distilbert,layers=6", "DistilBERT: 6 layers of 768"},
           {"albert", "variant=albert,vocab=30000,embedding=128", "ALBERT-base: one layer of 768, used 12 times"}}};
}

}  // namespace edgejoule::zoo
