// stand_in_runtime: what trtexec is on a Jetson, for tests. It reads a real model file,
// fuses activations into the products before them, really computes every layer, and writes
// the files that trtexec writes, as trtexec writes them. What it "drew" is computed from a
// law that nobody else reads, and put where a test finds it (--meter, joules of the run), or on
// a rail: the current of a made-up hwmon channel at 5 V, as long as it runs.
//
//   stand_in_runtime --model=F --iterations=N --law=F [--meter=F] [--rail=F] [--useDLACore=0]
//     [--exportTimes=F] [--exportProfile=F] [--exportLayerInfo=F]
//
// The law: lines of "KIND launch per_mac per_byte" in joules; "load" has one number, "noise"
// a share and a seed, "watts" what the engine draws at most while it runs: on a rail it takes
// the time for that.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "edgejoule/core/graph.h"
#include "import/import.h"
#include "workloads/workload.h"

namespace {

using namespace edgejoule;
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::map<std::string, std::string> values;

  [[nodiscard]] const std::string& at(const std::string& key) const {
    const auto found = values.find(key);
    if (found == values.end()) throw std::runtime_error("--" + key + " is missing");
    return found->second;
  }
  [[nodiscard]] bool has(const std::string& key) const { return values.count(key) != 0; }
};

struct LayerLaw {
  double launch = 0, per_mac = 0, per_byte = 0;
};

struct Law {
  std::map<std::string, LayerLaw> kinds;
  double load = 0, noise = 0, watts = 5;
  unsigned seed = 0;
};

Law read_law(const std::string& path) {
  Law law;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "load") {
      words >> law.load;
    } else if (name == "watts") {
      words >> law.watts;
    } else if (name == "noise") {
      words >> law.noise >> law.seed;
    } else {
      words >> law.kinds[name].launch >> law.kinds[name].per_mac >> law.kinds[name].per_byte;
    }
  }
  return law;
}

// Nodes of the model that run as one.
struct Layer {
  std::vector<std::uint32_t> nodes;
  std::string name, metadata, type;
  double joules = 0, seconds = 0;
};

double macs_of(const Facts& f, OpKind kind) {
  const auto n = [&f](Fact fact) { return static_cast<double>(f[fact]); };
  if (kind == OpKind::kDense) return n(Fact::kBatch) * n(Fact::kRowsM) * n(Fact::kDepthK) * n(Fact::kColsN);
  if (kind != OpKind::kConv2d && kind != OpKind::kDepthwiseConv2d) return 0;
  return n(Fact::kOutH) * n(Fact::kOutW) * n(Fact::kOutC) * n(Fact::kInC) / n(Fact::kGroups) * n(Fact::kKernelH) *
         n(Fact::kKernelW);
}

bool is_product(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d || kind == OpKind::kDense;
}

// What a layer draws: a fused one writes only what its last op makes; a DLA's subgraph is
// charged for every tensor of every op.
double joules_of(const Layer& layer, const GraphView& view, const Law& law, bool is_dla) {
  double macs = 0;
  double bytes = 0;
  for (std::size_t i = 0; i < layer.nodes.size(); ++i) {
    const Facts f = view.facts(layer.nodes[i]);
    macs += macs_of(f, view.kind(layer.nodes[i]));
    bytes += static_cast<double>(f[Fact::kWeightBytes]);
    if (is_dla || i == 0) bytes += static_cast<double>(f[Fact::kInputBytes]);
    if (is_dla || i + 1 == layer.nodes.size()) bytes += static_cast<double>(f[Fact::kOutputBytes]);
  }
  const std::string kind(is_dla ? "subgraph" : name_of(view.kind(layer.nodes.front())));
  const LayerLaw& of_kind = law.kinds.at(kind);
  return of_kind.launch + of_kind.per_mac * macs + of_kind.per_byte * bytes;
}

