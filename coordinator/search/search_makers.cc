#include "coordinator/search/search_makers.h"

#include <algorithm>

#include "coordinator/search/finite_search.h"
#include "coordinator/search/random_search.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {
namespace {

std::unique_ptr<Search> MakeGrid(const SweepSpec* spec) {
  return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kFile);
}

// Whether the values of every parameter can be listed.
bool IsFinite(const SweepSpec& spec) {
  return std::all_of(spec.parameters.begin(), spec.parameters.end(),
                     [](const Parameter& parameter) { return parameter.GridSize() > 0; });
}

std::unique_ptr<Search> MakeRandom(const SweepSpec* spec) {
  // Parsing has counted the points of a space that is small enough to be enumerated.
  if (spec->points) return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kShuffled);
  return std::make_unique<RandomSearch>(spec, IsFinite(*spec));
}

std::unique_ptr<Search> MakeSobol(const SweepSpec* spec) {
  return std::make_unique<SobolSearch>(spec, IsFinite(*spec));
}

constexpr SearchMaker kMakers[] = {
    {"grid", MakeGrid},
    {"random", MakeRandom},
    {"sobol", MakeSobol},
};

}  // namespace

std::span<const SearchMaker> SearchMakers() { return kMakers; }

std::unique_ptr<Search> Search::Make(const SweepSpec* spec) {
  const auto maker =
      std::find_if(std::begin(kMakers), std::end(kMakers),
                   [&](const SearchMaker& entry) { return entry.word == spec->method->word; });
  // A test holds that every method has one.
  return maker->make(spec);
}

}  // namespace sweep
