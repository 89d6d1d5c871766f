#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/dimensions.h"
#include "common/spec/method_choice.h"
#include "common/spec/point_completer.h"
#include "common/stats/ranking.h"
#include "coordinator/search/cube_point.h"
#include "coordinator/search/learned_gates.h"
#include "coordinator/search/search.h"
#include "coordinator/search/start_up_points.h"

namespace sweep {

// The common part of the methods that learn. Keeps what is known of each configuration, and
// suggests points of a scrambled Sobol sequence until some configurations have ended, then those
// of a model. Where the model has none, because all that it finds are excluded or known, it takes
// the next point of the sequence that is new (in a finite space) or a random one. Where the file
// asks for repeated points, known ones count as new.
//
// A configuration's cost is the mean of its replicates' best finite values. One of which a
// replicate was stopped or failed ranks after all others, by how many such it has and by how far
// they came; one without a value ranks last.
//
// Where gates are learned, those values are the ones that the ranking holds against the gates
// (`gate_on`), and configurations whose mean misses a gate rank after all that meet them, by the
// sum of the violations. Of configurations of earlier sweeps only the objective is known: whether
// they meet the gates is unknown, and they rank behind the sweep's own.
class LearningSearch : public Search {
 public:
  static constexpr std::size_t kStartUp = kStartUpConfigurations;

  void TakeEarlier(const std::vector<EarlierConfiguration>& earlier) final;
  void Observe(const Observation& observation) final;
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) final;
  absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number) final;
  int Ahead(int free_slots) const final { return free_slots; }
  void BeginAt(std::int64_t number) override { start_up_.BeginAt(number); }
  std::optional<ModelSlices> Slices() final;

 protected:
  // The rank of a configuration that has ended: smaller is better, compared like words.
  using Rank = std::array<double, 4>;
  struct Replicate {
    TrialState state = TrialState::kPending;
    int epoch = 0;
    double cost = 0;  // the best so far; lower is better
    bool has_cost = false;
    std::unique_ptr<TrialResult> result;  // where gates are learned, after the first epoch
  };
  struct Known {
    CubePoint point;
    bool is_in_space = false;  // false: no place in the space, for example before an edit
    std::vector<Replicate> replicates;
    bool has_ended = false;
    bool runs = false;           // a trial waits or runs
    Rank rank = {};              // ended
    std::optional<double> cost;  // ended, and a replicate had a finite value
    int with_cost = 0;           // ended: replicates with a finite value
    bool is_complete = false;    // ended: all replicates completed with a value
    // Ended: of each learned gate the mean excess; NaN when it was not measured.
    std::vector<double> excesses;
    double violation = 0;  // ended: the sum over the gates; 0 when all are met
    // Of an earlier sweep, of which only the objective is known, where gates are learned.
    bool is_unjudged = false;
    // Of its first and its latest observation; 0 as long as it is only suggested.
    std::int64_t first_sequence = 0, last_sequence = 0;
  };
  // A point that the constraints allow and that is new.
  struct Candidate {
    Configuration configuration;
    CubePoint point;
  };
  struct Choice {
    Configuration configuration;
    std::optional<double> expected_improvement;  // as in SuggestionOrigin
  };

  // `distinct`: as TriesNoPointTwice (search_space.h). `start_up`: configurations that must have
  // ended before the model is asked. `spec` must outlive the object.
  LearningSearch(const SweepSpec* spec, bool distinct, std::size_t start_up = kStartUp);

  // A suggestion for that number from what is known; nullopt when it finds no point.
  virtual std::optional<Choice> Model(std::int64_t number) = 0;
  // A configuration has a place in the space from now on; it has ended; an ended one has not ended
  // any more, because a trial of it is tried again. Not called for those without a place.
  virtual void OnKnown(std::int64_t number, const Known& known) = 0;
  virtual void OnEnded(std::int64_t number, const Known& known) = 0;
  virtual void OnReopened(std::int64_t number, const Known& known) = 0;
  // The configurations of earlier sweeps are known; their numbers are below 0.
  virtual void OnEarlier(const std::vector<std::int64_t>& /*numbers*/) {}

  // A value of a slice.
  struct SlicePlace {
    double coordinate = 0;           // of the slice's parameter
    std::optional<CubePoint> point;  // with the others; nullopt: the constraints exclude it
  };
  // Fills the slices with what the model knows. `places` has those of each slice, by value.
  virtual void Describe(const std::vector<std::vector<SlicePlace>>& places,
                        std::vector<ModelSlice>* slices) = 0;

  // Those of the points that are allowed and new.
  std::vector<Candidate> Allowed(std::int64_t number, const std::vector<CubePoint>& points);
  // The first of them.
  std::optional<Candidate> FirstAllowed(std::int64_t number, std::span<const CubePoint> points);
  bool HasConditions() const;
  // The point whose values a place has, which are rounded. Requires a space without conditions.
  CubePoint Rounded(const CubePoint& place) const;
  // The shapes of some points of the space: one, unless some parameters are conditional.
  std::set<std::vector<bool>> SomeShapes();

  const SweepSpec& spec() const { return *spec_; }
  const SearchSpace& space() const { return space_; }
  const LearnedGates& gates() const { return gates_; }
  const Known& Get(std::int64_t number) const { return known_.at(number); }
  // Configurations with a place in the space that have ended.
  std::size_t ended() const { return ended_; }
  // Configurations of the space with a trial that waits or runs, as far as that was observed.
  std::size_t running() const { return static_cast<std::size_t>(running_); }
  // True when `a` is better; of equal ones the lower number comes first. Both have ended.
  bool RanksBefore(std::int64_t a, std::int64_t b) const {
    return std::tie(Get(a).rank, a) < std::tie(Get(b).rank, b);
  }

 private:
  // The best ended configuration that has the parameter; 0 when none has.
  std::int64_t BestWith(std::size_t dimension) const;
  std::vector<SlicePlace> PlacesAlong(std::size_t dimension, CubePoint point, int count);
  // nullopt when the space has no such point.
  std::optional<CubePoint> PointOf(const ParameterMap& parameters) const;
  // Null when it is known already.
  Known* AddKnown(std::int64_t number, const ParameterMap& parameters, std::size_t replicates);
  void AddKnown(std::int64_t number, const ParameterMap& parameters);
  static void Take(double cost, Replicate* replicate);
  // The values of the measures in learned gates, and the cost, of what a replicate has reported.
  void NoteEpoch(const Observation& observation, Replicate* replicate) const;
  // A further run of a race that has not ended: until then the others are the configuration's
  // result.
  bool IsOpenExtra(const Known& known, std::size_t replicate) const;
  void JudgeGates(Known* known) const;
  void Judge(Known* known) const;
  // Without a model.
  absl::StatusOr<std::optional<Configuration>> Next(std::int64_t number);

  const SweepSpec* const spec_;
  const bool distinct_;
  const std::size_t least_ended_;  // before the model is asked
  const SearchSpace space_;
  const LearnedGates gates_;
  const std::vector<std::string> judged_;  // measures that AddEpoch looks at
  StartUpPoints start_up_;                 // knows all points that are known
  PointCompleter completer_;
  std::map<std::int64_t, Known> known_;  // by number
  std::size_t ended_ = 0;
  std::ptrdiff_t running_ = 0;
};

}  // namespace sweep
