#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/model_slices.h"
#include "coordinator/search/observation.h"
#include "coordinator/search/suggestion.h"

namespace sweep {

// A configuration of an earlier sweep that has ended.
struct EarlierConfiguration {
  struct Replicate {
    TrialState state = TrialState::kCompleted;  // one that ends a trial
    int epoch = 0;
    double value = 0;  // the best of the objective; NaN when there is none
  };
  ParameterMap point;  // of the present space
  std::vector<Replicate> replicates;
};

// What a search begins with that its sweep file does not say.
struct SearchStart {
  // The points of configurations that earlier revisions of the file have made, from number 1 on, as
  // points of the present space where they are some.
  std::vector<ParameterMap> made;
  // What methods that learn know from the start. Such configurations are none of the sweep: they
  // have no number, and in a space that can be listed they are not suggested again. Only the
  // objective is known of them: whether they meet learned gates is unknown.
  std::vector<EarlierConfiguration> earlier;

  // The number of the first configuration that the search makes.
  std::int64_t first_own() const { return std::ssize(made) + 1; }
  // True when points may be left out that are known from elsewhere.
  bool leaves_out() const { return !made.empty() || !earlier.empty(); }
};

// Chooses the points of the search space. Pure: no I/O, no clock, no threads of its own; one object
// per sweep, used by one thread at a time. A suggestion depends only on the sweep's seed, its
// number and the earlier observations, so a restart, which observes everything again from the first
// event on, gives the same suggestions.
class Search {
 public:
  virtual ~Search() = default;

  // Called in order of sequence. Only methods that learn use it.
  virtual void Observe(const Observation& /*observation*/) {}

  // The configuration of that number (from 1, requested in order), complete and satisfying the
  // sweep's constraints, and how it was chosen; nullopt when the space has no more points, or what
  // WhyNone says. Ignores the sweep's budget.
  // InvalidArgument when no point can be found (the constraints exclude everything, a network never
  // fits).
  virtual absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) = 0;

  // What Suggest would answer, but the search does not count the point as known afterwards. The
  // caller then observes the one that was taken.
  virtual absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number) {
    return Suggest(number);
  }

  // Why the last Suggest or Peek had no configuration.
  struct None {
    // There is none before another event, after which it is to be asked again.
    bool is_for_now = false;
    std::string reason;  // "": the space has no more points
  };
  virtual None WhyNone() const { return {}; }

  // The number of trials that should be pending when `free_slots` are free. A method that learns
  // keeps few: each later suggestion knows more.
  virtual int Ahead(int free_slots) const { return 2 * free_slots + kPlenty; }

  // What the model knows along each parameter, for plots; nullopt for methods that do not learn.
  // Changes no later suggestion, but may take as long as one.
  virtual std::optional<ModelSlices> Slices() { return std::nullopt; }

  // Called once, before anything else. Only methods that learn use it.
  virtual void TakeEarlier(const std::vector<EarlierConfiguration>& /*earlier*/) {}

  // Configurations below that number are not this search's own, whatever their points. Called
  // before anything is observed; without it, those of `try_first` are not.
  virtual void BeginAt(std::int64_t /*number*/) {}

  // The search of the sweep's method (search_makers.h), after the points of `try_first`. `spec`
  // must outlive the object.
  static std::unique_ptr<Search> Make(const SweepSpec* spec);
  static std::unique_ptr<Search> Make(const SweepSpec* spec, SearchStart start);

 protected:
  // Enough for slots that become free while a batch of points is being stored.
  static constexpr int kPlenty = 64;
};

}  // namespace sweep
