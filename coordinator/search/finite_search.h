#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/philox.h"
#include "common/spec/point_completer.h"
#include "common/spec/search_space.h"
#include "coordinator/search/search.h"

namespace sweep {

// Every valid point of a finite search space, each once: in the file's order (a grid), or shuffled
// by the sweep's seed (random search without replacement: each next point is drawn from those that
// are left, in proportion to their probabilities). Number k is the k-th valid point,
// whichever numbers were requested before.
class FiniteSearch final : public Search {
 public:
  enum class Order { kFile, kShuffled };
  // `spec` must outlive the object.
  FiniteSearch(const SweepSpec* spec, Order order) : spec_(spec), order_(order), completer_(spec) {}

  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override {
    return WithOrigin(Point(number), {.source = SuggestionSource::kSequence,
                                      .method = std::string(spec_->method->word)});
  }
  // As Suggest.
  absl::StatusOr<std::optional<Configuration>> Point(std::int64_t number);
  // A point drawn from all valid ones, each as likely as among independent draws: the same for a
  // number whichever others were requested.
  absl::StatusOr<Configuration> Draw(std::int64_t number);

 private:
  absl::Status Prepare();
  absl::Status NoneIsValid() const;
  void Shuffle();
  // Orders codes_ as draws in proportion to the points' probabilities.
  void ShuffleByProbability(PhiloxStream* stream);
  // Fills `ends_`.
  absl::Status WeighAll();
  // Tries the next block of codes.
  void TryMore(std::int64_t number);

  const SweepSpec* const spec_;
  const Order order_;
  std::optional<FiniteSpace> space_;  // set by the first Suggest
  std::vector<std::uint64_t> codes_;  // in the order of tries
  std::size_t tried_ = 0;             // number of codes_ tried
  std::vector<std::uint64_t> valid_;  // the valid ones among those tried
  std::vector<double> ends_;  // of draws: the sums of the valid points' probabilities so far
  PointCompleter completer_;
};

}  // namespace sweep
