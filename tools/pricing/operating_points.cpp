#include "pricing/operating_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "pricing/table_objects.h"
#include "text/escape.h"

namespace edgejoule::pricing {
namespace {

using wire::OperatingPointT;

constexpr std::array<float OperatingPointT::*, 3> kClocks = {&OperatingPointT::cpu_mhz, &OperatingPointT::gpu_mhz,
                                                             &OperatingPointT::memory_mhz};
using Wanted = std::array<std::optional<double>, 3>;

// Where `at` lies between a and b: 0 at a, 1 at b; nothing where they do not differ.
std::optional<double> place(double a, double b, double at) {
  if (a == b) return std::nullopt;
  return (at - a) / (b - a);
}

double mix(double a, double b, double share) {
  return a + share * (b - a);
}

// The shares of point b by which quantities of the new point are mixed.
struct Shares {
  double clock = 0;                  // of the clock asked for that differs most
  double joules = 0, statics = 0;    // by voltage
  double arithmetic = 0, bytes = 0;  // of times, by period
};

bool encloses(const OperatingPointT& a, const OperatingPointT& b, const Wanted& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    const auto low = static_cast<double>(a.*kClocks[i]), high = static_cast<double>(b.*kClocks[i]);
    if (low <= 0 || high <= 0 || *wanted[i] < std::min(low, high) || *wanted[i] > std::max(low, high)) return false;
  }
  return true;
}

double distance(const OperatingPointT& a, const OperatingPointT& b) {
  double sum = 0;
  for (const auto clock : kClocks) {
    if (a.*clock > 0 && b.*clock > 0) sum += std::fabs(std::log(static_cast<double>(a.*clock / b.*clock)));
  }
  return sum;
}

double share_of_period(const OperatingPointT& a, const OperatingPointT& b, float OperatingPointT::*clock, double at,
                       double otherwise) {
  if (!(a.*clock > 0) || !(b.*clock > 0) || !(at > 0)) return otherwise;
  return place(1 / static_cast<double>(a.*clock), 1 / static_cast<double>(b.*clock), 1 / at).value_or(otherwise);
}

bool is_of_bytes(wire::Feature feature) {
  switch (feature) {
    case wire::Feature::input_bytes:
    case wire::Feature::output_bytes:
    case wire::Feature::activation_bytes:
    case wire::Feature::weight_bytes:
    case wire::Feature::unique_weight_bytes:
    case wire::Feature::scale_bytes:
    case wire::Feature::tensor_bytes:
    case wire::Feature::dram_bytes:
    case wire::Feature::patch_bytes:
    case wire::Feature::softmax_bytes:
    case wire::Feature::own_bytes:
    case wire::Feature::attention_bytes: return true;
    default: return false;
  }
}

bool same_key(const wire::RowT& a, const wire::RowT& b) {
  return a.level == b.level && a.kind == b.kind && a.op_class == b.op_class && a.data_type == b.data_type &&
         a.engine == b.engine;
}

bool same_term(const wire::TermT& a, const wire::TermT& b) {
  return a.feature == b.feature && a.tile_m == b.tile_m && a.tile_n == b.tile_n && a.tile_k == b.tile_k;
}

// Sums of terms under the same conditions can be mixed term by term; products only where their terms are the same.
bool same_form(const wire::RowT& a, const wire::RowT& b) {
  if (a.member != b.member || a.form != b.form || a.conditions.size() != b.conditions.size() ||
      a.correction != nullptr || b.correction != nullptr) {
    return false;
  }
  for (std::size_t i = 0; i < a.conditions.size(); ++i) {
    const wire::ConditionT &x = *a.conditions[i], &y = *b.conditions[i];
    if (x.feature != y.feature || x.min != y.min || x.max != y.max) return false;
  }
  if (a.form == wire::RowForm::linear) return true;
  return a.terms.size() == b.terms.size() && std::equal(a.terms.begin(), a.terms.end(), b.terms.begin(),
                                                        [](const auto& x, const auto& y) { return same_term(*x, *y); });
}

bool same_forms(const std::vector<const wire::RowT*>& a, const std::vector<const wire::RowT*>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto* x, const auto* y) { return same_form(*x, *y); });
}

