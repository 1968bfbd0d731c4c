#include "measurements/irene_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <tuple>

#include "files/file_bytes.h"
#include "files/io.h"
#include "graph/module_structure.h"
#include "graph/ops.h"
#include "measurements/csv.h"

namespace edgejoule::measurements {
namespace {

constexpr double kMebi = 1048576.0;
constexpr std::uint64_t kHeads = 12;  // of all six models
constexpr double kLeastOwnMegaflops = 1e-3;
constexpr double kLeastOwnMebibytes = 1e-2;
constexpr double kLeastOwnShare = 1e-3;  // of a module's bytes; less is rounding

enum Source {
  kBatch,
  kSequence,
  kFlops,
  kBytes,
  kCpu,
  kRam,
  kGpu,
  kGpuMemory,
  kClock,
  kMemoryClock,
  kSeconds,
  kCounter
};

struct Node {
  std::string model, scope, parent_scope, kind, origin;
  NodeLevel level = NodeLevel::kOp;
  bool parent_is_scope = false;
  std::array<double, kIreneColumns.size()> source{};
  double joules = 0;
  std::size_t depth = 0;
  std::vector<std::size_t> children;
};

// "encoder.layer.0.output:BertOutput" less the list components.
std::string scope_of(std::string_view name) {
  std::string scope;
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    if (part != "layer" && part != "h") scope += (scope.empty() ? "" : ".") + std::string(part);
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  }
  return scope;
}

std::vector<Node> read_nodes(const std::string& folder, MeasurementSet& set) {
  struct File {
    const char* name;
    NodeLevel level;
    bool parent_is_scope;
  };
  std::vector<Node> nodes;
  for (const File& file :
       {File{"model_level_features.csv", NodeLevel::kModel, false},
        File{"module_level_features.csv", NodeLevel::kModule, false},
        File{"ml1_level_features.csv", NodeLevel::kOp, false}, File{"ml2_level_features.csv", NodeLevel::kOp, true}}) {
    const std::string path = folder + "/" + file.name;
    const files::FileBytes bytes = files::read_file(path);
    const Csv csv(bytes.text(), path);
    std::array<std::size_t, kIreneColumns.size()> columns{};
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = csv.required_column(kIreneColumns[i]);
    const std::size_t energy = csv.required_column("energy_mean");
    const std::size_t name = csv.required_column("level_name");
    const std::size_t model = csv.required_column("model_name");
    for (const Csv::Row& row : csv.rows()) {
      Node node;
      node.model = row.cells[model];
      node.origin = csv.place(row);
      node.level = file.level;
      node.parent_is_scope = file.parent_is_scope;
      for (std::size_t i = 0; i < columns.size(); ++i) node.source[i] = csv.number(row, columns[i]);
      node.joules = csv.number(row, energy);
      if (node.model.find("tiny-ctrl") != std::string::npos) {
        set.excluded.push_back({node.origin, "tiny-ctrl is not one of the six models"});
        continue;
      }
      if (!(node.joules > 0)) {
        set.excluded.push_back({node.origin, "energy is not above zero"});
        continue;
      }
      if (file.level == NodeLevel::kModel) {
        node.kind = "model";
      } else {
        const std::size_t colon = row.cells[name].find(':');
        if (colon == std::string::npos) throw MeasurementError(node.origin + ": level_name is not 'scope:Class'");
        node.kind = row.cells[name].substr(colon + 1);
        node.scope = scope_of(std::string_view(row.cells[name]).substr(0, colon));
        const std::size_t last = node.scope.rfind('.');
        node.parent_scope =
            file.parent_is_scope ? node.scope : node.scope.substr(0, last == std::string::npos ? 0 : last);
        node.depth = 1 + static_cast<std::size_t>(std::count(node.scope.begin(), node.scope.end(), '.'));
      }
      nodes.push_back(std::move(node));
    }
  }
  return nodes;
}

using Run = std::tuple<std::string, double, double>;  // model, batch, sequence

// Children by scope; runs without a model row are left out.
std::vector<Node> linked(std::vector<Node> nodes, MeasurementSet& set) {
  const auto run_of = [](const Node& node) { return Run(node.model, node.source[kBatch], node.source[kSequence]); };
  std::map<Run, bool> has_root;
  for (const Node& node : nodes) has_root[run_of(node)] |= node.level == NodeLevel::kModel;
  std::vector<Node> kept;
  for (Node& node : nodes) {
    if (has_root[run_of(node)]) {
      kept.push_back(std::move(node));
    } else {
      set.excluded.push_back({node.origin, "its run has no model row"});
    }
  }
  std::stable_sort(kept.begin(), kept.end(), [](const Node& a, const Node& b) {
    const auto key = [](const Node& n) {
      return std::pair(n.level, n.level == NodeLevel::kOp ? 0 : -static_cast<int>(n.depth));
    };
    return key(a) < key(b);
  });
  std::map<std::pair<Run, std::string>, std::size_t> by_scope;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i].parent_is_scope) by_scope[{run_of(kept[i]), kept[i].scope}] = i;
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].level == NodeLevel::kModel) continue;
    const auto parent = by_scope.find({run_of(kept[i]), kept[i].parent_scope});
    if (parent == by_scope.end()) throw MeasurementError(kept[i].origin + ": no module '" + kept[i].parent_scope + "'");
    kept[parent->second].children.push_back(i);
  }
  return kept;
}

