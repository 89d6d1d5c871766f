#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/value.h"

namespace sweep {

// Assigns small numbers to texts, to store repeated texts once.
class TextTable {
 public:
  std::uint32_t Add(std::string_view text);
  const std::string& at(std::uint32_t index) const { return texts_[index]; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// A table of values of any kind, in 9 bytes per value. Not thread-safe.
class ValueTable {
 public:
  explicit ValueTable(std::size_t columns) : columns_(columns) {}

  // New rows have no values.
  void Resize(std::size_t rows);
  void Put(std::size_t row, std::size_t column, const std::optional<Value>& value);
  std::optional<Value> Get(std::size_t row, std::size_t column) const;

 private:
  enum class Kind : std::uint8_t { kMissing, kBool, kInt, kDouble, kText, kList };

  std::size_t columns_;
  // Indexed by row × columns + column. Two vectors, since a struct of both would take 16 bytes.
  std::vector<Kind> kinds_;
  std::vector<std::uint64_t> bits_;
  TextTable texts_;
};

}  // namespace sweep
