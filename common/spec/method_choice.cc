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
  if (planned > kMostConfigurations) {
    return choose("tpe", budget + "too many for a Gaussian process");
  }
  if (dimensions > kMostDimensions) {
    return choose("tpe",
                  absl::StrCat(dimensions, " parameters are too many for a Gaussian process"));
  }
  return choose("gp", budget + "few enough for a Gaussian process");
}

}  // namespace sweep