std::uint64_t bytes_of(double mebibytes) {
  return static_cast<std::uint64_t>(std::llround(mebibytes * kMebi));
}

void take(Measurement& m, const graph::OpNode& op) {
  m.kind = op.kind;
  m.op_class = op.op_class == OpClass::kUnknown ? class_of(op.kind) : op.op_class;
  m.facts = op.facts;
}

// Of the ops that the files describe by their bytes alone; lookups compute nothing.
std::uint64_t transistor_ops(const graph::OpContext& context, OpKind kind, std::uint64_t elements) {
  if (kind == OpKind::kLayerNorm) {
    graph::NormalisationParams params;
    params.elements = elements, params.groups = context.tokens;
    return graph::normalisation(context, params).facts[Fact::kTransistorOps];
  }
  if (kind == OpKind::kTanh) {
    graph::ElementwiseParams params;
    params.kind = kind;
    params.output.elements = elements;
    params.inputs = {params.output};
    return graph::elementwise(context, params).facts[Fact::kTransistorOps];
  }
  return 0;
}

void describe_op(Measurement& m, const Node& node) {
  const auto batch = static_cast<std::uint64_t>(node.source[kBatch]);
  const auto sequence = static_cast<std::uint64_t>(node.source[kSequence]);
  graph::OpContext context;
  context.name = node.origin;
  context.tokens = batch * sequence;
  context.sequence = sequence;
  if (node.kind == "Linear" || node.kind == "Conv1D") {
    const bool conv1d = node.kind == "Conv1D";
    const ProductSizes sizes =
        decode_product(conv1d, node.source[kBatch], node.source[kSequence], node.source[kFlops], node.source[kBytes]);
    graph::DenseParams params;
    params.m = sizes.m, params.n = sizes.n, params.k = sizes.k;
    take(m, graph::dense(context, params));
    if (conv1d) m.kind = OpKind::kConv1d;  // GPT's: a product with the weight stored the other way round
    return;
  }
  if (node.kind == "MatMul") {
    // Both rows of a pair hold the mean of Q*K' and A*V.
    const auto depth = static_cast<std::uint64_t>(
        std::llround(node.source[kFlops] * 1e6 / (2.0 * static_cast<double>(batch * sequence * sequence * kHeads))));
    graph::BatchMatmulParams scores;
    scores.products = batch * kHeads, scores.m = sequence, scores.n = sequence, scores.k = depth;
    graph::BatchMatmulParams values = scores;
    values.n = depth, values.k = sequence;
    auto parts = std::make_shared<std::vector<Part>>();
    for (const auto& params : {scores, values}) {
      take(m, graph::batch_matmul(context, params));
      parts->push_back({m.kind, m.op_class, m.data_type, m.facts, 0.5});
    }
    m.parts = std::move(parts);
    return;
  }
  if (node.kind == "Softmax") {
    context.batch = batch;
    take(m, graph::softmax(context, OpKind::kSoftmax, batch * kHeads * sequence, sequence, DataType::kFloat32));
    return;
  }
  if (node.kind == "LayerNorm") {
    m.kind = OpKind::kLayerNorm;
  } else if (node.kind == "Embedding") {
    m.kind = OpKind::kEmbedding;
  } else if (node.kind == "Tanh") {
    m.kind = OpKind::kTanh;
  } else {
    throw MeasurementError(node.origin + ": op class '" + node.kind + "' is not one of IrEne's");
  }
  m.op_class = class_of(m.kind);
  const std::uint64_t bytes = bytes_of(node.source[kBytes]);
  m.facts.set(Fact::kBatch, batch).set(Fact::kTokens, batch * sequence).set(Fact::kSequence, sequence);
  m.facts.set(Fact::kInputBytes, bytes / 2).set(Fact::kOutputBytes, bytes - bytes / 2);
  m.facts.set(Fact::kStatedAlu, static_cast<std::uint64_t>(std::llround(node.source[kFlops] * 1e6)));
  m.facts.set(Fact::kTransistorOps, transistor_ops(context, m.kind, m.facts[Fact::kOutputBytes] / sizeof(float)));
}

