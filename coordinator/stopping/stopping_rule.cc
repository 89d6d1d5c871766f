#include "coordinator/stopping/stopping_rule.h"

#include <algorithm>
#include <utility>

#include "coordinator/stopping/asha_rule.h"
#include "coordinator/stopping/bands_rule.h"
#include "coordinator/stopping/diverged_rule.h"
#include "coordinator/stopping/first_runs_rule.h"
#include "coordinator/stopping/hyperband_rule.h"
#include "coordinator/stopping/median_rule.h"
#include "coordinator/stopping/success_rule.h"
#include "coordinator/stopping/target_rule.h"

namespace sweep {
namespace {

// The most epochs that a trial of the sweep can have.
int LargestEpochs(const SweepSpec& spec) {
  double most = spec.epochs;
  for (const Parameter& parameter : spec.parameters) {
    if (parameter.name != "epochs") continue;
    most = parameter.values.empty() ? parameter.max : 0;
    for (const Value& value : parameter.values) most = std::max(most, AsDouble(value));
  }
  if (!spec.epochs_by_recipe) return static_cast<int>(most);
  for (const auto& [name, network] : spec.networks) {
    const Recipe* const recipe = network.FindRecipe(spec.recipe);
    if (recipe == nullptr) continue;
    const ParameterMap values = recipe->Merged();
    const auto epochs = values.find("epochs");
    if (epochs != values.end()) most = std::max(most, AsDouble(epochs->second));
  }
  return static_cast<int>(most);
}

std::unique_ptr<StoppingRule> MakeAsha(const EarlyTerminate& rule, int epochs, bool maximize) {
  const int eta = static_cast<int>(rule.eta);
  const bool promotes = rule.form == EarlyTerminate::Form::kPromotion;
  if (rule.brackets == 1) {
    return std::make_unique<AshaRule>(
        AshaRule::Options{.rungs = RungsBelow(epochs, rule.min_epochs, eta),
                          .eta = eta,
                          .promotes = promotes,
                          .maximize = maximize});
  }
  return std::make_unique<HyperbandRule>(HyperbandRule::Options{.epochs = epochs,
                                                                .first = rule.min_epochs,
                                                                .eta = eta,
                                                                .brackets = rule.brackets,
                                                                .promotes = promotes,
                                                                .maximize = maximize});
}

std::unique_ptr<StoppingRule> MakeNamed(const SweepSpec& spec) {
  const EarlyTerminate& rule = *spec.early_terminate;
  const bool maximize = spec.objective().maximize;
  switch (rule.type) {
    case EarlyTerminate::Type::kMedian:
      break;
    case EarlyTerminate::Type::kAsha:
      return MakeAsha(rule, LargestEpochs(spec), maximize);
    case EarlyTerminate::Type::kTarget:
      return std::make_unique<TargetRule>(&spec);
    case EarlyTerminate::Type::kHyperband:
      return std::make_unique<BandsRule>(rule, maximize);
  }
  return std::make_unique<MedianRule>(rule, maximize);
}

}  // namespace

std::unique_ptr<StoppingRule> StoppingRule::Make(const SweepSpec& spec) {
  std::unique_ptr<StoppingRule> rule;
  if (spec.early_terminate) {
    rule = std::make_unique<DivergedRule>(spec.objective().name, MakeNamed(spec));
  }
  if (rule != nullptr && spec.race) {
    rule = std::make_unique<FirstRunsRule>(spec.FirstReplicates(), std::move(rule));
  }
  if (spec.stop_when) rule = std::make_unique<SuccessRule>(&spec, std::move(rule));
  return rule;
}

}  // namespace sweep