std::vector<Layer> layers_of(const GraphView& view, bool is_dla) {
  std::vector<Layer> layers;
  for (std::uint32_t i = 0; i < view.size(); ++i) {
    if (view.is_module_node(i)) continue;
    const std::string name(view.name(i));
    const bool joins = !layers.empty() &&
                       (is_dla || (view.kind(i) == OpKind::kRelu && is_product(view.kind(layers.back().nodes.back()))));
    if (!joins) layers.emplace_back();
    Layer& layer = layers.back();
    layer.name += layer.nodes.empty() ? name : " + " + name;
    layer.metadata += (layer.nodes.empty() ? "" : "\\u001e") + fmt::format("[ONNX Layer: {}]", name);
    layer.type = is_product(view.kind(i)) ? "CaskConvolution" : "PointWiseV2";
    layer.nodes.push_back(i);
  }
  if (is_dla) {
    Layer& all = layers.front();
    const std::string first(view.name(all.nodes.front()));
    const std::string last(view.name(all.nodes.back()));
    all.name = all.nodes.size() == 1 ? fmt::format("{{ForeignNode[{}]}}", first)
                                     : fmt::format("{{ForeignNode[{}...{}]}}", first, last);
    all.metadata.clear();
    all.type = "DLA";
  }
  return layers;
}

struct Instants {
  double begin_ms = 0, end_ms = 0;
};

void write_times(const std::string& path, const std::vector<Instants>& inferences) {
  std::ofstream os(path, std::ofstream::trunc);
  os << "[" << std::endl;
  const char* sep = "  ";
  for (const Instants& t : inferences) {
    const double ms = t.end_ms - t.begin_ms;
    os << sep << "{ ";
    sep = ", ";
    os << "\"startEnqMs\" : " << t.begin_ms << sep << "\"endEnqMs\" : " << t.begin_ms << sep
       << "\"startH2dMs\" : " << t.begin_ms << sep << "\"endH2dMs\" : " << t.begin_ms << sep
       << "\"startComputeMs\" : " << t.begin_ms << sep << "\"endComputeMs\" : " << t.end_ms << sep
       << "\"startD2hMs\" : " << t.end_ms << sep << "\"endD2hMs\" : " << t.end_ms << sep << "\"h2dMs\" : " << 0 << sep
       << "\"computeMs\" : " << ms << sep << "\"d2hMs\" : " << 0 << sep << "\"latencyMs\" : " << ms << sep
       << "\"endToEndMs\" : " << ms << " }" << std::endl;
  }
  os << "]" << std::endl;
}

void write_profile(const std::string& path, const std::vector<Layer>& layers, std::uint64_t count) {
  std::ofstream os(path, std::ofstream::trunc);
  double total = 0;
  for (const Layer& layer : layers) total += layer.seconds;
  os << "[" << std::endl << "  { \"count\" : " << count << " }" << std::endl;
  for (const Layer& layer : layers) {
    os << ", { \"name\" : \"" << layer.name << "\", \"timeMs\" : " << layer.seconds * 1e3
       << ", \"averageMs\" : " << layer.seconds * 1e3 / static_cast<double>(count)
       << ", \"percentage\" : " << layer.seconds / total * 100 << " }" << std::endl;
  }
  os << "]" << std::endl;
}

void write_layers(const std::string& path, const std::vector<Layer>& layers) {
  std::ofstream os(path, std::ofstream::trunc);
  os << "{\"Layers\": [";
  const char* sep = "";
  for (const Layer& layer : layers) {
    os << sep << "{\n  \"Name\": \"" << layer.name << "\",\n  \"LayerType\": \"" << layer.type
       << "\",\n  \"Inputs\": [],\n  \"Outputs\": [],\n  \"TacticValue\": \"0x0000000000000000\",\n"
       << "  \"StreamId\": 0,\n  \"Metadata\": \"" << layer.metadata << "\"\n}";
    sep = ",";
  }
  os << "],\n\"Bindings\": [\"in\"\n]}\n";
}