void describe_module(Measurement& m, const Node& node, const std::vector<Node>& nodes) {
  const double batch = node.source[kBatch], sequence = node.source[kSequence];
  double own_bytes = node.source[kBytes], own_flops = node.source[kFlops];
  double softmax = 0, products = 0;
  for (const std::size_t child : node.children) {
    own_bytes -= nodes[child].source[kBytes];
    own_flops -= nodes[child].source[kFlops];
    if (nodes[child].kind == "Softmax") softmax += nodes[child].source[kBytes];
    if (nodes[child].kind == "MatMul") products += nodes[child].source[kFlops];
  }
  m.kind = node.level == NodeLevel::kModel ? OpKind::kModel : OpKind::kModule;
  m.op_class = OpClass::kModule;
  own_bytes = own_bytes < kLeastOwnMebibytes ? 0 : own_bytes;
  own_flops = own_flops < kLeastOwnMegaflops ? 0 : own_flops;
  m.facts.set(Fact::kBatch, static_cast<std::uint64_t>(batch))
      .set(Fact::kTokens, static_cast<std::uint64_t>(batch * sequence))
      .set(Fact::kSequence, static_cast<std::uint64_t>(sequence))
      .set(Fact::kOwnBytes, bytes_of(own_bytes))
      .set(Fact::kOwnMacs, static_cast<std::uint64_t>(std::llround(own_flops * 1e6 / 2)));
  if (softmax > 0) {
    // Two products of 2*b*s*s*width FLOPs each: what attention writes is b*s*width floats.
    m.facts.set(Fact::kSoftmaxBytes, bytes_of(softmax))
        .set(Fact::kAttentionBytes, static_cast<std::uint64_t>(std::llround(products * 1e6 / (4 * sequence) * 4)));
  }
}

double own_share(const Measurement& m, const Node& node) {
  return static_cast<double>(m.facts[Fact::kOwnBytes]) / (node.source[kBytes] * kMebi);
}

}  // namespace

