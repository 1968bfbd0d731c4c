// Vision transformers (arXiv 2010.11929; the small and tiny ones 2012.12877): an image
// cut into patches, a class token before them, an encoder that normalises before each
// part, and a classifier that reads the class token.
#include <fmt/format.h>

#include <cstdint>

#include "graph/graph_builder.h"
#include "zoo/families.h"
#include "zoo/transformer.h"

namespace edgejoule::zoo {
namespace {

void declare_vit(Options& options) {
  options.declare_count("layers", 12, 1, 1000, "encoder layers");
  options.declare_count("hidden", 768, 1, 65536, "width of the hidden states");
  options.declare_count("heads", 12, 1, 65536, "attention heads, a divisor of hidden");
  options.declare_count("intermediate", 0, 0, 1'000'000, "width of the feed-forward part; 0: four times hidden");
  options.declare_count("patch", 16, 1, 4096, "height and width of a patch");
  options.declare_count("resolution", 224, 1, 4096, "height and width of the input, a multiple of patch");
  options.declare_count("classes", 1000, 1, 1'000'000, "outputs");
}

files::FileBytes build_vit(const Options& options) {
  const std::uint64_t hidden = options.count("hidden");
  const std::uint64_t heads = options.count("heads");
  const std::uint64_t stated_intermediate = options.count("intermediate");
  const std::uint64_t intermediate = stated_intermediate != 0 ? stated_intermediate : 4 * hidden;
  const std::uint64_t patch = options.count("patch");
  const std::uint64_t resolution = options.count("resolution");
  if (hidden % heads != 0) {
    throw graph::GraphError(fmt::format("heads={} does not divide hidden={}", heads, hidden));
  }
  if (resolution % patch != 0) {
    throw graph::GraphError(fmt::format("resolution={} is no multiple of patch={}", resolution, patch));
  }
  const std::uint64_t patches = (resolution / patch) * (resolution / patch);

  TransformerNet net(options, patches + 1);
  const graph::NodeId embeddings = net.module(net.root(), OpKind::kEmbeddings, "embeddings");
  net.patches(embeddings, resolution, patch, 3, hidden);
  net.add_parameters(embeddings, "position_embeddings", hidden);
  const graph::NodeId encoder = net.module(net.root(), OpKind::kEncoder, "encoder");
  for (std::uint64_t index = 0; index < options.count("layers"); ++index) {
    const graph::NodeId layer = net.module(encoder, OpKind::kLayer, fmt::format("layer.{}", index));
    net.layer_norm(layer, "layernorm_before", hidden, false);
    const graph::NodeId attention = net.module(layer, OpKind::kSelfAttention, "attention");
    for (const char* which : {"query", "key", "value"}) {
      net.dense(attention, which, hidden, hidden, false);
    }
    net.attention_core(attention,
                       {.depth = hidden / heads, .heads = heads, .context = net.sequence(), .masked = false});
    net.dense(attention, "output", hidden, hidden, false);
    net.add(layer, "add_attention", hidden);
    net.layer_norm(layer, "layernorm_after", hidden, false);
    const graph::NodeId mlp = net.module(layer, OpKind::kFeedForward, "mlp");
    net.dense(mlp, "fc1", hidden, intermediate, false, OpKind::kGelu);
    net.dense(mlp, "fc2", intermediate, hidden, false);
    net.add(layer, "add_mlp", hidden);
  }
  net.layer_norm(net.root(), "layernorm", hidden, false);
  const graph::NodeId head = net.module(net.root(), OpKind::kHead, "head");
  net.one_token_dense(head, "logits", hidden, options.count("classes"), false);
  net.softmax_of_last_token(head, "softmax", options.count("classes"));
  return net.finish();
}

}  // namespace

Family vit() {
  return {"vit",
          "Vision transformer, by layers, hidden, heads, patch and resolution",
          declare_vit,
          build_vit,
          {{"vit-tiny-16", "hidden=192,heads=3", "ViT-Ti/16: 12 layers of 192, 224 x 224 input"},
           {"vit-small-16", "hidden=384,heads=6", "ViT-S/16: 12 layers of 384, 224 x 224 input"},
           {"vit-base-16", "", "ViT-B/16: 12 layers of 768, 224 x 224 input"},
           {"vit-base-32", "patch=32", "ViT-B/32: 12 layers of 768, 224 x 224 input"},
           {"vit-large-16", "layers=24,hidden=1024,heads=16", "ViT-L/16: 24 layers of 1024, 224 x 224 input"}}};
}

}  // namespace edgejoule::zoo
