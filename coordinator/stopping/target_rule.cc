#include "coordinator/stopping/target_rule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
// Scatter of distances that no completed trials talk the rule out of: 5 % of an error.
constexpr double kLeastDeviation = 0.05;
// Errors far below the target are alike: a part of the target's is added to all.
constexpr double kPartOfTarget = 0.1;

std::optional<double> NumberAt(const ParameterMap& values, const std::string& name) {
  const auto found = values.find(name);
  if (found == values.end() || !IsNumber(found->second)) return std::nullopt;
  return AsDouble(found->second);
}

// The logarithm of lr / ((1 - momentum) · batch_size), as far as they are known.
double StepOf(const ParameterMap& values) {
  const std::optional<double> lr = NumberAt(values, "lr");
  if (!lr || *lr <= 0) return 0;
  double step = std::log(*lr);
  const double momentum = NumberAt(values, "momentum").value_or(0);
  if (momentum > 0 && momentum < 1) step -= std::log1p(-momentum);
  const double batch_size = NumberAt(values, "batch_size").value_or(1);
  if (batch_size > 0) step -= std::log(batch_size);
  return step;
}

// A hyperparameter that shapes a schedule, and the built-in schedule that it shapes; "": all but
// one_cycle.
struct ShapeName {
  std::string_view name;
  std::string_view schedule;
};
constexpr std::array<ShapeName, 7> kShapeNames = {{{"step_epochs", "step"},
                                                   {"step_gamma", "step"},
                                                   {"final_lr_fraction", "cosine"},
                                                   {"warmup_epochs", ""},
                                                   {"one_cycle_warmup", "one_cycle"},
                                                   {"one_cycle_start_divisor", "one_cycle"},
                                                   {"one_cycle_final_divisor", "one_cycle"}}};

bool Shapes(const ShapeName& shape, std::string_view schedule) {
  return shape.schedule.empty() ? schedule != "one_cycle" : shape.schedule == schedule;
}

// The last of a trial's epochs that the gates on epochs permit, when the best epoch decides; the
// last one otherwise. 0: none.
int LastPermitted(const SweepSpec& spec, int epochs) {
  const auto holds = [&](int epoch) {
    return std::all_of(spec.require.begin(), spec.require.end(), [&](const Gate& gate) {
      return gate.name != "epochs" || gate.Holds(Value(static_cast<std::int64_t>(epoch)));
    });
  };
  if (spec.gate_on != GateOn::kBest) return holds(epochs) ? epochs : 0;
  for (int epoch = epochs; epoch > 0; --epoch) {
    if (holds(epoch)) return epoch;
  }
  return 0;
}

}  // namespace

std::optional<GateAim> GateAim::Of(const SweepSpec& spec, const Gate& gate) {
  const bool up = gate.op == Gate::Op::kGreater || gate.op == Gate::Op::kGreaterEqual;
  const bool down = gate.op == Gate::Op::kLess || gate.op == Gate::Op::kLessEqual;
  if (!IsMeasureGate(gate) || (!up && !down) || !IsNumber(gate.bound)) return std::nullopt;
  GateAim aim;
  aim.gate_ = gate;
  aim.sign_ = up ? 1 : -1;
  aim.bound_ = AsDouble(gate.bound);
  if (const Measure* measure = FindMeasure(gate.name))
    aim.limit_ = up ? measure->max : measure->min;
  for (const DeclaredMeasure& declared : spec.measures) {
    if (declared.name == gate.name) aim.limit_ = up ? declared.max : declared.min;
  }
  // A loss has no limit of its own, and its logarithm is what falls steadily.
  if (!aim.limit_ && down && aim.bound_ > 0) aim.limit_ = 0;
  if (aim.limit_ == aim.bound_) aim.limit_.reset();
  if (aim.bound_ != 0) aim.unit_ = std::fabs(aim.bound_);
  return aim;
}

double GateAim::Distance(double value) const {
  if (!limit_) return -sign_ * value / unit_;
  const double missing = std::max(sign_ * (*limit_ - value), 0.0);
  return std::log(missing + kPartOfTarget * std::fabs(*limit_ - bound_));
}

