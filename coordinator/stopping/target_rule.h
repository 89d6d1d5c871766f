#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"
#include "coordinator/stopping/curve_model.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// A gate that asks for large, or for small, values of a measure. A distance falls as the measure
// gets better: the logarithm of what is missing to the measure's limit, where it has one, else the
// measure itself, in units of the bound.
class GateAim {
 public:
  // nullopt for a gate without a direction, or on something else than a measure.
  static std::optional<GateAim> Of(const SweepSpec& spec, const Gate& gate);

  const Gate& gate() const { return gate_; }
  double Distance(double value) const;
  double target() const { return Distance(bound_); }

 private:
  Gate gate_;
  double sign_ = 1;  // 1: large values are better
  double bound_ = 0;
  std::optional<double> limit_;  // in the better direction
  double unit_ = 1;
};

// Stops a trial when it can no longer plausibly meet a gate on a measure by its last permitted
// epoch. What is plausible is learned from trials of the same kind, which is network, schedule and
// number of epochs, that were seen up to there or have met the gates (docs/stopping.md). The
// risk is that of a trial which would qualify.
class TargetRule final : public StoppingRule {
 public:
  // `spec` has `early_terminate` and must outlive the rule.
  explicit TargetRule(const SweepSpec* spec);

  std::vector<StopDecision> OnEpoch(const Observation& seen) override;
  std::vector<StopDecision> OnState(const Observation& seen) override;

 private:
  struct Kind {
    std::string words;  // the names and values that decide when such a curve rises
    int epochs = 0;
    auto operator<=>(const Kind&) const = default;
  };
  // What is known of a configuration before it is trained.
  struct Plan {
    Kind kind;
    double step = 0;         // logarithm of the effective learning rate; 0: not known
    int last_permitted = 0;  // epoch at which the gates can be met; 0: none
  };
  struct Trial {
    Plan plan;
    // By aim and epoch: what counts so far, infinite before the first number.
    std::vector<std::vector<double>> distances;
    TrialResult result;
    bool has_met = false;  // the criteria, for good
    bool is_given_up = false;
    bool is_learned = false;  // one that failed may be retried, and end again
  };
  // What the known trials of a kind were like after an epoch.
  struct Learned {
    CurveModel model;
    // The distance of the one that was farthest away and met the gate in the end.
    double farthest_success = -std::numeric_limits<double>::infinity();
  };
  struct KnownKind {
    std::vector<std::vector<Learned>> learned;  // by aim and epoch
    // Trials whose end is known, also those that were given up, and those that met the gates.
    std::int64_t ended = 0;
    std::int64_t qualified = 0;
    // Not 0 nor 1 while few have ended.
    double ShareQualified() const {
      return (static_cast<double>(qualified) + 0.5) / (static_cast<double>(ended) + 1);
    }
  };

  Kind KindOf(const Configuration& configuration, int epochs) const;
  Plan PlanOf(std::int64_t configuration, const ParameterMap& parameters) const;
  void AddDistances(const Observation& seen, Trial* trial) const;
  std::string Judge(const Trial& trial, int epoch) const;
  // The trial has ended in `state`.
  void Learn(TrialState state, Trial* trial);

  const SweepSpec* const spec_;
  const EarlyTerminate options_;
  const std::vector<std::string> judged_;
  std::vector<GateAim> aims_;
  std::map<std::int64_t, Plan> plans_;                    // by configuration
  std::map<std::pair<std::int64_t, int>, Trial> trials_;  // that may still report
  std::map<Kind, KnownKind> kinds_;
};

}  // namespace sweep