// The current of a rail behind a filter, in whole milliamperes. What it shows adds up to the joules drawn however
// late a busy processor lets it show something: what was shown too long is shown less of later. Four digits overwrite
// four digits, so that a reader never meets half a number.
class Rail {
 public:
  explicit Rail(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)), paced_until_(Clock::now()) {
    if (fd_ < 0) throw std::runtime_error(path + " cannot be written");
  }
  Rail(const Rail&) = delete;
  Rail& operator=(const Rail&) = delete;
  ~Rail() {
    for (update(); watts_ > kNothingWatts; update()) std::this_thread::sleep_for(kEvery);
    show(0);
    ::close(fd_);
  }

  // Joules of work just done, which at this power took until now or take a moment longer.
  void drew(double joules, double at_watts) {
    owed_ += joules;
    // Where it was slower, what is lost is not made up for.
    paced_until_ = std::max(paced_until_ + duration(joules / at_watts), Clock::now());
    while (paced_until_ - Clock::now() > kEvery / 2) {
      std::this_thread::sleep_until(std::min(paced_until_, shown_at_ + kEvery));
      update();
    }
    if (Clock::now() - shown_at_ >= kEvery) update();
  }

 private:
  static constexpr Clock::duration kEvery = std::chrono::milliseconds(2);
  static constexpr double kFilterSeconds = 0.01;
  static constexpr double kVolts = 5, kIdleWatts = 6, kNothingWatts = 0.01;

  static Clock::duration duration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  void update() {
    const Clock::time_point now = Clock::now();
    owed_ -= watts_ * std::chrono::duration<double>(now - shown_at_).count();
    shown_at_ = now;
    show(owed_ / kFilterSeconds);
  }
  void show(double watts) {
    const long milliamperes = std::clamp(std::lround(1e3 * (kIdleWatts + watts) / kVolts), 1000L, 9999L);
    const std::string text = fmt::format("{:04}", milliamperes);
    if (::pwrite(fd_, text.data(), text.size(), 0) != 4) throw std::runtime_error("the rail cannot be written");
    watts_ = 1e-3 * static_cast<double>(milliamperes) * kVolts - kIdleWatts;
  }

  int fd_;
  Clock::time_point paced_until_, shown_at_ = Clock::now();
  double owed_ = 0;   // joules drawn and not shown yet
  double watts_ = 0;  // that are shown
};

int run(const Arguments& arguments) {
  const files::FileBytes bytes = import::import_model(arguments.at("model"));
  const Result<GraphView> view = GraphView::open(bytes.span());
  if (!view) throw std::runtime_error(error_text(view.error()));
  const Law law = read_law(arguments.at("law"));
  const bool is_dla = arguments.has("useDLACore");
  std::vector<Layer> layers = layers_of(*view, is_dla);
  std::vector<std::vector<std::unique_ptr<workloads::Kernel>>> kernels;
  for (Layer& layer : layers) {
    layer.joules = joules_of(layer, *view, law, is_dla);
    kernels.emplace_back();
    for (const std::uint32_t node : layer.nodes) {
      workloads::Workload workload;
      workload.name = view->name(node);
      workload.op.kind = view->kind(node);
      workload.op.op_class = view->op_class(node);
      workload.op.data_type = view->data_type(node);
      workload.op.weight_type = view->weight_type(node);
      workload.op.facts = view->facts(node);
      kernels.back().push_back(workloads::prepare(workload));
    }
  }

  const std::uint64_t iterations = std::stoull(arguments.at("iterations"));
  const Clock::time_point start = Clock::now();
  const auto since = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  std::vector<Instants> inferences;
  double joules = law.load;
  std::unique_ptr<Rail> rail;
  if (arguments.has("rail")) {
    rail = std::make_unique<Rail>(arguments.at("rail"));
    rail->drew(law.load, law.watts);
  }
  for (std::uint64_t i = 0; i < iterations; ++i) {
    const double begin = since();
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      const double before = since();
      for (const auto& kernel : kernels[layer]) kernel->run(1);
      layers[layer].seconds += since() - before;
    }
    double drew = 0;
    for (const Layer& layer : layers) drew += layer.joules;
    joules += drew;
    if (rail) rail->drew(drew, law.watts);
    inferences.push_back({begin * 1e3, since() * 1e3});
  }
  rail.reset();
  // A meter's gain is off by another bit in every run.
  const std::string model = std::filesystem::path(arguments.at("model")).filename().string();
  std::mt19937 random(law.seed + static_cast<unsigned>(std::hash<std::string>()(model) + iterations));
  joules *= 1 + law.noise * std::normal_distribution<double>()(random);

  if (arguments.has("meter")) std::ofstream(arguments.at("meter")) << fmt::format("{}\n", joules);
  if (arguments.has("exportTimes")) write_times(arguments.at("exportTimes"), inferences);
  if (arguments.has("exportProfile")) write_profile(arguments.at("exportProfile"), layers, iterations);
  if (arguments.has("exportLayerInfo")) write_layers(arguments.at("exportLayerInfo"), layers);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::size_t equals = word.find('=');
    if (word.rfind("--", 0) == 0 && equals != std::string::npos) {
      arguments.values[word.substr(2, equals - 2)] = word.substr(equals + 1);
    }
  }
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "stand_in_runtime: {}\n", error.what());
    return 1;
  }
}