// What a row of one calibrated point is multiplied by at another.
struct Factors {
  double joules = 1, statics = 1;    // by voltage
  double arithmetic = 1, bytes = 1;  // of times, by period
};

double in_base_unit(float coefficient, wire::Unit unit) {
  return static_cast<double>(coefficient) * static_cast<double>(scale_of(static_cast<Unit>(unit)));
}

// In the unit of the first.
float mixed(float a, wire::Unit unit_a, float b, wire::Unit unit_b, double share) {
  const auto scale = static_cast<double>(scale_of(static_cast<Unit>(unit_a)));
  return static_cast<float>(mix(in_base_unit(a, unit_a), in_base_unit(b, unit_b), share) / scale);
}

void widen(std::unique_ptr<wire::ResidualT>& residual, const std::unique_ptr<wire::ResidualT>& other) {
  if (residual == nullptr || other == nullptr) {
    residual = nullptr;
    return;
  }
  const std::uint32_t groups = std::min(residual->groups, other->groups);
  if (other->shared_sigma + other->independent_sigma > residual->shared_sigma + residual->independent_sigma) {
    *residual = *other;
  }
  residual->groups = groups;
}

bool is_of_time(wire::Feature feature) {
  return feature == wire::Feature::time || feature == wire::Feature::utilisation_time;
}

// The narrower of two bounds is where both were fitted.
void narrow(wire::TermT& term, const wire::TermT& other) {
  if (other.min) term.min = term.min ? std::max(*term.min, *other.min) : *other.min;
  if (other.max) term.max = term.max ? std::min(*term.max, *other.max) : *other.max;
}

std::unique_ptr<wire::RowT> row_between(const wire::RowT& a, const wire::RowT& b, const Shares& shares,
                                        std::uint8_t point) {
  auto row = std::make_unique<wire::RowT>(a);
  row->operating_point = point;
  row->intercept =
      static_cast<float>(mix(static_cast<double>(a.intercept), static_cast<double>(b.intercept), shares.joules));
  row->children_gain = static_cast<float>(
      mix(static_cast<double>(a.children_gain), static_cast<double>(b.children_gain), shares.joules));
  const auto find = [](const wire::RowT& in, const wire::TermT& term) -> const wire::TermT* {
    for (const auto& other : in.terms) {
      if (same_term(*other, term)) return other.get();
    }
    return nullptr;
  };
  for (const auto& term : b.terms) {
    if (find(a, *term) != nullptr) continue;
    auto missing = std::make_unique<wire::TermT>(*term);
    missing->coefficient = missing->time_coefficient = 0;
    row->terms.push_back(std::move(missing));
  }
  for (const auto& term : row->terms) {
    const wire::TermT* const other = find(b, *term);
    const wire::TermT none;
    const wire::TermT& of_b = other != nullptr ? *other : none;
    if (other != nullptr && find(a, *term) != nullptr) narrow(*term, *other);
    term->coefficient = mixed(term->coefficient, term->unit, of_b.coefficient, of_b.unit,
                              is_of_time(term->feature) ? shares.statics : shares.joules);
    term->time_coefficient = mixed(term->time_coefficient, term->time_unit, of_b.time_coefficient, of_b.time_unit,
                                   is_of_bytes(term->feature) ? shares.bytes : shares.arithmetic);
  }
  widen(row->residual, b.residual);
  widen(row->time_residual, b.time_residual);
  return row;
}

std::unique_ptr<wire::RowT> scaled_row(const wire::RowT& from, const Factors& factors, std::uint8_t point) {
  auto row = std::make_unique<wire::RowT>(from);
  row->operating_point = point;
  if (row->form == wire::RowForm::log2) row->intercept += static_cast<float>(std::log2(factors.joules));
  for (const auto& term : row->terms) {
    if (row->form == wire::RowForm::linear && term->unit != wire::Unit::ratio) {
      term->coefficient *= static_cast<float>(is_of_time(term->feature) ? factors.statics : factors.joules);
    }
    term->time_coefficient *= static_cast<float>(is_of_bytes(term->feature) ? factors.bytes : factors.arithmetic);
  }
  return row;
}

