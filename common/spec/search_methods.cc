#include "common/spec/search_methods.h"

namespace sweep {
namespace {

constexpr SearchMethod kMethods[] = {
    {.word = "grid",
     .finite = true,
     .needs_run_cap = false,
     .learns = false,
     .help = "every combination"},
    {.word = "random",
     .finite = false,
     .needs_run_cap = true,
     .learns = false,
     .help = "run_cap draws, without repeating a point of a space that can be listed"},
    {.word = "sobol",
     .finite = false,
     .needs_run_cap = true,
     .learns = false,
     .help = "run_cap points of a scrambled Sobol sequence, spread more evenly than draws"},
    {.word = "tpe",
     .finite = false,
     .needs_run_cap = true,
     .learns = true,
     .help = "run_cap points near the best ones so far, by a tree-structured Parzen estimator"},
    {.word = "gp",
     .finite = false,
     .needs_run_cap = true,
     .learns = true,
     .help = "run_cap points where a Gaussian process expects most"},
    {.word = "cmaes",
     .finite = false,
     .needs_run_cap = true,
     .learns = true,
     .numbers_only = true,
     .help = "run_cap points of an evolution strategy (CMA-ES), for spaces of numbers"},
    {.word = "pbt",
     .finite = false,
     .needs_run_cap = false,
     .learns = true,
     .has_population = true,
     .only_own_points = true,
     .may_resume = true,
     .help = "population based training: the worst of a population go on from the weights of the "
             "best, with changed values"},
};

}  // namespace

std::span<const SearchMethod> SearchMethods() { return kMethods; }

std::vector<std::string> SearchMethodWords() {
  std::vector<std::string> words;
  for (const SearchMethod& method : kMethods) words.emplace_back(method.word);
  return words;
}

const SearchMethod* FindSearchMethod(std::string_view word) {
  for (const SearchMethod& method : kMethods) {
    if (method.word == word) return &method;
  }
  return nullptr;
}

}  // namespace sweep
