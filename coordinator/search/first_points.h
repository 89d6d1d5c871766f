#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/search/search.h"

namespace sweep {

// The points of the file's `try_first`, then those of another search, numbered after them. A method
// that learns knows the first points from the start, as configurations that run, and is asked for
// the numbers of the sweep. Any other method begins with its own number 1; in a finite space, its
// points that were tried first are left out.
class FirstPoints final : public Search {
 public:
  // `finite`: every parameter has a list of values. `spec` must outlive the object.
  FirstPoints(const SweepSpec* spec, std::unique_ptr<Search> rest, bool finite);

  void Observe(const Observation& observation) override { rest_->Observe(observation); }
  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override;
  absl::StatusOr<std::optional<Configuration>> Peek(std::int64_t number) override;
  int Ahead(int free_slots) const override { return rest_->Ahead(free_slots); }

 private:
  // Point `number` of the rest.
  absl::StatusOr<std::optional<Configuration>> SuggestRest(std::int64_t number);

  const SweepSpec* const spec_;
  const std::unique_ptr<Search> rest_;
  const bool finite_;
  std::set<std::string> first_;  // identities of the first points, when finite
  std::int64_t made_ = 0;        // finite: last number made of the rest
  std::int64_t asked_ = 0;       // finite: its number in the other search
};

}  // namespace sweep
