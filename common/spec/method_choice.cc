#include "common/spec/method_choice.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/spec/dimensions.h"

namespace sweep {
namespace {

constexpr OpenMethod kOpen[] = {
    {.word = "auto", .help = "the method that fits the budget and the parameters"},
    {.word = "bayes", .help = "the model that fits the budget and the parameters"},
};

// A Gaussian process takes time cubic in the number of points, and has little to say in more
// dimensions.
constexpr std::int64_t kMostConfigurations = 500;
constexpr std::size_t kMostDimensions = 20;

// True when an evolution strategy can search the space, a range of it has no end of values, and
// configurations end: those on hold would be in no generation.
bool IsForEvolution(const SweepSpec& spec, const SearchSpace& space) {
  const std::vector<Dimension>& dimensions = space.dimensions();
  const bool ordered = std::all_of(dimensions.begin(), dimensions.end(),
                                   [](const Dimension& one) { return one.ordered; });
  const bool always = std::all_of(spec.parameters.begin(), spec.parameters.end(),
                                  [](const Parameter& one) { return !one.when; });
  const bool endless =
      std::any_of(spec.parameters.begin(), spec.parameters.end(),
                  [](const Parameter& one) { return one.GridSize() == 0 && one.q == 0; });
  const bool holds = spec.early_terminate && spec.early_terminate->Holds();
  return ordered && always && endless && !holds;
}

}  // namespace

std::span<const OpenMethod> OpenMethods() { return kOpen; }

bool IsOpenMethod(std::string_view word) {
  return std::any_of(std::begin(kOpen), std::end(kOpen),
                     [&](const OpenMethod& one) { return one.word == word; });
}

std::vector<std::string> MethodWords() {
  std::vector<std::string> words;
  for (const OpenMethod& one : kOpen) words.emplace_back(one.word);
  for (const SearchMethod& one : SearchMethods()) words.emplace_back(one.word);
  return words;
}

MethodChoice ChooseMethod(std::string_view word, const SweepSpec& spec) {
  const auto choose = [&](std::string_view method, const std::string& reason) {
    return MethodChoice{.method = FindSearchMethod(method),
                        .reason = absl::StrCat(std::string(word), ": ", reason)};
  };
  const SearchSpace space(&spec);
  const std::size_t dimensions = space.dimensions().size();
  const std::int64_t planned = spec.PlannedConfigurations();
  const std::string budget =
      absl::StrCat(planned, planned == 1 ? " configuration is " : " configurations are ");
  // `bayes` took a model by the first one before edition 4.
  if (spec.objectives.size() > 1 && (word == "auto" || spec.edition >= 4)) {
    return choose("sobol", "no model weighs several metrics");
  }
  // What an earlier sweep has found is there to learn from.
  if (word == "auto" && planned <= kStartUpConfigurations && spec.warm_start.empty()) {
    return choose("sobol", budget + "too few to learn from");
  }
  const bool evolves = spec.edition >= 4 && IsForEvolution(spec, space);
  const auto without_process = [&](const std::string& why) {
    const std::string reason = why + "too many for a Gaussian process";
    if (!evolves) return choose("tpe", reason);
    return choose("cmaes", reason + ", and all parameters are numbers");
  };
  if (planned > kMostConfigurations) return without_process(budget);
  if (dimensions > kMostDimensions) {
    return without_process(absl::StrCat(dimensions, " parameters are "));
  }
  return choose("gp", budget + "few enough for a Gaussian process");
}

}  // namespace sweep
