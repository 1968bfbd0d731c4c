#include "calibration/design.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace edgejoule::calibration {
namespace {

using workloads::Candidate;
using Choice = std::vector<std::size_t>;

class Search {
 public:
  Search(std::span<const Candidate> candidates, const Knowledge& nothing, const DesignRequest& request)
      : candidates_(candidates), nothing_(nothing), request_(request) {}

  // Keys for which there is time: a few well known are worth more than all of them unknown, since the rows of other
  // kinds then stand on something. The most important first.
  [[nodiscard]] std::vector<bool> keys_within(double budget) const {
    std::vector<double> importance(nothing_.key_count(), 0.0);
    double seconds = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      double& of_key = importance[nothing_.key_index(i)];
      of_key = std::max(of_key, candidates_[i].importance);
      seconds += request_.expected_seconds[i] / static_cast<double>(candidates_.size());
    }
    std::vector<std::size_t> keys(importance.size());
    std::iota(keys.begin(), keys.end(), 0);
    std::stable_sort(keys.begin(), keys.end(), [&](auto a, auto b) { return importance[a] > importance[b]; });
    const auto most = static_cast<std::size_t>(budget / (seconds * kFewestOfAKey));
    std::vector<bool> within(keys.size(), false);
    for (std::size_t k = 0; k < std::min(std::max<std::size_t>(most, kFewestKeys), keys.size()); ++k) {
      within[keys[k]] = true;
    }
    return within;
  }

  [[nodiscard]] double seconds(const Choice& choice) const {
    return std::accumulate(choice.begin(), choice.end(), 0.0,
                           [this](double sum, std::size_t i) { return sum + request_.expected_seconds[i]; });
  }

  // Of `allowed`, first one of every key, then whatever teaches most per second.
  [[nodiscard]] Choice greedy(Choice allowed, double budget) const {
    Knowledge knowledge = nothing_;
    Choice chosen;
    for (std::size_t key = 0; key < knowledge.key_count(); ++key) {
      take(best(knowledge, allowed, budget, key), knowledge, allowed, chosen, budget);
    }
    while (take(best(knowledge, allowed, budget, kAnyKey), knowledge, allowed, chosen, budget)) {
    }
    return chosen;
  }

  // Swaps within keys as long as a determinant grows.
  void exchange(Choice& chosen, const Choice& allowed, double budget) const {
    double used = seconds(chosen);
    Choice spare;
    for (const std::size_t i : allowed) {
      if (std::find(chosen.begin(), chosen.end(), i) == chosen.end()) spare.push_back(i);
    }
    for (std::size_t key = 0; key < nothing_.key_count(); ++key) {
      while (exchange_one(key, chosen, spare, budget, used)) {
      }
    }
  }

 private:
  static constexpr std::size_t kFewestOfAKey = 6;  // blocks, of which a row can be fitted
  static constexpr std::size_t kFewestKeys = 4;
  static constexpr std::size_t kAnyKey = static_cast<std::size_t>(-1);
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  // A place in `allowed`.
  [[nodiscard]] std::size_t best(const Knowledge& knowledge, const Choice& allowed, double budget,
                                 std::size_t key) const {
    std::size_t place = kNone;
    double most = 0;
    for (std::size_t p = 0; p < allowed.size(); ++p) {
      const std::size_t i = allowed[p];
      if (key != kAnyKey && knowledge.key_index(i) != key) continue;
      if (request_.expected_seconds[i] > budget) continue;
      const double gain =
          candidates_[i].importance * knowledge.gain(i, request_.block_error) / request_.expected_seconds[i];
      if (place == kNone || gain > most) {
        place = p;
        most = gain;
      }
    }
    return place;
  }

  bool take(std::size_t place, Knowledge& knowledge, Choice& allowed, Choice& chosen, double& budget) const {
    if (place == kNone) return false;
    const std::size_t i = allowed[place];
    allowed.erase(allowed.begin() + static_cast<std::ptrdiff_t>(place));
    knowledge.measured(i, request_.block_error);
    chosen.push_back(i);
    budget -= request_.expected_seconds[i];
    return true;
  }