TargetRule::TargetRule(const SweepSpec* spec)
    : spec_(spec), options_(*spec->early_terminate), judged_(spec->JudgedMeasures()) {
  for (const Gate& gate : spec->require) {
    if (std::optional<GateAim> aim = GateAim::Of(*spec, gate)) aims_.push_back(*std::move(aim));
  }
}

TargetRule::Kind TargetRule::KindOf(const Configuration& configuration, int epochs) const {
  Kind kind{.words = "", .epochs = epochs};
  std::string schedule;
  const auto add = [&](const std::string& name, const Value& value) {
    absl::StrAppend(&kind.words, name, "=", CanonicalText(value), "\n");
  };
  for (const auto& [name, value] : configuration.parameters) {
    // A program's own words may be anything, a schedule under another name too.
    if (name == "model" || (spec_->HasOwnTrainer() && !IsNumber(value))) add(name, value);
  }
  const ParameterMap& values = configuration.resolved;
  if (const auto found = values.find("schedule"); found != values.end()) {
    schedule = CanonicalText(found->second);
    add("schedule", found->second);
  }
  for (const ShapeName& shape : kShapeNames) {
    const auto found = values.find(std::string(shape.name));
    if (found == values.end()) continue;
    if (spec_->HasOwnTrainer() || Shapes(shape, schedule)) add(found->first, found->second);
  }
  return kind;
}

TargetRule::Plan TargetRule::PlanOf(std::int64_t configuration,
                                    const ParameterMap& parameters) const {
  Plan plan;
  const absl::StatusOr<Configuration> complete = spec_->Complete(configuration, parameters);
  if (!complete.ok()) return plan;
  plan.kind = KindOf(*complete, spec_->MakeTrialSpec(*complete, /*replicate=*/0).epochs);
  plan.step = StepOf(complete->resolved);
  plan.last_permitted = LastPermitted(*spec_, plan.kind.epochs);
  return plan;
}

std::vector<StopDecision> TargetRule::OnEpoch(const Observation& seen) {
  if (seen.parameters != nullptr) {
    plans_[seen.configuration] = PlanOf(seen.configuration, *seen.parameters);
  }
  const auto plan = plans_.find(seen.configuration);
  if (plan == plans_.end() || seen.measures == nullptr) return {};
  const auto [place, is_new] = trials_.try_emplace({seen.configuration, seen.replicate});
  Trial& trial = place->second;
  if (is_new) {
    trial.plan = plan->second;
    trial.distances.resize(aims_.size());
  }
  AddDistances(seen, &trial);
  // With the best epoch to decide, nothing can take it away.
  trial.has_met = spec_->gate_on == GateOn::kBest && trial.result.epochs_to_target > 0;
  if (trial.has_met || trial.is_given_up || trial.plan.last_permitted == 0) return {};
  if (seen.epoch < options_.min_epochs) return {};
  const std::string why = Judge(trial, seen.epoch);
  if (why.empty()) return {};
  trial.is_given_up = true;
  return {{.action = StopDecision::Action::kStop,
           .configuration = seen.configuration,
           .replicate = seen.replicate,
           .reason = fmt::format("stopped after epoch {}: {}", seen.epoch, why)}};
}

void TargetRule::AddDistances(const Observation& seen, Trial* trial) const {
  EpochMetrics judged{.epoch = seen.epoch, .values = {}};
  for (const std::string& name : judged_) {
    if (const std::optional<double> value = seen.measures->Get(name)) {
      judged.values.Set(name, *value);
    }
  }
  AddEpoch(*spec_, judged, &trial->result);
  for (std::size_t i = 0; i < aims_.size(); ++i) {
    std::vector<double>& distances = trial->distances[i];
    // An epoch that was omitted is as the one before.
    const double before = distances.empty() ? kInfinite : distances.back();
    distances.resize(static_cast<std::size_t>(std::max(seen.epoch, 1)) - 1, before);
    const double value = judged.values.GetOrNaN(aims_[i].gate().name);
    distances.push_back(std::isfinite(value) ? std::min(before, aims_[i].Distance(value)) : before);
  }
}

