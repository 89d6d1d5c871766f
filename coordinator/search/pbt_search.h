#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// Population based training (Jaderberg et al. 2017, arXiv:1711.09846). Each configuration is a
// segment of some epochs of one member of the population; it begins with the checkpoint of another.
// The first ones are points of a scrambled Sobol sequence, after those of `try_first`.
//
// Asynchronous: a member whose segment has ended goes on as soon as the search is asked, those of
// earlier epochs first. It is compared with the members that have ended the same segment, by their
// last value of the objective there. One of the worst `quantile` of them goes on from the
// checkpoint of one that is drawn from the best `quantile`, with values changed: each is drawn anew
// with probability `resample`, and else multiplied by 0.8 or 1.2, or replaced by a neighbour in its
// list. Any other goes on from its own checkpoint with its own values. A member whose segment has
// failed, diverged or was cancelled waits until another has completed the same one, and copies one
// of the best. So every member has as many segments.
class PbtSearch final : public Search {
 public:
  // `spec` must outlive the object.
  explicit PbtSearch(const SweepSpec* spec);

  void Observe(const Observation& observation) override;
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override;
  absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number) override;
  None WhyNone() const override { return none_; }
  int Ahead(int free_slots) const override { return free_slots; }

  // How many of `members` are the best, and as many the worst: their share rounded up, and at most
  // a half of them.
  static std::size_t QuantileOf(std::size_t members, double quantile);
  // A value near `value`, as in the class comment; `value` itself where the parameter has no other
  // one there. `up`: multiplied by 1.2, or the next in the list.
  static Value Perturbed(const Parameter& parameter, const Value& value, bool up);

 private:
  struct Known {
    Segment segment;
    ParameterMap point;
    bool has_ended = false;
    bool has_completed = false;
    std::int64_t ended_sequence = 0;
    double value = std::numeric_limits<double>::quiet_NaN();  // the last one of the objective
  };

  const Known& Latest(int member) const { return known_.at(latest_[Index(member)]); }
  static std::size_t Index(int member) { return static_cast<std::size_t>(member - 1); }
  // The completed segments that end with that epoch, one per member, the best first.
  std::vector<std::int64_t> CompletedAt(int epoch) const;
  bool IsReady(const Known& latest) const;
  // The member that goes on next; 0, and none_, when there is none.
  int NextMember();
  None DescribeNone() const;
  absl::StatusOr<std::optional<Suggestion>> First(std::int64_t number);
  absl::StatusOr<std::optional<Suggestion>> GoOn(std::int64_t number, int member);
  // The configuration that the member copies; 0: it goes on by itself.
  std::int64_t ChooseDonor(std::int64_t number, int member) const;
  Configuration Explore(std::int64_t number, const ParameterMap& from) const;

  const SweepSpec* const spec_;
  SobolSearch first_;
  std::map<std::int64_t, Known> known_;  // by number of the configuration
  std::vector<std::int64_t> latest_;     // of each member; 0: none yet
  None none_;
};

}  // namespace sweep
