#include "coordinator/search/search.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coordinator/search/finite_search.h"
#include "coordinator/search/random_search.h"

namespace sweep {
namespace {

// Keeps the search within the sweep's budget.
class CappedSearch final : public Search {
 public:
  CappedSearch(const SweepSpec* spec, std::unique_ptr<Search> search)
      : spec_(spec), search_(std::move(search)) {}

  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override {
    if (number < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("sweep ", spec_->name, ": configurations count from 1, not ", number));
    }
    if (spec_->run_cap > 0 && number > spec_->run_cap) return std::optional<Configuration>();
    return search_->Suggest(number);
  }

 private:
  const SweepSpec* const spec_;
  const std::unique_ptr<Search> search_;
};

std::unique_ptr<Search> MakeUncapped(const SweepSpec* spec) {
  if (spec->method == Method::kGrid) {
    return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kFile);
  }
  // Parsing has counted the points of a space that is small enough to be enumerated.
  if (spec->points) {
    return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kShuffled);
  }
  bool finite = true;
  for (const Parameter& parameter : spec->parameters) finite &= parameter.GridSize() > 0;
  return std::make_unique<RandomSearch>(spec, finite);
}

}  // namespace

std::unique_ptr<Search> Search::Make(const SweepSpec* spec) {
  return std::make_unique<CappedSearch>(spec, MakeUncapped(spec));
}

}  // namespace sweep
