#include "coordinator/views/value_table.h"

#include <bit>

namespace sweep {

std::uint32_t TextTable::Add(std::string_view text) {
  const auto [found, is_new] =
      numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (is_new) texts_.emplace_back(text);
  return found->second;
}

void ValueTable::Resize(std::size_t rows) {
  kinds_.resize(rows * columns_);
  bits_.resize(rows * columns_);
}

void ValueTable::Put(std::size_t row, std::size_t column, const std::optional<Value>& value) {
  Kind& kind = kinds_[row * columns_ + column];
  std::uint64_t& bits = bits_[row * columns_ + column];
  if (!value) {
    kind = Kind::kMissing;
  } else if (const bool* const flag = std::get_if<bool>(&*value)) {
    kind = Kind::kBool;
    bits = *flag ? 1 : 0;
  } else if (const auto* const integer = std::get_if<std::int64_t>(&*value)) {
    kind = Kind::kInt;
    bits = std::bit_cast<std::uint64_t>(*integer);
  } else if (const double* const number = std::get_if<double>(&*value)) {
    kind = Kind::kDouble;
    bits = std::bit_cast<std::uint64_t>(*number);
  } else if (const auto* const text = std::get_if<std::string>(&*value)) {
    kind = Kind::kText;
    bits = texts_.Add(*text);
  } else {
    kind = Kind::kList;
    bits = texts_.Add(std::get<ListValue>(*value).json);
  }
}

std::optional<Value> ValueTable::Get(std::size_t row, std::size_t column) const {
  const std::uint64_t bits = bits_[row * columns_ + column];
  switch (kinds_[row * columns_ + column]) {
    case Kind::kMissing:
      return std::nullopt;
    case Kind::kBool:
      return Value(bits != 0);
    case Kind::kInt:
      return Value(std::bit_cast<std::int64_t>(bits));
    case Kind::kDouble:
      return Value(std::bit_cast<double>(bits));
    case Kind::kText:
      return Value(texts_.at(static_cast<std::uint32_t>(bits)));
    case Kind::kList:
      return Value(ListValue(texts_.at(static_cast<std::uint32_t>(bits))));
  }
  return std::nullopt;
}

}  // namespace sweep