std::string known_points(const wire::CoefficientTableT& table) {
  std::string known;
  for (const auto& point : table.operating_points) {
    if (point->interpolated) continue;
    known += fmt::format("{}{} (cpu={:g},gpu={:g},memory={:g})", known.empty() ? "" : ", ",
                         text::printable(point->name), point->cpu_mhz, point->gpu_mhz, point->memory_mhz);
  }
  return known.empty() ? "it has none" : "it has " + known;
}

}  // namespace

std::optional<Clocks> parse_clocks(std::string_view text) {
  if (text.find('=') == std::string_view::npos) return std::nullopt;
  Clocks clocks;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    std::optional<double>* const clock = key == "cpu"      ? &clocks.cpu
                                         : key == "gpu"    ? &clocks.gpu
                                         : key == "memory" ? &clocks.memory
                                                           : nullptr;
    const std::string_view number = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    double mhz = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), mhz);
    if (clock == nullptr || *clock || error != std::errc() || end != number.data() + number.size() || !(mhz > 0) ||
        !std::isfinite(mhz)) {
      throw OperatingPointError(
          fmt::format("'{}': clocks are written cpu=MHZ,gpu=MHZ,memory=MHZ, each at most once", text::printable(text)));
    }
    *clock = mhz;
  }
  return clocks;
}

