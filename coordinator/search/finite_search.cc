#include "coordinator/search/finite_search.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/spec/point_resolver.h"

namespace sweep {
namespace {

// The logarithm of the product of the probabilities of a point's values, where they are given.
double LogProbability(const SweepSpec& spec, const ParameterMap& point) {
  double sum = 0;
  for (const Parameter& parameter : spec.parameters) {
    const auto value = point.find(parameter.name);
    if (parameter.probabilities.empty() || value == point.end()) continue;
    const auto listed = std::find(parameter.values.begin(), parameter.values.end(), value->second);
    sum += std::log(parameter.ProbabilityOf(listed - parameter.values.begin()));
  }
  return sum;
}

// The logarithm of a point's share of independent draws of all parameters.
double LogShareOfDraws(const SweepSpec& spec, const ParameterMap& point) {
  double sum = LogProbability(spec, point);
  for (const Parameter& parameter : spec.parameters) {
    if (!parameter.probabilities.empty() || !point.contains(parameter.name)) continue;
    sum -= std::log(static_cast<double>(parameter.GridSize()));
  }
  return sum;
}

}  // namespace

absl::Status FiniteSearch::NoneIsValid() const {
  return absl::InvalidArgumentError(
      absl::StrCat("sweep ", spec_->name, ": no point of the search space is valid"));
}

// The Fisher-Yates shuffle (Knuth, TAOCP 2, algorithm 3.4.2P) where all points are equally likely.
void FiniteSearch::Shuffle() {
  PhiloxStream stream(DeriveKey(spec_->seed, "random"), 0);
  const bool is_equal =
      std::all_of(spec_->parameters.begin(), spec_->parameters.end(),
                  [](const Parameter& parameter) { return parameter.probabilities.empty(); });
  if (!is_equal) return ShuffleByProbability(&stream);
  for (std::size_t left = codes_.size(); left > 1; --left) {
    std::swap(codes_[left - 1], codes_[stream.NextBelow(static_cast<std::uint32_t>(left))]);
  }
}

// Each point waits for an exponential time with its probability as the rate; the order of the times
// is that of the draws (Efraimidis and Spirakis, "Weighted random sampling with a reservoir",
// 2006).
void FiniteSearch::ShuffleByProbability(PhiloxStream* stream) {
  std::vector<std::pair<double, std::uint64_t>> order;  // logarithms of the times
  PointResolver resolver(spec_);
  for (std::size_t first = 0; first < codes_.size(); first += PointResolver::kBlock) {
    std::vector<ParameterMap> points;
    for (std::size_t i = first; i < std::min(first + PointResolver::kBlock, codes_.size()); ++i) {
      points.push_back(space_->Decode(codes_[i]));
    }
    const std::vector<PointResolver::Result> resolved = resolver.Resolve(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double time = -std::log1p(-stream->NextUniform());
      // A point whose conditions cannot be evaluated is not tried, wherever it stands.
      const double rate = resolved[i].ok() ? LogProbability(*spec_, resolved[i]->parameters) : 0;
      order.emplace_back(std::log(time) - rate, codes_[first + i]);
    }
  }
  std::sort(order.begin(), order.end());
  std::transform(order.begin(), order.end(), codes_.begin(),
                 [](const auto& one) { return one.second; });
}

absl::Status FiniteSearch::Prepare() {
  if (space_) return absl::OkStatus();
  // A shuffle orders the digits by name, so that the order of keys in the file has no effect.
  std::optional<FiniteSpace> space = FiniteSpace::Make(spec_, order_ == Order::kShuffled);
  if (!space) {
    return absl::InvalidArgumentError(
        absl::StrCat("sweep ", spec_->name, ": the search space cannot be enumerated"));
  }
  absl::StatusOr<std::vector<std::uint64_t>> codes = space->Codes();
  if (!codes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sweep ", spec_->name, ": the search space: ", codes.status().message()));
  }
  codes_ = *std::move(codes);
  space_ = std::move(space);
  if (order_ == Order::kShuffled) Shuffle();
  return absl::OkStatus();
}

// Skips points that cannot be built. The parser refuses files with such points as far as it can
// foresee them.
void FiniteSearch::TryMore(std::int64_t number) {
  const std::size_t end = std::min(codes_.size(), tried_ + PointCompleter::kBlock);
  std::vector<ParameterMap> points;
  for (std::size_t i = tried_; i < end; ++i) points.push_back(space_->Decode(codes_[i]));
  const std::vector<PointCompleter::Result> results = completer_.Complete(number, points);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok() && results[i]->has_value()) valid_.push_back(codes_[tried_ + i]);
  }
  tried_ = end;
}

absl::Status FiniteSearch::WeighAll() {
  if (!ends_.empty()) return absl::OkStatus();
  if (absl::Status status = Prepare(); !status.ok()) return status;
  while (tried_ < codes_.size()) TryMore(/*number=*/1);
  PointResolver resolver(spec_);
  double sum = 0;
  for (std::size_t first = 0; first < valid_.size(); first += PointResolver::kBlock) {
    std::vector<ParameterMap> points;
    for (std::size_t i = first; i < std::min(first + PointResolver::kBlock, valid_.size()); ++i) {
      points.push_back(space_->Decode(valid_[i]));
    }
    for (const PointResolver::Result& resolved : resolver.Resolve(points)) {
      // A valid point can be resolved.
      if (resolved.ok()) sum += std::exp(LogShareOfDraws(*spec_, resolved->parameters));
      ends_.push_back(sum);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Configuration> FiniteSearch::Draw(std::int64_t number) {
  if (absl::Status status = WeighAll(); !status.ok()) return status;
  if (valid_.empty()) return NoneIsValid();
  PhiloxStream stream(DeriveKey(spec_->seed, "random/list"), static_cast<std::uint64_t>(number));
  const double at = stream.NextUniform() * ends_.back();
  const auto end = std::upper_bound(ends_.begin(), ends_.end() - 1, at);
  return spec_->Complete(number,
                         space_->Decode(valid_[static_cast<std::size_t>(end - ends_.begin())]));
}

absl::StatusOr<std::optional<Configuration>> FiniteSearch::Point(std::int64_t number) {
  if (absl::Status status = Prepare(); !status.ok()) return status;
  while (static_cast<std::int64_t>(valid_.size()) < number && tried_ < codes_.size()) {
    TryMore(number);
  }
  if (static_cast<std::int64_t>(valid_.size()) < number) {
    if (!valid_.empty()) return std::optional<Configuration>();
    return NoneIsValid();
  }
  return spec_->CompleteIfAllowed(number,
                                  space_->Decode(valid_[static_cast<std::size_t>(number - 1)]));
}

}  // namespace sweep
