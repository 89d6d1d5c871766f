#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "coordinator/search/search.h"

namespace sweep {

// Creates the search of a method; the words are those of common/spec/search_methods.h.
struct SearchMaker {
  std::string_view word;
  std::unique_ptr<Search> (*make)(const SweepSpec* spec);
};

std::span<const SearchMaker> SearchMakers();

// True when the values of every parameter can be counted, though not always listed: multiples of q
// in a distribution that is not uniform have no list.
bool HasFiniteSpace(const SweepSpec& spec);
// True when no point is to be tried twice although a search could run out of points: it has a
// finite space, and the file does not ask for repeated points.
bool AllDistinct(const SweepSpec& spec);

}  // namespace sweep
