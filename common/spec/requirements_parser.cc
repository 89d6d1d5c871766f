#include "common/spec/requirements_parser.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxLabels = 32;
constexpr std::size_t kMaxLabelBytes = 256;
constexpr double kMaxMemory = 1e15;

constexpr std::pair<std::string_view, double> kUnits[] = {
    {"B", 1},         {"kB", 1e3},      {"MB", 1e6},
    {"GB", 1e9},      {"TB", 1e12},     {"KiB", 1024},
    {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1099511627776.0}};

// nullopt when it is no positive number with a unit.
std::optional<std::int64_t> BytesOf(const std::string& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, digits), &number)) return std::nullopt;
  const std::string unit(absl::StripAsciiWhitespace(text.substr(digits)));
  for (const auto& [name, size] : kUnits) {
    if (name != unit || !(number * size >= 1) || number * size > kMaxMemory) continue;
    return static_cast<std::int64_t>(std::llround(number * size));
  }
  return std::nullopt;
}

// "KEY" or "KEY=VALUE".
bool IsLabel(const std::string& text) {
  return text.size() <= kMaxLabelBytes && IsValidName(text.substr(0, text.find('=')));
}

// Reads the mapping; one object for each.
class RequirementsParser {
 public:
  RequirementsParser(const YamlEntry& entry, YamlReader* reader) : reader_(*reader) {
    keys_ =
        reader_.Keys(entry.value, entry.line,
                     "'requires', which says what a worker must have (gates stand in 'require')",
                     {"device", "labels", "memory", "build"});
  }

  WorkerRequirements Run() {
    if (const YamlEntry* entry = Find("device")) {
      required_.device = reader_.Word(*entry, {"cpu", "cuda"}).value_or("");
    }
    if (const YamlEntry* entry = Find("labels")) ReadLabels(*entry);
    if (const YamlEntry* entry = Find("memory")) ReadMemory(*entry);
    if (const YamlEntry* entry = Find("build")) ReadBuild(*entry);
    return std::move(required_);
  }

 private:
  const YamlEntry* Find(const std::string& key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : &found->second;
  }

  void ReadLabels(const YamlEntry& entry) {
    if (entry.value.IsMap()) {
      for (const YamlEntry& label : reader_.Entries(entry.value, entry.line, "'labels'")) {
        const std::optional<std::string> value = reader_.Text(label);
        if (value) AddLabel(absl::StrCat(label.key, "=", *value), label.line);
      }
    } else {
      const auto nodes = reader_.Items(entry, "'labels' of 'requires'");
      for (const YAML::Node& node : nodes.value_or(std::vector<YAML::Node>())) {
        const int line = LineOf(node);
        const std::optional<std::string> label = reader_.Text({"labels", node, line});
        if (label) AddLabel(*label, line);
      }
    }
    std::vector<std::string>& labels = required_.labels;
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    if (labels.size() > kMaxLabels) {
      reader_.Error(entry.line, absl::StrCat("'labels' of 'requires' has ", labels.size(),
                                             " entries; the limit is ", kMaxLabels));
    }
  }

  void AddLabel(const std::string& label, int line) {
    if (IsLabel(label)) {
      required_.labels.push_back(label);
    } else {
      reader_.Error(line, absl::StrCat("label ", Shown(label),
                                       " of 'requires' must be KEY or "
                                       "KEY=VALUE, as workers have it by --label: a name of "
                                       "letters, digits, '.', '_' and '-'"));
    }
  }

  void ReadMemory(const YamlEntry& entry) {
    const std::optional<std::string> text = reader_.Text(entry);
    if (!text) return;
    if (const std::optional<std::int64_t> bytes = BytesOf(*text)) {
      required_.memory_bytes = *bytes;
    } else {
      reader_.Error(entry.line, absl::StrCat("'memory' of 'requires' must be a number with a unit, "
                                             "such as 8 GB or 16 GiB, not ",
                                             Shown(*text)));
    }
  }

  void ReadBuild(const YamlEntry& entry) {
    const std::optional<std::string> text = reader_.Text(entry);
    if (!text) return;
    const std::vector<int> numbers = VersionNumbers(*text);
    if (numbers.empty() || absl::StrJoin(numbers, ".") != *text) {
      reader_.Error(entry.line,
                    absl::StrCat("'build' of 'requires' must be a version in quotes, such as "
                                 "\"1.2\" or \"1.2.3\", not ",
                                 Shown(*text)));
    } else {
      required_.build = *text;
    }
  }

  YamlReader& reader_;
  std::map<std::string, YamlEntry> keys_;
  WorkerRequirements required_;
};

}  // namespace

WorkerRequirements ParseWorkerRequirements(const YamlEntry& entry, YamlReader* reader) {
  return RequirementsParser(entry, reader).Run();
}

}  // namespace sweep
