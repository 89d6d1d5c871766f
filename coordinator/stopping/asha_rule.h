#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/stopping/best_share.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// Epochs first, first · eta, first · eta² and so on, below `epochs`. Whole numbers: a logarithm in
// floating point loses a rung of 243.
std::vector<int> RungsBelow(int epochs, int first, int eta);

// Asynchronous successive halving: L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, J. Ben-tzur, M.
// Hardt, B. Recht, A. Talwalkar, "A System for Massively Parallel Hyperparameter Tuning" (MLSys
// 2020), in two forms. A trial reaches a rung with its first value at the rung's epoch or later,
// and its best value so far counts there. One that passes several rungs between two values reaches
// the last of them only.
//
// Promotion: trials rest at each rung. Of the n that have reached a rung, the best n / eta go on,
// rounded down, and never more: one that was promoted keeps its place when better ones come (Hyper-
// Tune, VLDB 2022, calls it D-ASHA). Whenever a place becomes free, the best that rests takes it.
// When nothing else is left to do, n / eta is rounded up. So the best of a rung goes on in every
// order of arrival. A trial that comes to its target without a value goes on to the next one
// without a place.
//
// Stopping: a trial that reaches a rung and is not among the best n / eta there, at least one, is
// stopped.
class AshaRule final : public StoppingRule {
 public:
  struct Options {
    std::vector<int> rungs;  // epochs, rising
    int eta = 3;
    bool promotes = true;  // else the stopping form
    bool maximize = true;
  };

  explicit AshaRule(Options options);

  int FirstTarget(std::int64_t configuration) const override;
  std::vector<StopDecision> OnEpoch(const Observation& seen) override;
  std::vector<StopDecision> OnState(const Observation& seen) override;
  std::vector<StopDecision> OnOnlyHeld() override;

 private:
  using Key = std::pair<std::int64_t, int>;  // configuration and replicate

  // Where a trial rests, in the order of promotion.
  struct Place {
    BestShare::Entry entry;
    Key trial;
    bool operator<(const Place& other) const { return entry.IsBetterThan(other.entry); }
  };
  struct Rung {
    int epoch = 0;
    std::int64_t reached = 0;
    std::int64_t gone_on = 0;  // places taken
    std::set<Place> resting;
    BestShare best;  // of the stopping form
  };
  struct Trial {
    double best = 0;            // larger is better
    int epoch = 0;              // last seen
    int next = 0;               // index of the next rung
    int arrived = 0;            // the epoch at which it reached the rung before `next`
    int target = 0;             // index of the rung to which it trains; past the last: its end
    bool rests = false;         // at the rung before `next`
    bool was_promoted = false;  // from there, and has neither reached the next rung nor ended
    bool is_on_hold = false;    // by its last state
    bool has_resumed = false;   // promoted, it has had to wait for another attempt
    bool has_ended = false;     // if it trains again, a person has retried it
    bool is_out = false;        // is being stopped
    std::set<Place>::iterator place;  // valid while it rests
  };

  // Index of the last rung up to the epoch; -1: none.
  int RungAt(int epoch) const;
  // The epoch of the next rung; 0: the last epoch.
  int EpochAfter(int rung) const {
    return rung + 1 < std::ssize(options_.rungs)
               ? options_.rungs[static_cast<std::size_t>(rung) + 1]
               : 0;
  }
  // An epoch without a value: it cannot be compared, and trains on beyond its target.
  std::vector<StopDecision> PassTarget(const Key& key, Trial* trial);
  std::vector<StopDecision> Arrive(const Key& key, int rung, Trial* trial);
  std::vector<StopDecision> Diverge(Trial* trial);
  std::vector<StopDecision> JudgeArrival(const Key& key, const BestShare::Entry& entry, Rung* rung);
  // It rests no more, and takes a place.
  void GoOn(Trial* trial);
  // It rests no more, if it does.
  void LeaveRest(Trial* trial);
  // Its place is free again.
  void GiveUpPlace(Trial* trial);
  // Promotes the best that rest, as long as there are places.
  std::vector<StopDecision> Fill(int rung, std::int64_t places);
  std::int64_t Places(const Rung& rung) const { return ShareOf(rung.reached, options_.eta); }
  Rung& At(int rung) { return rungs_[static_cast<std::size_t>(rung)]; }

  const Options options_;
  const double sign_;
  std::vector<Rung> rungs_;
  std::map<Key, Trial> trials_;
  std::int64_t arrivals_ = 0;
  std::int64_t on_the_way_ = 0;  // trials with was_promoted
};

}  // namespace sweep