std::string TargetRule::Judge(const Trial& trial, int epoch) const {
  const int last = trial.plan.last_permitted;
  if (epoch >= last) {
    if (epoch >= trial.plan.kind.epochs || spec_->gate_on != GateOn::kBest) return "";
    return fmt::format("it has not met the criteria by epoch {}, the last one permitted", last);
  }
  const auto kind = kinds_.find(trial.plan.kind);
  if (kind == kinds_.end()) return "";
  // The risk is a share of those that would qualify, not of all: where one in a hundred does, a
  // hundredth of it may be spent on each trial. A trial is stopped once, so that what is lost is at
  // most this chance, whichever epoch and gate it is.
  const double least = options_.risk * kind->second.ShareQualified();
  for (std::size_t i = 0; i < aims_.size(); ++i) {
    const Learned& known = kind->second.learned[i][static_cast<std::size_t>(epoch) - 1];
    const double distance = trial.distances[i].back(), target = aims_[i].target();
    if (!std::isfinite(distance) || known.model.size() < options_.min_trials) continue;
    if (distance <= std::max(target, known.farthest_success)) continue;
    const double chance =
        known.model.ChanceBelow(distance, trial.plan.step, target, kLeastDeviation);
    if (chance >= least) continue;
    return fmt::format(
        "{} {} by epoch {} has a chance of {:.2g}, as {} trials of its network and schedule went",
        aims_[i].gate().name, aims_[i].gate().ToString(), last, chance, known.model.size());
  }
  return "";
}

std::vector<StopDecision> TargetRule::OnState(const Observation& seen) {
  if (seen.parameters != nullptr) {
    plans_[seen.configuration] = PlanOf(seen.configuration, *seen.parameters);
  }
  if (!IsTerminal(seen.state)) return {};
  const auto found = trials_.find({seen.configuration, seen.replicate});
  if (found == trials_.end()) return {};
  Learn(seen.state, &found->second);
  // One that failed or was cancelled goes on where it was, when a person retries it.
  if (seen.state == TrialState::kCompleted || seen.state == TrialState::kStopped) {
    trials_.erase(found);
  }
  return {};
}

// Every epoch of a trial whose end is known is an example of where such a curve ends. That of one
// that was stopped because it has met the gates counts too: without the best ones the model would
// know failures only.
void TargetRule::Learn(TrialState state, Trial* trial) {
  const Plan& plan = trial->plan;
  if (plan.last_permitted == 0 || trial->is_learned) return;
  const auto last = static_cast<std::size_t>(plan.last_permitted);
  const auto seen = static_cast<std::size_t>(trial->result.epoch);
  const bool is_whole = state == TrialState::kCompleted || seen >= last;
  const bool in_a_row = spec_->gate_on == GateOn::kLastK;
  const bool meets = spec_->gate_on == GateOn::kBest
                         ? trial->has_met
                         : trial->result.epochs_in_a_row >= (in_a_row ? spec_->gate_epochs : 1);
  // The last epochs decide of one that has ended there.
  const bool ended_well = trial->has_met || (in_a_row && meets && state == TrialState::kStopped);
  const bool was_given_up = trial->is_given_up && state == TrialState::kStopped;
  if (!is_whole && !ended_well && !was_given_up) return;
  KnownKind& kind = kinds_[plan.kind];
  if (kind.learned.empty()) kind.learned.assign(aims_.size(), std::vector<Learned>(last));
  trial->is_learned = true;
  ++kind.ended;
  if (meets) ++kind.qualified;
  if (!is_whole && !ended_well) return;
  for (std::size_t i = 0; i < aims_.size(); ++i) {
    std::vector<double> distances = trial->distances[i];
    if (distances.empty()) continue;
    // Epochs that were omitted; not those that one which was stopped has not had.
    if (is_whole) distances.resize(std::max(distances.size(), last), distances.back());
    const std::size_t known_epochs = std::min(distances.size(), last);
    double end = distances[known_epochs - 1];
    if (spec_->gate_on != GateOn::kBest) {
      const double value = trial->result.Last(aims_[i].gate().name);
      end = std::isfinite(value) ? aims_[i].Distance(value) : kInfinite;
    }
    if (!std::isfinite(end)) continue;
    for (std::size_t epoch = 0; epoch < known_epochs; ++epoch) {
      if (!std::isfinite(distances[epoch])) continue;
      Learned& known = kind.learned[i][epoch];
      known.model.Add(distances[epoch], plan.step, end);
      if (end > aims_[i].target()) continue;
      known.farthest_success = std::max(known.farthest_success, distances[epoch]);
    }
  }
}

}  // namespace sweep
