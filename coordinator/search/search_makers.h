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

}  // namespace sweep
