#include "coordinator/views/view_query.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/base/utf8.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxBytes = 8 << 10;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::int64_t kMaxPageRows = 200;  // per page

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Nullopt for a '%' without two digits.
std::optional<std::string> Decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

bool HasControlCharacters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

absl::StatusOr<std::string> Part(std::string_view text, bool plus_is_blank) {
  const std::optional<std::string> decoded = Decode(text, plus_is_blank);
  if (!decoded || BrokenUtf8Line(*decoded) != 0 || HasControlCharacters(*decoded)) {
    return absl::InvalidArgumentError(
        "the address has percent-encoded text that is not UTF-8 without control characters");
  }
  return *decoded;
}

// Removes the text before `separator`, and the separator, from `*rest`; returns the text.
std::string_view Next(std::string_view* rest, char separator) {
  const std::size_t end = std::min(rest->find(separator), rest->size());
  const std::string_view part = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return part;
}

}  // namespace

absl::StatusOr<ViewQuery> ViewQuery::Parse(std::string_view path, std::string_view query) {
  if (path.size() + query.size() > kMaxBytes) {
    return absl::InvalidArgumentError(fmt::format("the address has {} bytes; at most {} are read",
                                                  path.size() + query.size(), kMaxBytes));
  }
  ViewQuery result;
  while (!path.empty()) {
    const std::string_view part = Next(&path, '/');
    if (part.empty() || (result.path.empty() && part == "api")) continue;
    absl::StatusOr<std::string> decoded = Part(part, false);
    if (!decoded.ok()) return decoded.status();
    result.path.push_back(*std::move(decoded));
  }
  while (!query.empty()) {
    std::string_view value = Next(&query, '&');
    const std::string_view name = Next(&value, '=');
    if (name.empty()) continue;
    absl::StatusOr<std::string> decoded_name = Part(name, true);
    absl::StatusOr<std::string> decoded = Part(value, true);
    if (!decoded_name.ok()) return decoded_name.status();
    if (!decoded.ok()) return decoded.status();
    result.values.insert_or_assign(*std::move(decoded_name), *std::move(decoded));
  }
  return result;
}

std::string ViewQuery::Text(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

absl::StatusOr<std::int64_t> ViewQuery::Int(const std::string& name, std::int64_t preset,
                                            std::int64_t least, std::int64_t most) const {
  const std::string text = Text(name);
  if (text.empty()) return preset;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < least) {
    return absl::InvalidArgumentError(fmt::format("{} is '{}'; it must be an integer from {} on",
                                                  name, Shortened(text, kShownBytes), least));
  }
  return std::min(value, most);
}

absl::StatusOr<double> ViewQuery::Number(const std::string& name, double preset) const {
  const std::string text = Text(name);
  if (text.empty()) return preset;
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(value)) {
    return absl::InvalidArgumentError(
        fmt::format("{} is '{}'; it must be a number", name, Shortened(text, kShownBytes)));
  }
  return value;
}

absl::StatusOr<PageRange> ViewQuery::Page() const {
  const absl::StatusOr<std::int64_t> limit = Int("limit", 50, 1, kMaxPageRows);
  if (!limit.ok()) return limit.status();
  const absl::StatusOr<std::int64_t> offset = Int("offset", 0, 0, INT64_MAX / 2);
  if (!offset.ok()) return offset.status();
  return PageRange{.offset = *offset, .limit = *limit};
}

absl::StatusOr<std::int64_t> ParseTrialNumber(const std::string& text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && stop == text.data() + text.size() && number > 0) return number;
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not the number of a trial", Shortened(text, kShownBytes)));
}

absl::Status CheckSweepName(const std::string& name) {
  if (name.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("'{}' is not the name of a sweep: it has {} bytes",
                                                Shortened(name, kShownBytes), name.size()));
}

}  // namespace sweep