InterpolatedTable interpolate(const files::FileBytes& bytes, const Clocks& clocks, const std::string& name) {
  const auto table = unpack_table<OperatingPointError>(bytes, "the table is not valid");
  const Wanted wanted = {clocks.cpu, clocks.gpu, clocks.memory};
  const auto& points = table->operating_points;
  std::size_t first = points.size(), second = points.size();
  for (std::size_t a = 0; a < points.size(); ++a) {
    if (points[a]->interpolated) continue;
    if (encloses(*points[a], *points[a], wanted)) return {bytes, points[a]->name, ""};
    for (std::size_t b = a + 1; b < points.size(); ++b) {
      if (points[b]->interpolated || !encloses(*points[a], *points[b], wanted)) continue;
      if (first == points.size() || distance(*points[a], *points[b]) < distance(*points[first], *points[second])) {
        first = a, second = b;
      }
    }
  }
  if (first == points.size()) {
    throw OperatingPointError(
        fmt::format("no two calibrated operating points of the table enclose {}, and nothing is extrapolated: {}",
                    text::printable(name), known_points(*table)));
  }
  if (points.size() >= kMaxOperatingPoints) {
    throw OperatingPointError(fmt::format("the table has {} operating points, as many as it can", points.size()));
  }
  for (const auto& point : points) {
    if (point->name == name) {
      throw OperatingPointError(fmt::format("the table has an operating point '{}' already", text::printable(name)));
    }
  }
  const OperatingPointT &a = *points[first], &b = *points[second];
  Shares shares;
  double widest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i] || a.*kClocks[i] == b.*kClocks[i]) continue;
    const double width = std::fabs(std::log(static_cast<double>(a.*kClocks[i] / b.*kClocks[i])));
    if (width < widest) continue;
    widest = width;
    shares.clock =
        place(static_cast<double>(a.*kClocks[i]), static_cast<double>(b.*kClocks[i]), *wanted[i]).value_or(0.0);
  }
  auto added = std::make_unique<OperatingPointT>();
  added->name = name;
  added->interpolated = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto clock = kClocks[i];
    const bool stated = a.*clock > 0 && b.*clock > 0;
    const double between = mix(static_cast<double>(a.*clock), static_cast<double>(b.*clock), shares.clock);
    added.get()->*clock = static_cast<float>(wanted[i].value_or(stated ? between : 0.0));
  }
  const auto va = static_cast<double>(a.core_millivolts), vb = static_cast<double>(b.core_millivolts);
  shares.joules = shares.statics = shares.clock;
  if (va > 0 && vb > 0) {
    const double volts = mix(va, vb, shares.clock);
    added->core_millivolts = static_cast<float>(volts);
    shares.joules = place(va * va, vb * vb, volts * volts).value_or(shares.clock);
    shares.statics = place(va, vb, volts).value_or(shares.clock);
  }
  const auto period_share = [&](float OperatingPointT::*clock, double otherwise) {
    return share_of_period(a, b, clock, static_cast<double>(added.get()->*clock), otherwise);
  };
  const double memory_share = period_share(&OperatingPointT::memory_mhz, shares.clock);
  const auto engine_share = [&](std::uint8_t engine) {
    const std::size_t at = engine == kAnyEngine ? 0 : engine;
    const bool gpu = at < table->engines.size() && table->engines[at]->kind == wire::EngineKind::gpu;
    return period_share(gpu ? &OperatingPointT::gpu_mhz : &OperatingPointT::cpu_mhz, shares.clock);
  };

  const auto point = static_cast<std::uint8_t>(points.size());
  const auto factors_from = [&](const OperatingPointT& from, std::uint8_t engine) {
    const auto ratio = [](float value, float of) {
      return value > 0 && of > 0 ? static_cast<double>(value) / static_cast<double>(of) : 1.0;
    };
    const std::size_t at = engine == kAnyEngine ? 0 : engine;
    const bool gpu = at < table->engines.size() && table->engines[at]->kind == wire::EngineKind::gpu;
    const auto clock = gpu ? &OperatingPointT::gpu_mhz : &OperatingPointT::cpu_mhz;
    const double volts = ratio(added->core_millivolts, from.core_millivolts);
    const double period = ratio(from.*clock, added.get()->*clock);
    const bool memory_moves = a.memory_mhz != b.memory_mhz;
    return Factors{volts * volts, volts, period, memory_moves ? ratio(from.memory_mhz, added->memory_mhz) : period};
  };
  std::vector<std::unique_ptr<wire::RowT>> rows;
  std::vector<const wire::RowT*> keys;
  for (const auto& row : table->rows) {
    if (row->operating_point != first && row->operating_point != second) continue;
    if (std::any_of(keys.begin(), keys.end(), [&](const wire::RowT* known) { return same_key(*known, *row); })) {
      continue;
    }
    keys.push_back(row.get());
    std::vector<const wire::RowT*> of_a, of_b;
    for (const auto& other : table->rows) {
      if (!same_key(*other, *row)) continue;
      if (other->operating_point == first) of_a.push_back(other.get());
      if (other->operating_point == second) of_b.push_back(other.get());
    }
    if (same_forms(of_a, of_b)) {
      shares.arithmetic = engine_share(row->engine);
      shares.bytes = a.memory_mhz == b.memory_mhz ? shares.arithmetic : memory_share;
      for (std::size_t i = 0; i < of_a.size(); ++i) rows.push_back(row_between(*of_a[i], *of_b[i], shares, point));
      continue;
    }
    const bool take_a = of_b.empty() || (!of_a.empty() && shares.clock < 0.5);
    const Factors factors = factors_from(take_a ? a : b, row->engine);
    for (const wire::RowT* from : take_a ? of_a : of_b) rows.push_back(scaled_row(*from, factors, point));
  }
  for (auto& row : rows) table->rows.push_back(std::move(row));
  std::vector<wire::StaticTerm> statics;
  for (const wire::StaticTerm& term : table->statics) {
    if (term.operating_point() != first) continue;
    for (const wire::StaticTerm& other : table->statics) {
      if (other.operating_point() != second || other.engine() != term.engine() || other.state() != term.state())
        continue;
      statics.emplace_back(term.engine(), point, term.state(),
                           static_cast<float>(mix(static_cast<double>(term.milliwatts()),
                                                  static_cast<double>(other.milliwatts()), shares.statics)));
    }
  }
  table->statics.insert(table->statics.end(), statics.begin(), statics.end());
  const std::string between = fmt::format("{} and {}", a.name, b.name);
  table->operating_points.push_back(std::move(added));
  return {pack_table<OperatingPointError>(*table, "the interpolated table is not valid"), name, between};
}

}  // namespace edgejoule::pricing
