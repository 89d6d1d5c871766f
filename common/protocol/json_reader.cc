#include "common/protocol/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/nearest.h"
#include "common/base/value.h"
#include "common/protocol/trial_spec.h"

namespace sweep {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;

std::string Limit(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value)
             ? std::to_string(static_cast<std::int64_t>(value))
             : FormatDouble(value);
}

// A line whose bare NaN, Infinity and -Infinity, as Python's json.dumps writes them, became JSON
// strings.
struct QuotedLine {
  std::string text;
  std::vector<std::size_t> quotes;  // positions of the added quotes in `text`
};

QuotedLine QuoteNonFinite(std::string_view line) {
  QuotedLine quoted;
  bool in_string = false;
  for (std::size_t at = 0; at < line.size();) {
    std::string_view token;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (!in_string && line.substr(at).starts_with(word)) token = word;
    }
    if (!token.empty()) {
      quoted.quotes.push_back(quoted.text.size());
      quoted.text.append(1, '"').append(token);
      quoted.quotes.push_back(quoted.text.size());
      quoted.text += '"';
      at += token.size();
      continue;
    }
    const std::size_t length = in_string && line[at] == '\\' ? 2 : 1;
    if (line[at] == '"') in_string = !in_string;
    quoted.text += line.substr(at, length);
    at += length;
  }
  return quoted;
}

// Throws like json::parse, and ProtocolError for a line that is nested too deeply.
json Parse(std::string_view line, std::string_view what) {
  return json::parse(line, [&](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) {
      throw ProtocolError(std::string(what) + " is nested deeper than " +
                          std::to_string(kMaxDepth) + " levels");
    }
    return true;
  });
}

// Most lines have only finite numbers and need no quoting.
json ParseLine(std::string_view line, std::string_view what, NonFinite non_finite) {
  std::size_t byte = 0;
  try {
    return Parse(line, what);
  } catch (const json::parse_error& error) {
    byte = error.byte;
  }
  if (non_finite == NonFinite::kBare) {
    const QuotedLine quoted = QuoteNonFinite(line);
    try {
      return Parse(quoted.text, what);
    } catch (const json::parse_error& error) {
      const auto added = std::count_if(quoted.quotes.begin(), quoted.quotes.end(),
                                       [&](std::size_t at) { return at < error.byte; });
      byte = error.byte - static_cast<std::size_t>(added);
    }
  }
  // error.what() is not used: it repeats bytes of the line, which may not be text.
  throw ProtocolError(std::string(what) + " is no valid JSON at byte " + std::to_string(byte));
}

std::string OneOf(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += choices[i];
  }
  return text;
}

}  // namespace

json ParseObject(std::string_view line, std::string_view what, NonFinite non_finite) {
  if (line.size() > kMaxLineBytes) {
    throw ProtocolError(std::string(what) + " of " + std::to_string(line.size()) +
                        " bytes is longer than 1 MiB");
  }
  try {
    json object = ParseLine(line, what, non_finite);
    if (!object.is_object()) throw ProtocolError(std::string(what) + " is no JSON object");
    return object;
  } catch (const json::exception&) {  // a number beyond double's range
    throw ProtocolError(std::string(what) + " has a number that is out of range");
  }
}

std::string DumpLine(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string ShortText(const json& value) {
  constexpr std::size_t kMost = 60;
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() > kMost ? text.substr(0, kMost) + "…" : text;
}

bool Range::Contains(double value) const {
  return (open_min ? value > min : value >= min) && (open_max ? value < max : value <= max);
}

std::string Range::Describe() const {
  const std::string low = (open_min ? "above " : "at least ") + Limit(min);
  if (std::isinf(max)) return low;
  return low + " and " + (open_max ? "below " : "at most ") + Limit(max);
}

const json* JsonReader::Find(const char* name) const {
  const auto it = object_.find(name);
  return it == object_.end() ? nullptr : &*it;
}

void JsonReader::Fail(const std::string& name, const json& value,
                      const std::string& expected) const {
  throw ProtocolError(path_ + name + " is " + ShortText(value) + "; it must be " + expected);
}

void JsonReader::Require(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (!Has(name)) throw ProtocolError(path_ + name + " is missing");
  }
}

void JsonReader::Int(const char* name, int min, int max, int* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  const std::string expected =
      max == std::numeric_limits<int>::max()
          ? "an integer, at least " + std::to_string(min)
          : "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  if (!value->is_number_integer()) Fail(name, *value, expected);
  // An unsigned value beyond int64 would wrap in get<int64_t>().
  const bool too_big =
      value->is_number_unsigned() &&
      value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  if (too_big) Fail(name, *value, expected);
  const auto number = value->get<std::int64_t>();
  if (number < min || number > max) Fail(name, *value, expected);
  *target = static_cast<int>(number);
}

void JsonReader::Unsigned(const char* name, std::uint64_t* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_number_unsigned()) Fail(name, *value, "an integer from 0 to 2^64 - 1");
  *target = value->get<std::uint64_t>();
}

void JsonReader::Double(const char* name, const Range& range, double* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_number()) Fail(name, *value, "a number, " + range.Describe());
  const double number = value->get<double>();
  if (!std::isfinite(number) || !range.Contains(number)) Fail(name, *value, range.Describe());
  *target = number;
}

void JsonReader::AnyDouble(const char* name, double* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value->is_number()) {
    *target = value->get<double>();
  } else if (*value == "NaN") {
    *target = std::numeric_limits<double>::quiet_NaN();
  } else if (*value == "Infinity") {
    *target = kInfinity;
  } else if (*value == "-Infinity") {
    *target = -kInfinity;
  } else {
    Fail(name, *value, R"(a number, "NaN", "Infinity" or "-Infinity")");
  }
}

void JsonReader::Bool(const char* name, bool* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) Fail(name, *value, "true or false");
  *target = value->get<bool>();
}

void JsonReader::String(const char* name, std::string* target) const {
  const json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_string()) Fail(name, *value, "a string");
  *target = value->get<std::string>();
}

void JsonReader::Choice(const char* name, const std::vector<std::string>& choices,
                        std::string* target) const {
  std::string word = *target;
  String(name, &word);
  for (const std::string& choice : choices) {
    if (word == choice) {
      *target = word;
      return;
    }
  }
  Fail(name, word, OneOf(choices) + DidYouMean(word, choices));
}

}  // namespace sweep
