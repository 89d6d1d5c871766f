#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/search/search.h"

namespace sweep {

// What comes before the points of another search: the configurations that were made before the
// sweep's file was edited, then the points of `try_first` that are new. A method that learns knows
// both from the start, the latter as configurations that run, and is asked for the numbers of the
// sweep. Of any other method the first own point follows the last one of `try_first`; after an edit
// it goes on in a space of ranges where it was, and begins anew in one of lists. Its points that
// are known are left out; without an edit a space of ranges has none. Where the file asks for
// repeated points none is left out, and of `try_first` only what was made as often as it stands
// there.
class FirstPoints final : public Search {
 public:
  // `made`: from number 1 on; empty without an edit. `distinct`: as TriesNoPointTwice
  // (search_makers.h). `spec` must outlive the object.
  FirstPoints(const SweepSpec* spec, std::unique_ptr<Search> rest,
              const std::vector<ParameterMap>& made, bool distinct);

  void Observe(const Observation& observation) override { rest_->Observe(observation); }
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override;
  absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number) override;
  int Ahead(int free_slots) const override { return rest_->Ahead(free_slots); }
  std::optional<ModelSlices> Slices() override { return rest_->Slices(); }

 private:
  // True for the numbers of the new points of `try_first`.
  bool IsFirst(std::int64_t number) const {
    return number > made_ && number <= made_ + std::ssize(first_);
  }
  // The place of the first point of the rest in its own order.
  std::int64_t FirstOfRest() const;
  absl::StatusOr<std::optional<Suggestion>> SuggestRest(std::int64_t number);

  const SweepSpec* const spec_;
  const std::unique_ptr<Search> rest_;
  const bool distinct_;
  const std::int64_t made_;      // number of the last configuration made before
  std::set<std::string> known_;  // identities of those, and of `first_`; empty with repeats
  std::vector<const ParameterMap*> first_;  // points of `try_first` that are new
  std::int64_t last_ = 0;                   // number of the last point made of the rest; 0: none
  std::int64_t asked_ = 0;                  // its place in the order of the rest
};

}  // namespace sweep
