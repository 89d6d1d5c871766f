#include "coordinator/search/search_makers.h"

#include <algorithm>
#include <utility>

#include "common/spec/search_space.h"
#include "coordinator/search/cma_search.h"
#include "coordinator/search/finite_search.h"
#include "coordinator/search/first_points.h"
#include "coordinator/search/gp_search.h"
#include "coordinator/search/pbt_search.h"
#include "coordinator/search/random_search.h"
#include "coordinator/search/sobol_search.h"
#include "coordinator/search/tpe_search.h"

namespace sweep {
namespace {

std::unique_ptr<Search> MakeGrid(const SweepSpec* spec) {
  return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kFile);
}

std::unique_ptr<Search> MakeRandom(const SweepSpec* spec) {
  // The parser has counted the points if the space is small enough to enumerate.
  if (spec->points && TriesNoPointTwice(*spec)) {
    return std::make_unique<FiniteSearch>(spec, FiniteSearch::Order::kShuffled);
  }
  return std::make_unique<RandomSearch>(spec, TriesNoPointTwice(*spec));
}

std::unique_ptr<Search> MakeSobol(const SweepSpec* spec) {
  return std::make_unique<SobolSearch>(spec, TriesNoPointTwice(*spec));
}

std::unique_ptr<Search> MakeTpe(const SweepSpec* spec) {
  return std::make_unique<TpeSearch>(spec, TriesNoPointTwice(*spec));
}

std::unique_ptr<Search> MakeGp(const SweepSpec* spec) {
  return std::make_unique<GpSearch>(spec, TriesNoPointTwice(*spec));
}

std::unique_ptr<Search> MakeCmaes(const SweepSpec* spec) {
  return std::make_unique<CmaSearch>(spec, TriesNoPointTwice(*spec));
}

std::unique_ptr<Search> MakePbt(const SweepSpec* spec) { return std::make_unique<PbtSearch>(spec); }

constexpr SearchMaker kMakers[] = {
    {"grid", MakeGrid}, {"random", MakeRandom}, {"sobol", MakeSobol}, {"tpe", MakeTpe},
    {"gp", MakeGp},     {"cmaes", MakeCmaes},   {"pbt", MakePbt},
};

}  // namespace

std::span<const SearchMaker> SearchMakers() { return kMakers; }

std::unique_ptr<Search> Search::Make(const SweepSpec* spec) { return Make(spec, {}); }

std::unique_ptr<Search> Search::Make(const SweepSpec* spec, SearchStart start) {
  const auto maker =
      std::find_if(std::begin(kMakers), std::end(kMakers),
                   [&](const SearchMaker& entry) { return entry.word == spec->method->word; });
  // A test ensures that every method has a maker.
  std::unique_ptr<Search> search = maker->make(spec);
  if (!start.earlier.empty()) search->TakeEarlier(start.earlier);
  // A population begins with the points of `try_first` itself.
  const bool has_first = !spec->try_first.empty() && !spec->HasPopulation();
  if (start.made.empty() && !has_first) return search;
  return std::make_unique<FirstPoints>(spec, std::move(search), start.made,
                                       TriesNoPointTwice(*spec));
}

}  // namespace sweep
