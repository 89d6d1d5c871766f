#pragma once

#include <cstdint>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/stats/race.h"
#include "coordinator/search/observation.h"

namespace sweep {

// How the race of the sweep is run when `given` further seeds have been handed out.
RaceRules RulesOfRace(const SweepSpec& spec, std::int64_t planned, std::int64_t given);

// Hands out the further seeds of a sweep with `replicates: auto`, once the search has made its last
// configuration. Pure: no I/O, clock or threads; one object per sweep, used by one thread at a
// time. What it says is a function of the observations, so a restart, which observes everything
// again, goes on with the same seeds.
class ReplicateRacer {
 public:
  struct Seed {
    std::int64_t configuration = 0;
    int replicate = 0;  // 0-based: the configuration has that many runs
  };

  // `spec` has a race and must outlive the object.
  explicit ReplicateRacer(const SweepSpec* spec) : spec_(*spec) {}

  // Called in order of sequence.
  void Observe(const Observation& observation);
  // The run is stored; its first observation may come later.
  void Give(const Seed& seed);

  // What is to do now, in a sweep of `planned` configurations. Without seeds, and not over: nothing
  // before another observation. To ask again costs little unless a run has changed its state.
  struct Step {
    std::vector<Seed> seeds;  // the next ones, at most as many as were asked for
    bool is_over = false;     // no run is pending or trains, and nobody gets a seed
    bool has_held = false;    // trials are on hold
  };
  Step Next(std::int64_t planned, std::int64_t count);

 private:
  struct Known {
    std::vector<RaceRun> runs;
    std::vector<int> epochs;  // the last one of each run
  };

  Known& Know(std::int64_t configuration, int replicate);
  void Update(std::int64_t configuration, const Known& known);

  const SweepSpec& spec_;
  std::vector<Known> known_;           // by number - 1
  std::vector<Contender> contenders_;  // of them
  std::int64_t none_for_ = -1;         // `planned` when there was nothing to do; -1: not known
  std::int64_t given_ = 0;             // runs beyond the first ones
  std::int64_t held_ = 0;              // runs on hold
};

}  // namespace sweep
