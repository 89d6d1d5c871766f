#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/lifecycle/trial_state.h"

namespace sweep {

// The race for the best configuration of a sweep with `replicates: auto`: who gets one more seed,
// and who cannot be the best (docs/statistics.md). Pure; the verdict is a function of the results,
// whatever their order.

// What a run of a configuration has come to.
struct RaceRun {
  TrialState state = TrialState::kPending;
  std::optional<double> value;  // the metric that it reported last
};

struct Contender {
  std::int64_t configuration = 0;  // its number
  int ended = 0;                   // runs that have completed with a value
  int open = 0;                    // runs that wait or train
  int all = 0;                     // also those that have ended otherwise
  bool is_queued = false;          // it has no value, and a run waits for a worker
  bool is_out = false;  // a run did not complete, rests on hold or has no value: it does not race
  double mean = 0;      // of the values
  double squares = 0;   // sum of their squared distances from the mean

  int runs() const { return ended + open; }
};

Contender ContenderOf(std::int64_t configuration, const std::vector<RaceRun>& runs);

struct RaceRules {
  int max = 10;           // runs of a configuration
  std::int64_t left = 0;  // seeds that the sweep may still hand out
  double within = 0;      // a difference up to this does not matter
  bool maximize = true;   // the higher value is the better one
  // The leader gets `max` runs also when nobody else is left, and the last seeds are kept for it.
  bool leader_to_max = false;
};

enum class RaceStanding {
  kWaits,     // for the end of its first run
  kLeads,     // has the best mean
  kRaces,     // could be the best
  kRuledOut,  // cannot be the best
  kOut,       // does not race
};

struct RaceVerdict {
  std::vector<RaceStanding> standings;  // of the contenders
  std::optional<std::size_t> leader;    // an index; nullopt while nobody has a value
  std::optional<std::size_t> next;      // the contender that gets one more seed now
  bool is_over = false;                 // nothing is open, and nobody gets a seed
  int racing = 0;                       // rivals that could be the best
  // The standard deviation between the runs of a configuration; nullopt while it is not known.
  std::optional<double> deviation;
  int degrees = 0;      // of freedom with which it is known
  double quantile = 0;  // of Student's t, with which rivals are held against the leader
};

// The leader has the best mean; of equal ones the first is before the others. The deviation is
// pooled over the ten best with several runs; it is known with four degrees of freedom, and until
// then the five best get second and third runs. A rival is ruled out when its mean is behind the
// leader's by more than t·s·√(1/n + 1/m) less `within`, for n and m runs, with t at 1 - 0.05 /
// ((K - 1) · max): Bonferroni's correction for K - 1 rivals and `max` looks at each.
//
// The next seed goes to the leader or to the rival that is hardest to tell from it, that with the
// least distance² / (1/n + 1/m): to that one of the two which has fewer runs. This is EB-TC, top
// two with the empirical best and the transportation cost (M. Jourdan, R. Degenne, D. Baudry, R. de
// Heide, E. Kaufmann: "Top Two Algorithms Revisited", NeurIPS 2022). Open runs count as runs that
// move no mean. A configuration has at most as many of them as it has values, so that nobody gets
// ten seeds for one lucky run, and all together have as many as a tenth of the configurations, or
// four. Nobody gets a seed while a configuration is queued for its first value.
RaceVerdict JudgeRace(const RaceRules& rules, const std::vector<Contender>& contenders);

}  // namespace sweep
