#include "coordinator/search/random_search.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/base/philox.h"
#include "common/spec/search_space.h"
#include "coordinator/search/point_identity.h"

namespace sweep {
namespace {

// One stream per parameter for one configuration, so that adding a parameter to the sweep file does
// not change the values of the others.
class Streams {
 public:
  Streams(std::uint64_t seed, std::int64_t number)
      : seed_(seed), number_(static_cast<std::uint64_t>(number)) {}

  double Next(const std::string& name) {
    const auto it = streams_.try_emplace(name, DeriveKey(seed_, "random/" + name), number_).first;
    return it->second.NextUniform();
  }

 private:
  const std::uint64_t seed_;
  const std::uint64_t number_;
  std::map<std::string, PhiloxStream> streams_;
};

}  // namespace

absl::StatusOr<Configuration> RandomSearch::Draw(std::int64_t number) {
  Streams streams(spec_->seed, number);
  const auto uniform = [&](const std::string& name) { return streams.Next(name); };
  // The first draw is nearly always allowed; under strict constraints, doubling blocks are tested
  // at once.
  std::size_t size = 1;
  for (int drawn = 0; drawn < kMaxDraws; size = std::min(2 * size, PointCompleter::kBlock)) {
    std::vector<ParameterMap> points;
    for (; points.size() < size && drawn < kMaxDraws; ++drawn) {
      points.push_back(DrawPoint(*spec_, uniform));
    }
    for (PointCompleter::Result& result : completer_.Complete(number, points)) {
      if (!result.ok() || !result->has_value()) continue;
      if (distinct_ && !seen_.insert(PointIdentity((*result)->parameters)).second) continue;
      return **std::move(result);
    }
  }
  if (!distinct_ && spec_->points) {
    if (!list_) list_.emplace(spec_, FiniteSearch::Order::kShuffled);
    return list_->Draw(number);
  }
  return NoneDrawn(*spec_, kMaxDraws, /*has_some=*/distinct_ && number > 1);
}

absl::StatusOr<std::optional<Configuration>> RandomSearch::Point(std::int64_t number) {
  if (distinct_ && number <= drawn_) {
    drawn_ = 0;
    seen_.clear();
  }
  while (distinct_ && drawn_ + 1 < number) {
    if (absl::Status status = Draw(drawn_ + 1).status(); !status.ok()) return status;
    ++drawn_;
  }
  absl::StatusOr<Configuration> configuration = Draw(number);
  if (!configuration.ok()) return configuration.status();
  drawn_ = number;
  return *std::move(configuration);
}

absl::StatusOr<std::optional<Suggestion>> RandomInstead(const SweepSpec& spec,
                                                        std::int64_t number) {
  return WithOrigin(
      RandomSearch(&spec, /*distinct=*/false).Point(number),
      {.source = SuggestionSource::kRandom, .method = std::string(spec.method->word)});
}

}  // namespace sweep
