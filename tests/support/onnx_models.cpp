#include "support/onnx_models.h"

#include "import/onnx/writer.h"

namespace edgejoule::test {
namespace {

using namespace import;

const std::string kMicrosoft = "com.microsoft";

void layer(OnnxGraphWriter& g, const std::string& scope, const std::string& in, const std::string& out) {
  const auto at = [&](const char* name) { return scope + name; };
  for (const char* part : {"query", "key", "value"}) {
    const std::string path = scope + "/attention/self/" + part;
    g.weights(path + ".weight", {64, 64}).weights(path + ".bias", {64});
    g.node({"MatMul", {in, path + ".weight"}, {path + "/MatMul_output_0"}, {}, path + "/MatMul"});
    g.node({"Add", {path + ".bias", path + "/MatMul_output_0"}, {path + "/Add_output_0"}, {}, path + "/Add"});
    g.node({"Reshape", {path + "/Add_output_0", "heads"}, {path + "_r"}, {}, at("/attention/self/Reshape_") + part});
    const bool key = std::string_view(part) == "key";
    g.node({"Transpose",
            {path + "_r"},
            {path + "_t"},
            {onnx_ints("perm", key ? OnnxDims{0, 2, 3, 1} : OnnxDims{0, 2, 1, 3})},
            at("/attention/self/Transpose_") + part});
  }
  const std::string self = scope + "/attention/self/";
  g.node({"MatMul", {self + "query_t", self + "key_t"}, {self + "scores"}, {}, self + "MatMul"});
  g.node({"Softmax", {self + "scores"}, {self + "weights"}, {onnx_int("axis", -1)}, self + "Softmax"});
  g.node({"MatMul", {self + "weights", self + "value_t"}, {self + "context"}, {}, self + "MatMul_1"});
  g.node({"Transpose", {self + "context"}, {self + "c_t"}, {onnx_ints("perm", {0, 2, 1, 3})}, self + "Transpose_3"});
  g.node({"Reshape", {self + "c_t", "joined"}, {self + "c"}, {}, self + "Reshape_3"});
  const std::string dense = scope + "/attention/output/dense";
  g.weights(dense + ".weight", {64, 64});
  g.node({"MatMul", {self + "c", dense + ".weight"}, {dense + "_o"}, {}, dense + "/MatMul"});
  g.node({"Add", {dense + "_o", in}, {dense + "_s"}, {}, scope + "/attention/output/Add"});
  const std::string up = scope + "/intermediate/dense";
  g.weights(up + ".weight", {64, 256});
  g.node({"MatMul", {dense + "_s", up + ".weight"}, {up + "_o"}, {}, up + "/MatMul"});
  g.node({"Gelu", {up + "_o"}, {up + "_g"}, {}, scope + "/intermediate/act/Gelu"});
  const std::string down = scope + "/output/dense";
  g.weights(down + ".weight", {256, 64});
  g.node({"MatMul", {up + "_g", down + ".weight"}, {down + "_o"}, {}, down + "/MatMul"});
  g.weights(scope + "/output/norm.weight", {64}).weights(scope + "/output/norm.bias", {64});
  g.node({"LayerNormalization",
          {down + "_o", scope + "/output/norm.weight", scope + "/output/norm.bias"},
          {out},
          {onnx_int("axis", -1)},
          scope + "/output/LayerNorm/LayerNormalization"});
}

}  // namespace

std::vector<std::uint8_t> onnx_cnn() {
  OnnxGraphWriter g("cnn");
  g.input("image", {"N", 3, 32, 32}).output("scores");
  g.weights("w1", {16, 3, 3, 3}).weights("b1", {16});
  g.node({"Conv", {"image", "w1", "b1"}, {"c1"}, {onnx_ints("strides", {2, 2}), onnx_ints("pads", {1, 1, 1, 1})}});
  g.weights("gamma", {16}).weights("beta", {16}).weights("mean", {16}).weights("var", {16});
  g.node({"BatchNormalization", {"c1", "gamma", "beta", "mean", "var"}, {"n1"}});
  g.node({"Relu", {"n1"}, {"r1"}});
  g.weights("w2", {16, 1, 3, 3});
  g.node({"Conv", {"r1", "w2"}, {"c2"}, {onnx_int("group", 16), onnx_text("auto_pad", "SAME_UPPER")}});
  g.node({"MaxPool",
          {"c2"},
          {"p1"},
          {onnx_ints("kernel_shape", {3, 3}), onnx_ints("strides", {2, 2}), onnx_int("ceil_mode", 1)}});
  g.weights("w3", {16, 8, 2, 2});
  g.node({"ConvTranspose", {"p1", "w3"}, {"t1"}, {onnx_ints("strides", {2, 2})}});
  g.node({"GlobalAveragePool", {"t1"}, {"g1"}});
  g.node({"Flatten", {"g1"}, {"f1"}});
  g.weights("w4", {10, 8}).weights("b4", {10});
  g.node({"Gemm", {"f1", "w4", "b4"}, {"d1"}, {onnx_int("transB", 1)}});
  g.node({"Softmax", {"d1"}, {"scores"}});
  return OnnxModelWriter(g, 13).finish();
}

std::vector<std::uint8_t> onnx_transformer() {
  OnnxGraphWriter g("transformer");
  g.input("hidden", {"batch", "sequence", 64}).output("out");
  g.integers("heads", {0, 0, 4, 16}).integers("joined", {0, 0, 64});
  layer(g, "/encoder/layer.0", "hidden", "h0");
  layer(g, "/encoder/layer.1", "h0", "out");
  return OnnxModelWriter(g, 20).finish();
}

std::vector<std::uint8_t> onnx_quantised() {
  OnnxGraphWriter g("quantised");
  g.input("image", {1, 8, 16, 16}, OnnxType::kUint8)
      .input("rows", {1, 4, 64})
      .output("y")
      .output("i")
      .output("n")
      .output("q");
  for (const char* scale : {"s1", "s2", "s3", "s4"}) g.weights(scale, {});
  for (const char* zero : {"z1", "z2", "z3"}) g.weights(zero, {}, OnnxType::kUint8);
  g.weights("w", {16, 8, 3, 3}, OnnxType::kInt8).weights("ws", {16}).weights("wz", {16}, OnnxType::kInt8);
  g.weights("b", {16}, OnnxType::kInt32).weights("bs", {16}).weights("bz", {16}, OnnxType::kInt32);
  g.node({"DequantizeLinear", {"image", "s1", "z1"}, {"image_f"}});
  g.node({"DequantizeLinear", {"w", "ws", "wz"}, {"w_f"}, {onnx_int("axis", 0)}});
  g.node({"DequantizeLinear", {"b", "bs", "bz"}, {"b_f"}, {onnx_int("axis", 0)}});
  g.node({"Conv", {"image_f", "w_f", "b_f"}, {"c_f"}});
  g.node({"Relu", {"c_f"}, {"r_f"}});
  g.node({"QuantizeLinear", {"r_f", "s2", "z2"}, {"r_q"}});
  g.weights("w2", {4, 16, 1, 1}, OnnxType::kInt8);
  g.node({"QLinearConv", {"r_q", "s2", "z2", "w2", "s3", "wz1", "s4", "z3"}, {"q"}});
  g.weights("wz1", {}, OnnxType::kInt8);
  g.weights("m", {64, 32}, OnnxType::kUint8);
  g.node({"DynamicQuantizeLinear", {"rows"}, {"rows_q", "rows_s", "rows_z"}});
  g.node({"MatMulInteger", {"rows_q", "m", "rows_z"}, {"i"}});
  g.weights("m4", {32, 2, 16}, OnnxType::kUint8).weights("m4s", {64});
  g.node({"MatMulNBits",
          {"rows", "m4", "m4s"},
          {"n"},
          {onnx_int("K", 64), onnx_int("N", 32), onnx_int("bits", 4), onnx_int("block_size", 32)},
          "",
          kMicrosoft});
  g.weights("m8", {64, 32}, OnnxType::kInt8).weights("m8s", {32});
  g.node({"DequantizeLinear", {"m8", "m8s"}, {"m8_f"}, {onnx_int("axis", 1)}});
  g.node({"MatMul", {"rows", "m8_f"}, {"y"}});
  return OnnxModelWriter(g).domain(kMicrosoft, 1).finish();
}

std::vector<std::uint8_t> onnx_control_flow() {
  OnnxGraphWriter then_branch("small");
  then_branch.node({"MatMul", {"x", "w8"}, {"small_y"}}).output("small_y", {4, 8});
  OnnxGraphWriter else_branch("large");
  else_branch.node({"MatMul", {"x", "w32"}, {"large_y"}}).output("large_y", {4, 32});
  OnnxGraphWriter body("body");
  body.input("i", {}, OnnxType::kInt64).input("go", {}, OnnxType::kBool).input("state", {4, 16});
  body.node({"Identity", {"go"}, {"go_on"}});
  body.node({"MatMul", {"state", "w16"}, {"next"}});
  body.node({"Relu", {"next"}, {"seen"}});
  body.output("go_on", {}, OnnxType::kBool).output("next", {4, 16}).output("seen", {4, 16});
  OnnxGraphWriter step("step");
  step.input("sum", {16}).input("row", {16});
  step.node({"Add", {"sum", "row"}, {"new_sum"}});
  step.node({"Identity", {"new_sum"}, {"each"}});
  step.output("new_sum", {16}).output("each", {16});

  OnnxGraphWriter g("control");
  g.input("x", {4, 16}).input("choose", {}, OnnxType::kBool).input("rows", {5, 16}).input("start", {16});
  g.weights("w8", {16, 8}).weights("w32", {16, 32}).weights("w16", {16, 16}).scalar("three", 3);
  g.node({"If",
          {"choose"},
          {"y"},
          {onnx_graph("then_branch", then_branch), onnx_graph("else_branch", else_branch)},
          "if"});
  g.node({"Loop", {"three", "", "x"}, {"last", "all"}, {onnx_graph("body", body)}, "loop"});
  g.node({"Scan",
          {"start", "rows"},
          {"total", "sums"},
          {onnx_graph("body", step), onnx_int("num_scan_inputs", 1)},
          "scan"});
  g.node({"Relu", {"all"}, {"all_r"}, {}, "after"});
  g.output("y").output("last").output("all_r").output("total").output("sums");
  return OnnxModelWriter(g).finish();
}

std::vector<std::uint8_t> onnx_functions() {
  OnnxGraphWriter g("functions");
  g.input("x", {2, 16}).output("y").weights("a", {16, 32}).weights("b", {32, 8});
  g.node({"Block", {"x", "a"}, {"h"}, {onnx_int("turn", 0)}, "/first", "local"});
  g.node({"Block", {"h", "b"}, {"y"}, {onnx_int("turn", 0)}, "/second", "local"});
  OnnxModelWriter model(g);
  model.domain("local", 1);
  model.function({"Block",
                  {"data", "weights"},
                  {"result"},
                  {"turn"},
                  {{"Gemm", {"data", "weights"}, {"product"}, {onnx_reference("transB", "turn")}},
                   {"Act", {"product"}, {"result"}, {}, "", "local"}}});
  model.function({"Act", {"in"}, {"out"}, {}, {{"Sigmoid", {"in"}, {"gate"}}, {"Mul", {"in", "gate"}, {"out"}}}});
  return model.finish();
}

std::vector<std::uint8_t> onnx_recurrent() {
  OnnxGraphWriter g("recurrent");
  g.input("x", {10, 2, 12}).output("last").output("g").output("r");
  g.weights("lw", {2, 64, 12}).weights("lr", {2, 64, 16}).weights("lb", {2, 128});
  g.node(
      {"LSTM", {"x", "lw", "lr", "lb"}, {"l"}, {onnx_text("direction", "bidirectional"), onnx_int("hidden_size", 16)}});
  g.node({"Transpose", {"l"}, {"lt"}, {onnx_ints("perm", {0, 2, 1, 3})}});
  g.integers("flat", {0, 0, -1});
  g.node({"Reshape", {"lt", "flat"}, {"last"}});
  g.weights("gw", {1, 24, 12}).weights("gr", {1, 24, 8});
  g.node({"GRU", {"x", "gw", "gr"}, {"", "g"}, {onnx_int("hidden_size", 8)}});
  g.weights("rw", {1, 6, 12}).weights("rr", {1, 6, 6});
  g.node({"RNN", {"x", "rw", "rr"}, {"r"}, {onnx_int("hidden_size", 6)}});
  return OnnxModelWriter(g, 14).finish();
}

std::vector<std::uint8_t> onnx_contributed() {
  OnnxGraphWriter g("contributed");
  g.input("ids", {1, 8}, OnnxType::kInt32).input("segments", {1, 8}, OnnxType::kInt32);
  g.weights("words", {100, 64}).weights("places", {16, 64}).weights("kinds", {2, 64});
  g.weights("gamma", {64}).weights("beta", {64});
  g.node({"EmbedLayerNormalization",
          {"ids", "segments", "words", "places", "kinds", "gamma", "beta"},
          {"e", "mask"},
          {},
          "embed",
          kMicrosoft});
  g.weights("qkv", {64, 192}).weights("qkv_b", {192});
  g.node({"Attention", {"e", "qkv", "qkv_b"}, {"a"}, {onnx_int("num_heads", 4)}, "attention", kMicrosoft});
  g.weights("skip_b", {64});
  g.node(
      {"SkipLayerNormalization", {"a", "e", "gamma", "beta", "skip_b"}, {"s", "", "", "sum"}, {}, "skip", kMicrosoft});
  g.weights("up", {64, 256}).weights("up_b", {256});
  g.node({"MatMul", {"s", "up"}, {"u"}, {}, "up"});
  g.node({"BiasGelu", {"u", "up_b"}, {"ug"}, {}, "gelu", kMicrosoft});
  g.weights("down", {64, 256});
  g.node({"FusedMatMul", {"ug", "down"}, {"d"}, {onnx_int("transB", 1)}, "down", kMicrosoft});
  g.input("key", {1, 8, 64}).input("value", {1, 8, 64}).input("past_k", {1, 4, 24, 16}).input("past_v", {1, 4, 24, 16});
  g.node({"MultiHeadAttention",
          {"d", "key", "value", "", "", "", "past_k", "past_v"},
          {"mha", "pk", "pv"},
          {onnx_int("num_heads", 4)},
          "cross",
          kMicrosoft});
  g.input("kv", {1, 8, 32}).input("cache_k", {1, 2, 24, 16}).input("cache_v", {1, 2, 24, 16});
  g.input("lengths", {1}, OnnxType::kInt32).input("all", {}, OnnxType::kInt32);
  g.node({"GroupQueryAttention",
          {"mha", "kv", "kv", "cache_k", "cache_v", "lengths", "all"},
          {"y", "gk", "gv"},
          {onnx_int("num_heads", 4), onnx_int("kv_num_heads", 2)},
          "grouped",
          kMicrosoft});
  g.output("y").output("pk").output("gk").output("sum");
  return OnnxModelWriter(g).domain(kMicrosoft, 1).finish();
}

std::vector<std::uint8_t> onnx_unknown() {
  OnnxGraphWriter g("unknown");
  g.input("x", {4, 100}).output("y").output("d");
  g.node({"Frobnicate", {"x"}, {"f"}, {onnx_int("level", 3)}, "odd", "acme"});
  g.value("f", {4, 100});
  g.node({"Relu", {"f"}, {"y"}, {}, "known"});
  g.node({"Det", {"square"}, {"d"}, {}, "det"});
  g.input("square", {3, 5, 5});
  return OnnxModelWriter(g).domain("acme", 1).finish();
}

std::vector<std::uint8_t> onnx_all_ops(const std::vector<std::pair<std::string, std::string>>& operators) {
  OnnxGraphWriter then_branch("branch");
  then_branch.node({"Relu", {"x"}, {"t"}}).output("t");
  OnnxGraphWriter g("all");
  g.input("x", {2, 4, 6, 6}).weights("w", {4, 4, 3, 3}).integers("n", {1, 1, 1, 1});
  std::size_t count = 0;
  for (const auto& [domain, op] : operators) {
    const std::string out = "o" + std::to_string(count++);
    std::vector<OnnxMessage> attributes{onnx_int("axis", 1), onnx_int("num_heads", 2),
                                        onnx_ints("kernel_shape", {2, 2})};
    for (const char* name : {"body", "then_branch", "else_branch"}) attributes.push_back(onnx_graph(name, then_branch));
    attributes.push_back(onnx_int("num_scan_inputs", 1));
    g.node({op, {"x", "w", "n"}, {out, out + "b"}, attributes, "/all/" + op, domain});
  }
  return OnnxModelWriter(g).domain(kMicrosoft, 1).finish();
}

std::vector<OnnxModel> onnx_models() {
  return {{"cnn", onnx_cnn()},
          {"transformer", onnx_transformer()},
          {"quantised", onnx_quantised()},
          {"control_flow", onnx_control_flow()},
          {"functions", onnx_functions()},
          {"recurrent", onnx_recurrent()},
          {"contributed", onnx_contributed()},
          {"unknown", onnx_unknown()}};
}

}  // namespace edgejoule::test
