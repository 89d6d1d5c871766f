#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/spec/search_methods.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// A word for `method` that leaves the choice to this build.
struct OpenMethod {
  std::string_view word;
  std::string_view help;
};

// The first one is the default.
std::span<const OpenMethod> OpenMethods();
bool IsOpenMethod(std::string_view word);
// These words and those of SearchMethods.
std::vector<std::string> MethodWords();

// Configurations that must have ended before a model of a method that learns is asked.
inline constexpr int kStartUpConfigurations = 10;

struct MethodChoice {
  const SearchMethod* method = nullptr;
  std::string reason;  // "auto: 60 configurations are few enough for a Gaussian process"
};

// The method for a sweep of which everything else has been read. Depends on the file alone. A
// stored sweep keeps its method: a change of these rules needs another edition (kSweepEdition).
MethodChoice ChooseMethod(std::string_view word, const SweepSpec& spec);

}  // namespace sweep
