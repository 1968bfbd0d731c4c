// Llama-style decoders (arXiv 2302.13971, 2307.09288, 2407.21783; TinyLlama 2401.02385):
// RMS norms before each part, rotary positions, grouped-query attention (2305.13245),
// gated feed-forward. seq= tokens are read at once over context= keys: a prompt of n
// tokens is seq=n, one token written over n - 1 cached ones is seq=1,context=n.
// int4 with blocks of 32 is llama.cpp's Q4_0: 18 bytes hold 32 weights.
#include <fmt/format.h>

#include <cstdint>

#include "graph/graph_builder.h"
#include "zoo/families.h"
#include "zoo/transformer.h"

namespace edgejoule::zoo {
namespace {

void declare_llama(Options& options) {
  options.declare_count("layers", 22, 1, 1000, "decoder layers");
  options.declare_count("hidden", 2048, 1, 65536, "width of the hidden states");
  options.declare_count("heads", 32, 1, 65536, "attention heads");
  options.declare_count("kv_heads", 4, 1, 65536, "heads of keys and values, a divisor of heads");
  options.declare_count("head_dim", 0, 0, 65536, "width of one head; 0: hidden / heads");
  options.declare_count("intermediate", 5632, 1, 1'000'000, "width of the feed-forward part");
  options.declare_count("vocab", 32000, 1, 10'000'000, "rows of the token embeddings");
  options.declare_choice("tied", "no", {"no", "yes"}, "whether the logits use the token embeddings once more");
  options.declare_count("seq", 128, 1, 1'000'000, "tokens read at once (1: one token is written)");
  options.declare_count("context", 0, 0, 1'000'000, "keys in all, cached ones included; 0: seq");
  options.declare_choice("logits", "last", {"last", "all"}, "of the last token, or of every token read");
  declare_stored_weights(options);
}

files::FileBytes build_llama(const Options& options) {
  const std::uint64_t hidden = options.count("hidden");
  const std::uint64_t heads = options.count("heads");
  const std::uint64_t kv_heads = options.count("kv_heads");
  const std::uint64_t stated_depth = options.count("head_dim");
  const std::uint64_t intermediate = options.count("intermediate");
  const std::uint64_t vocab = options.count("vocab");
  const std::uint64_t seq = options.count("seq");
  const std::uint64_t context = options.count("context") != 0 ? options.count("context") : seq;
  if (stated_depth == 0 && hidden % heads != 0) {
    throw graph::GraphError(fmt::format("heads={} does not divide hidden={}; set head_dim as well", heads, hidden));
  }
  if (heads % kv_heads != 0) {
    throw graph::GraphError(fmt::format("kv_heads={} does not divide heads={}", kv_heads, heads));
  }
  if (context < seq) {
    throw graph::GraphError(fmt::format("context={} must be at least seq={}: it counts them too", context, seq));
  }
  const std::uint64_t depth = stated_depth != 0 ? stated_depth : hidden / heads;
  const std::uint64_t width = depth * heads;
  const std::uint64_t kv_width = depth * kv_heads;

  TransformerNet net(options, seq, stored_weights(options));
  const auto plain_dense = [&](graph::NodeId parent, const char* name, std::uint64_t inputs, std::uint64_t outputs) {
    net.dense(parent, name, inputs, outputs, false, OpKind::kUnknown, false);
  };
  const graph::NodeId embeddings = net.module(net.root(), OpKind::kEmbeddings, "embeddings");
  net.embedding(embeddings, "embed_tokens", vocab, hidden);
  const graph::NodeId decoder = net.module(net.root(), OpKind::kDecoder, "layers");
  for (std::uint64_t index = 0; index < options.count("layers"); ++index) {
    const graph::NodeId layer = net.module(decoder, OpKind::kLayer, fmt::format("layers.{}", index));
    net.rms_norm(layer, "input_layernorm", hidden);
    const graph::NodeId attention = net.module(layer, OpKind::kSelfAttention, "self_attn");
    plain_dense(attention, "q_proj", hidden, width);
    plain_dense(attention, "k_proj", hidden, kv_width);
    plain_dense(attention, "v_proj", hidden, kv_width);
    net.rotate(attention, "rotate_query", width, depth);
    net.rotate(attention, "rotate_key", kv_width, depth);
    net.append_to_cache(attention, "cache_key", kv_width);
    net.append_to_cache(attention, "cache_value", kv_width);
    net.attention_core(attention, {.depth = depth, .heads = heads, .kv_heads = kv_heads, .context = context});
    plain_dense(attention, "o_proj", width, hidden);
    net.add(layer, "add_attn", hidden);
    net.rms_norm(layer, "post_attention_layernorm", hidden);
    const graph::NodeId mlp = net.module(layer, OpKind::kFeedForward, "mlp");
    plain_dense(mlp, "gate_proj", hidden, intermediate);
    net.activation(mlp, "silu", OpKind::kSilu, intermediate);
    plain_dense(mlp, "up_proj", hidden, intermediate);
    net.multiply(mlp, "gate", intermediate);
    plain_dense(mlp, "down_proj", intermediate, hidden);
    net.add(layer, "add_mlp", hidden);
  }
  net.rms_norm(net.root(), "norm", hidden);
  const graph::NodeId head = net.module(net.root(), OpKind::kHead, "lm_head");
  const bool tied = options.choice("tied") == "yes";
  if (options.choice("logits") == "all") {
    net.dense(head, "logits", hidden, vocab, tied, OpKind::kUnknown, false);
  } else {
    net.one_token_dense(head, "logits", hidden, vocab, tied, OpKind::kUnknown, false);
  }
  net.softmax_of_last_token(head, "softmax", vocab);
  return net.finish();
}

}  // namespace

Family llama() {
  return {"llama",
          "Llama-style decoder, by layers, hidden, heads, kv_heads, seq and context",
          declare_llama,
          build_llama,
          {{"tinyllama-1.1b", "dtype=fp16", "TinyLlama: 22 layers of 2048, 4 of 32 heads for keys and values, fp16"},
           {"tinyllama-1.1b-q4", "dtype=fp16,weights=int4", "the same with 4-bit weights, one scale per 32"},
           {"llama-3.2-1b", "layers=16,kv_heads=8,intermediate=8192,vocab=128256,tied=yes,dtype=fp16",
            "Llama 3.2 1B: 16 layers of 2048, fp16"},
           {"llama-3.2-1b-q4", "layers=16,kv_heads=8,intermediate=8192,vocab=128256,tied=yes,dtype=fp16,weights=int4",
            "the same with 4-bit weights, one scale per 32"},
           {"llama-3.2-3b-q4",
            "layers=28,hidden=3072,heads=24,kv_heads=8,intermediate=8192,vocab=128256,tied=yes,dtype=fp16,weights=int4",
            "Llama 3.2 3B: 28 layers of 3072, 4-bit weights"},
           {"llama-2-7b-q4",
            "layers=32,hidden=4096,heads=32,kv_heads=32,intermediate=11008,vocab=32000,dtype=fp16,weights=int4",
            "Llama 2 7B: 32 layers of 4096, 4-bit weights"},
           {"llama-3-8b-q4",
            "layers=32,hidden=4096,heads=32,kv_heads=8,intermediate=14336,vocab=128256,dtype=fp16,weights=int4",
            "Llama 3 8B: 32 layers of 4096, 4-bit weights"}}};
}

}  // namespace edgejoule::zoo
