// GPT-2 ("Language Models are Unsupervised Multitask Learners", 2019): reading a prompt
// of seq tokens, or with context= writing after it (seq=1,context=1024 is one token of
// output over 1023 cached ones).
#include <fmt/format.h>

#include <cstdint>

#include "graph/graph_builder.h"
#include "zoo/families.h"
#include "zoo/transformer.h"

namespace edgejoule::zoo {
namespace {

void declare_gpt(Options& options) {
  options.declare_count("layers", 12, 1, 1000, "decoder layers");
  options.declare_count("hidden", 768, 1, 65536, "width of the hidden states");
  options.declare_count("heads", 12, 1, 65536, "attention heads, a divisor of hidden");
  options.declare_count("seq", 128, 1, 1'000'000, "tokens read at once");
  options.declare_count("context", 0, 0, 1'000'000, "keys in all, cached ones included; 0: seq");
  options.declare_count("vocab", 50257, 1, 10'000'000, "rows of the token embeddings");
  options.declare_count("positions", 1024, 1, 1'000'000, "rows of the position embeddings, no fewer than context");
  declare_stored_weights(options);
}

files::FileBytes build_gpt(const Options& options) {
  const std::uint64_t hidden = options.count("hidden");
  const std::uint64_t heads = options.count("heads");
  const std::uint64_t vocab = options.count("vocab");
  const std::uint64_t context = options.count("context") != 0 ? options.count("context") : options.count("seq");
  if (hidden % heads != 0) {
    throw graph::GraphError(fmt::format("heads={} does not divide hidden={}", heads, hidden));
  }
  if (context < options.count("seq") || context > options.count("positions")) {
    throw graph::GraphError(fmt::format("context={} must be from seq={} to positions={}", context, options.count("seq"),
                                        options.count("positions")));
  }

  TransformerNet net(options, options.count("seq"), stored_weights(options));
  const graph::NodeId embeddings = net.module(net.root(), OpKind::kEmbeddings, "embeddings");
  net.embedding(embeddings, "wte", vocab, hidden);
  net.embedding(embeddings, "wpe", options.count("positions"), hidden);
  net.add(embeddings, "add_positions", hidden);
  const graph::NodeId decoder = net.module(net.root(), OpKind::kDecoder, "h");
  for (std::uint64_t index = 0; index < options.count("layers"); ++index) {
    const graph::NodeId layer = net.module(decoder, OpKind::kLayer, fmt::format("h.{}", index));
    net.layer_norm(layer, "ln_1", hidden, false);
    const graph::NodeId attention = net.module(layer, OpKind::kSelfAttention, "attn");
    net.dense(attention, "c_attn", hidden, 3 * hidden, false);
    net.attention_core(attention, {.depth = hidden / heads, .heads = heads, .context = context});
    net.dense(attention, "c_proj", hidden, hidden, false);
    net.add(layer, "add_attn", hidden);
    net.layer_norm(layer, "ln_2", hidden, false);
    const graph::NodeId mlp = net.module(layer, OpKind::kFeedForward, "mlp");
    net.dense(mlp, "c_fc", hidden, 4 * hidden, false, OpKind::kGelu);
    net.dense(mlp, "c_proj", 4 * hidden, hidden, false);
    net.add(layer, "add_mlp", hidden);
  }
  net.layer_norm(net.root(), "ln_f", hidden, false);
  // The logits use the token embeddings once more: traffic, but no further parameters.
  const graph::NodeId head = net.module(net.root(), OpKind::kHead, "lm_head");
  net.dense(head, "logits", hidden, vocab, true, OpKind::kUnknown, false);
  net.softmax_of_last_token(head, "softmax", vocab);
  return net.finish();
}

}  // namespace

Family gpt() {
  return {"gpt2",
          "GPT-2, 12 layers of 768, logits of every token",
          declare_gpt,
          build_gpt,
          {{"gpt2", "", "GPT-2: 12 layers of 768, logits of every token"},
           {"gpt2-medium", "layers=24,hidden=1024,heads=16", "GPT-2 medium: 24 layers of 1024"},
           {"gpt2-large", "layers=36,hidden=1280,heads=20", "GPT-2 large: 36 layers of 1280"},
           {"gpt2-xl", "layers=48,hidden=1600,heads=25", "GPT-2 XL: 48 layers of 1600"}}};
}

}  // namespace edgejoule::zoo
