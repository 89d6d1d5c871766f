#pragma once

// Internal to common/protocol: strict reading of JSON lines.

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

constexpr int kMaxInt = std::numeric_limits<int>::max();

// Limit on the length of a protocol line.
inline constexpr std::size_t kMaxLineBytes = 1 << 20;

// Parses one line that must be a JSON object. With kBare, unquoted NaN, Infinity and -Infinity, as
// Python's json.dumps writes them, become those strings. Throws ProtocolError for a line that is
// too long, too deep, no JSON or no object; `what` names the line in the message.
enum class NonFinite { kQuoted, kBare };
nlohmann::json ParseObject(std::string_view line, std::string_view what,
                           NonFinite non_finite = NonFinite::kQuoted);

// One line without a newline. Bytes that are not UTF-8 become U+FFFD.
std::string DumpLine(const nlohmann::ordered_json& object);

// A value for a message: JSON text, shortened if long.
std::string ShortText(const nlohmann::json& value);

// An interval of allowed numbers.
struct Range {
  double min;
  double max;
  bool open_min = false;
  bool open_max = false;
  bool Contains(double value) const;
  std::string Describe() const;  // "at least 0 and below 1"
};

// Reads the fields of one object. A missing field leaves the target unchanged; use Require for
// mandatory ones. A field of the wrong type or out of range throws a ProtocolError that names the
// field (after `path`) and the value. Does not own the object.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  bool Has(const char* name) const { return object_.contains(name); }
  // Throws unless all of the fields exist.
  void Require(std::initializer_list<const char*> names) const;

  void Int(const char* name, int min, int max, int* target) const;
  void Unsigned(const char* name, std::uint64_t* target) const;
  void Double(const char* name, const Range& range, double* target) const;
  // Accepts any number, and "NaN", "Infinity" and "-Infinity".
  void AnyDouble(const char* name, double* target) const;
  void Bool(const char* name, bool* target) const;
  void String(const char* name, std::string* target) const;
  void Choice(const char* name, const std::vector<std::string>& choices, std::string* target) const;

  // The field, or nullptr when it is missing.
  const nlohmann::json* Find(const char* name) const;
  [[noreturn]] void Fail(const std::string& name, const nlohmann::json& value,
                         const std::string& expected) const;

 private:
  const nlohmann::json& object_;
  std::string path_;  // "" or "network.layers[3]."
};

}  // namespace sweep
