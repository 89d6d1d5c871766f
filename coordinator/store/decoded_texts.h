#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/text_map.h"
#include "coordinator/store/rows.h"

namespace sweep {

// What columns of JSON mean, by their texts. The writer reads the same trials at every report; with
// this it parses a text once. Private to this library.
class DecodedTexts {
 public:
  // nullptr when it is not known. Valid until the next Find or Keep.
  template <typename T>
  const T* Find(std::string_view text) {
    Known<T>& known = std::get<Known<T>>(known_);
    if (const auto found = known.recent.find(text); found != known.recent.end()) {
      return &found->second;
    }
    const auto found = known.older.find(text);
    if (found == known.older.end()) return nullptr;
    // What is still asked for survives the next change of generations.
    return &Add(&known, text, T(std::move(found->second)));
  }
  template <typename T>
  void Keep(std::string_view text, const T& value) {
    Add(&std::get<Known<T>>(known_), text, T(value));
  }

 private:
  // Of each type and generation. A trial at work has two texts of parameters, and two new ones at
  // each report.
  static constexpr std::size_t kMost = 1024;
  template <typename T>
  struct Known {
    TextMap<T> recent, older;
  };

  template <typename T>
  const T& Add(Known<T>* known, std::string_view text, T value) {
    if (known->recent.size() >= kMost) known->older = std::exchange(known->recent, {});
    return known->recent.insert_or_assign(std::string(text), std::move(value)).first->second;
  }

  std::tuple<Known<SharedParameters>, Known<MeasureSummaries>, Known<Standing>> known_;
};

}  // namespace sweep
