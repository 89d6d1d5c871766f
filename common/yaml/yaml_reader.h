#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/diagnostic.h"
#include "common/base/value.h"
#include "common/yaml/scalar.h"
#include "yaml-cpp/yaml.h"

namespace sweep {

// Sets the function that every Load calls on its thread before it reads; null removes it. Reading
// takes a while, so tests check which threads do it.
void ObserveYamlLoads(void (*observer)());

// One key of a mapping with its value.
struct YamlEntry {
  std::string key;
  YAML::Node value;
  int line = 0;  // line of the key
};

// Reads a YAML document and reports all its errors, each with its line. One reader per document.
// Not thread-safe.
class YamlReader {
 public:
  static constexpr std::size_t kMaxSizeBytes = 1 << 20;

  YamlReader(std::string file, Diagnostics* diagnostics,
             ScalarRules rules = ScalarRules::kCoreSchema);

  const std::string& file() const { return file_; }
  ScalarRules rules() const { return rules_; }
  void Error(int line, std::string message);
  // For values that are accepted but may be meant differently. Silent for stored sweeps.
  void Warning(int line, std::string message);
  // For an error in another file that this one refers to.
  void ErrorIn(std::string file, int line, std::string message);
  // Number of errors so far.
  std::size_t error_count() const { return CountErrors(*diagnostics_); }

  // The single document of `text`; nullopt when it is no YAML or larger or deeper than any sensible
  // file (aliases count as often as they are used).
  std::optional<YAML::Node> Load(std::string_view text);

  // The entries of a mapping, in the file's order. Reports anything but a mapping, keys that are no
  // words, repeated keys (the first counts) and empty values. `what` names the mapping.
  std::vector<YamlEntry> Entries(const YAML::Node& node, int line, std::string_view what);
  // As Entries by key, and reports keys that are not `known`; those in `later` are refused as not
  // built yet. `meant` maps other tools' names to known keys.
  std::map<std::string, YamlEntry> Keys(const YAML::Node& node, int line, std::string_view what,
                                        const std::vector<std::string>& known,
                                        const std::vector<std::string>& later = {},
                                        const std::map<std::string, std::string>& meant = {});

  // Typed values of an entry; nullopt after an error. `what` names the value, by default its key.
  // Warns of values that other YAML readers see differently.
  std::optional<Value> Scalar(const YamlEntry& entry, std::string what = "");
  // The text as written, whatever value it might be.
  std::optional<std::string> Text(const YamlEntry& entry);
  std::optional<std::int64_t> Int(const YamlEntry& entry, std::int64_t min, std::int64_t max);
  std::optional<double> Number(const YamlEntry& entry);
  // One of `words`, else an error.
  std::optional<std::string> Word(const YamlEntry& entry, const std::vector<std::string>& words);
  // As Scalar, or a list of scalars and lists.
  std::optional<Value> ScalarOrList(const YamlEntry& entry, std::string what = "");
  // The scalars and lists of a list, which must not be empty.
  std::optional<std::vector<Value>> ScalarsAndLists(const YamlEntry& entry, std::string what = "");
  // The scalars of a list, which must not be empty.
  std::optional<std::vector<Value>> Scalars(const YamlEntry& entry, std::string what = "");
  // The same as nodes, for lists of texts.
  std::optional<std::vector<YAML::Node>> Items(const YamlEntry& entry, std::string what = "");

 private:
  std::optional<Value> ValueOf(const YAML::Node& scalar, int line, const std::string& what);
  // Counts the items down from `items`; reports too many once.
  std::optional<Value> ListOf(const YAML::Node& list, int levels, int* items,
                              const std::string& what);
  bool IsBounded(const YAML::Node& node, int depth, int* budget);
  bool HasKnownTag(const YAML::Node& node);
  const std::string file_;
  Diagnostics* const diagnostics_;
  const ScalarRules rules_;
};

// 1-based line of a node; 0 when it has none.
int LineOf(const YAML::Node& node);
// The value of a scalar, with why it is refused or what to warn of. A quoted scalar is a string.
PlainScalar ReadScalar(const YAML::Node& scalar, ScalarRules rules = ScalarRules::kCoreSchema);
Value ScalarValue(const YAML::Node& scalar, ScalarRules rules = ScalarRules::kCoreSchema);
// Text that is equal for documents with the same meaning: comments, spacing, quoting style and the
// order of keys do not count. Requires a node that Load returned.
std::string CanonicalYaml(const YAML::Node& node, ScalarRules rules = ScalarRules::kCoreSchema);

}  // namespace sweep
