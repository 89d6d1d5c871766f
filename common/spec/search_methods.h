#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// One word for `method` in a sweep file. What makes the points is in coordinator/search, under the
// same word.
struct SearchMethod {
  std::string_view word;
  bool finite;  // tries every point of the space, so that every parameter must list its values
  bool needs_run_cap;  // goes on for ever without one
  bool learns;         // its points depend on what earlier trials gave
  std::string_view help;
};

// All of them, in the order of docs/sweep-file.md.
std::span<const SearchMethod> SearchMethods();
std::vector<std::string> SearchMethodWords();
// nullptr when there is none.
const SearchMethod* FindSearchMethod(std::string_view word);
// That of a sweep file without `method`.
const SearchMethod* DefaultSearchMethod();

}  // namespace sweep