ProductSizes decode_product(bool is_conv1d, double batch, double sequence, double megaflops, double mebibytes) {
  const double flops = megaflops * 1e6, words = mebibytes * kMebi / 4;
  const auto whole = [](double value) { return static_cast<std::uint64_t>(std::llround(value)); };
  // m rows, 2*m*n*k FLOPs, n*k + m*(n + k) words; the wider side counts as n.
  const auto two_sided = [&](double m) {
    const double product = flops / (2 * m), sum = (words - product) / m;
    const double n = (sum + std::sqrt(std::max(sum * sum - 4 * product, 0.0))) / 2;
    return ProductSizes{whole(m), whole(n), whole(product / n)};
  };
  const double m = batch * sequence;
  if (is_conv1d) return two_sided(m);
  // Linear on three dimensions is counted with its bias, its weights once per batch and
  // its output three times: m*n*(2k+1) FLOPs, batch*n*k + m*k + 3*m*n words.
  const double per_row = flops / m;
  const double a = 3 * m - batch / 2, b = batch * per_row / 2 - m / 2 - words, c = m * per_row / 2;
  const double discriminant = b * b - 4 * a * c;
  ProductSizes best;
  double best_error = 1e-6;
  for (const double sign : {1.0, -1.0}) {
    const double n = discriminant < 0 ? 0 : std::round((-b + sign * std::sqrt(discriminant)) / (2 * a));
    if (n < 1) continue;
    const double k = (per_row / n - 1) / 2;
    if (k <= 0.5) continue;
    const double error = std::abs(batch * n * k + m * k + 3 * m * n - words) / words + std::abs(k - std::round(k));
    if (error < best_error) best_error = error, best = {whole(m), whole(n), whole(k)};
  }
  return best_error < 1e-6 ? best : two_sided(batch);  // the pooler sees one row per sample
}

MeasurementSet import_irene(const std::string& folder) {
  MeasurementSet set;
  set.boundary = BoundaryKind::kWholeMachine;
  set.boundary_description = "the whole machine at its plug";
  set.baseline = BaselineKind::kTotal;
  set.board = "desktop machine with one GPU (IrEne device 1)";
  set.runtime = "PyTorch";
  set.backend = "cuda";
  set.engine = "gpu";
  set.engine_kind = EngineKind::kGpu;
  set.source = "StonyBrookNLP/irene, branch original, datasets/device_1";
  set.licence = "released with the ACL 2021 paper";
  set.protocol = "every op, module and model on its own, repeated for about 20 seconds; joules per call";

  const std::vector<Node> nodes = linked(read_nodes(folder, set), set);
  using Same = std::tuple<Run, NodeLevel, std::string, std::int64_t, std::int64_t, double>;
  std::map<Same, std::size_t> merged;
  std::vector<std::size_t> place(nodes.size());
  const auto rounded = [](double value) { return std::llround(value * 1e5); };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const Run run(node.model, node.source[kBatch], node.source[kSequence]);
    const bool is_op = node.level == NodeLevel::kOp;
    const Same same(run, node.level, node.kind, is_op ? rounded(node.source[kFlops]) : 0,
                    is_op ? rounded(node.source[kBytes]) : 0, node.joules);
    const auto [entry, is_new] = merged.emplace(same, set.measurements.size());
    place[i] = entry->second;
    if (!is_new) {
      set.measurements[place[i]].weight += 1;
      continue;
    }
    Measurement m;
    m.data_type = DataType::kFloat32;
    m.level = node.level;
    m.model = m.group = node.model;
    m.family = node.model.find("gpt") != std::string::npos ? "gpt" : "bert";
    m.origin = node.origin;
    m.energy_joules = node.joules;
    m.time_seconds = node.source[kSeconds];
    m.counter_joules = node.source[kCounter];
    m.utilisation = node.source[kGpu] / 100;
    m.memory_utilisation = node.source[kGpuMemory] / 100;
    m.source_columns.assign(node.source.begin(), node.source.end());
    if (is_op) {
      describe_op(m, node);
    } else {
      describe_module(m, node, nodes);
      std::map<std::size_t, double> children;
      for (const std::size_t child : node.children) children[place[child]] += 1;
      for (const auto& [index, count] : children) m.children.push_back({index, count});
      std::vector<graph::ChildKind> kinds;
      for (const Child& child : m.children) {
        const Measurement& below = set.measurements[child.index];
        kinds.push_back({below.kind, below.op_class, static_cast<std::uint64_t>(child.count)});
      }
      graph::describe_structure(kinds, m.level == NodeLevel::kModel, own_share(m, node) > kLeastOwnShare, m.facts);
    }
    set.measurements.push_back(std::move(m));
  }
  return set;
}

}  // namespace edgejoule::measurements
