#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "coordinator/store/rows.h"

namespace sweep {

// What columns of JSON mean, by their texts. The writer reads the same trials at every report; with
// this it parses a text once. Private to this library.
class DecodedTexts {
 public:
  // nullptr when it is not known. Valid until the next Keep.
  template <typename T>
  const T* Find(std::string_view text) const {
    const auto& known = std::get<Known<T>>(known_);
    const auto found = known.find(text);
    return found == known.end() ? nullptr : &found->second;
  }
  template <typename T>
  void Keep(std::string_view text, const T& value) {
    auto& known = std::get<Known<T>>(known_);
    if (known.size() >= kMost) known.clear();
    known.emplace(text, value);
  }

 private:
  // Of each type. A busy coordinator has a few hundred trials at work.
  static constexpr std::size_t kMost = 256;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <typename T>
  using Known = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  std::tuple<Known<ParameterMap>, Known<MeasureSummaries>, Known<Standing>> known_;
};

}  // namespace sweep