  [[nodiscard]] Eigen::VectorXd row(std::size_t i) const {
    const std::span<const double> values = nothing_.row(i);
    return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size())) /
           request_.block_error;
  }

  // Fedorov's exchange: swapping i for j multiplies the determinant by
  // (1 + d(j)) (1 - d(i)) + d(i,j)^2 with d(a,b) = a' C b.
  bool exchange_one(std::size_t key, Choice& chosen, Choice& spare, double budget, double& used) const {
    constexpr double kWorthIt = 1 + 1e-6;
    Eigen::MatrixXd information;
    for (const std::size_t i : chosen) {
      if (nothing_.key_index(i) != key) continue;
      const Eigen::VectorXd r = row(i);
      if (information.size() == 0) information = Eigen::MatrixXd::Identity(r.size(), r.size());
      information += r * r.transpose();
    }
    if (information.size() == 0) return false;
    const Eigen::MatrixXd covariance = information.inverse();
    double most = kWorthIt;
    std::size_t* out = nullptr;
    std::size_t* in = nullptr;
    for (std::size_t& i : chosen) {
      if (nothing_.key_index(i) != key) continue;
      const Eigen::VectorXd left = covariance * row(i);
      const double own = row(i).dot(left);
      for (std::size_t& j : spare) {
        if (nothing_.key_index(j) != key) continue;
        if (used - request_.expected_seconds[i] + request_.expected_seconds[j] > budget) continue;
        const Eigen::VectorXd other = row(j);
        const double cross = other.dot(left);
        const double factor = (1 + other.dot(covariance * other)) * (1 - own) + cross * cross;
        if (factor > most) {
          most = factor;
          out = &i;
          in = &j;
        }
      }
    }
    if (out == nullptr) return false;
    used += request_.expected_seconds[*in] - request_.expected_seconds[*out];
    std::swap(*in, *out);
    return true;
  }

  std::span<const Candidate> candidates_;
  const Knowledge& nothing_;
  const DesignRequest& request_;
};

// One of every key in turn, for at most `budget`.
Choice choose_held_out(const Knowledge& knowledge, const std::vector<bool>& keys, const DesignRequest& request,
                       double budget) {
  std::vector<Choice> of_key(knowledge.key_count());
  for (std::size_t i = knowledge.size(); i-- > 0;) {
    if (knowledge.held_out(i) && keys[knowledge.key_index(i)]) of_key[knowledge.key_index(i)].push_back(i);
  }
  Choice out;
  for (bool any = true; any;) {
    any = false;
    for (Choice& left : of_key) {
      if (left.empty()) continue;
      const std::size_t i = left.back();
      left.pop_back();
      any = true;
      if (request.expected_seconds[i] > budget) continue;
      budget -= request.expected_seconds[i];
      out.push_back(i);
    }
  }
  return out;
}

// Held-out candidates spread among the others, each behind the first of its key; those
// of keys that nothing is fitted for are left out.
Choice interleave(const Choice& fitted, Choice held_out, const Knowledge& knowledge) {
  std::vector<bool> known(knowledge.key_count(), false);
  Choice order;
  const std::size_t total = held_out.size();
  std::size_t placed = 0;
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    order.push_back(fitted[i]);
    known[knowledge.key_index(fitted[i])] = true;
    while (placed * fitted.size() < (i + 1) * total) {
      const auto next =
          std::find_if(held_out.begin(), held_out.end(), [&](std::size_t h) { return known[knowledge.key_index(h)]; });
      if (next == held_out.end()) break;
      order.push_back(*next);
      held_out.erase(next);
      ++placed;
    }
  }
  return order;
}

void check(std::size_t candidates, const DesignRequest& request) {
  if (request.expected_seconds.size() != candidates) {
    throw std::invalid_argument(fmt::format("{} expected times for {} candidates: give one for each",
                                            request.expected_seconds.size(), candidates));
  }
  for (const double seconds : request.expected_seconds) {
    if (!(seconds > 0)) throw std::invalid_argument("the expected time of a block must be positive");
  }
  if (!(request.block_error > 0)) throw std::invalid_argument("the expected error of a block must be positive");
  if (!(request.held_out_share >= 0 && request.held_out_share < 1)) {
    throw std::invalid_argument("the share of held-out blocks must be at least 0 and below 1");
  }
}

}  // namespace

Design design(std::span<const Candidate> candidates, const DesignRequest& request) {
  check(candidates.size(), request);
  const Knowledge nothing(candidates, request.last_level_bytes);
  const Search search(candidates, nothing, request);
  const std::vector<bool> keys = search.keys_within(request.budget_seconds * (1 - request.held_out_share));
  const Choice held_out = choose_held_out(nothing, keys, request, request.budget_seconds * request.held_out_share);
  Choice allowed;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].held_out && keys[nothing.key_index(i)]) allowed.push_back(i);
  }
  const double budget = request.budget_seconds - search.seconds(held_out);
  Choice fitted = search.greedy(allowed, budget);
  search.exchange(fitted, allowed, budget);
  // In the order of what they teach, so that every prefix is as good as it can be.
  fitted = search.greedy(fitted, budget);

  Design out;
  out.order = interleave(fitted, held_out, nothing);
  out.seconds = search.seconds(out.order);
  Knowledge expected = nothing;
  for (const std::size_t i : out.order) expected.measured(i, request.block_error);
  out.expected = expected.keys();
  return out;
}

}  // namespace edgejoule::calibration
