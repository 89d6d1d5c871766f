#include "common/yaml/yaml_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/yaml/document_scan.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr int kMaxNodes = 20'000;
constexpr int kMaxDepth = 16;

bool LooksLikeNumber(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (!text.empty() && text[0] == '.') text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

// Not a std::string_view: Debian's absl::StrCat takes none.
const char* KindOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "a single value";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "empty";
  }
}

// The most frequent slip of a gate: `>` starts a block of text in YAML.
std::string SyntaxHint(std::string_view text, int line) {
  for (int i = 1; i < line && !text.empty(); ++i) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  const std::string_view bad = text.substr(0, text.find('\n'));
  if (bad.find(": >") == std::string_view::npos) return "";
  return " (a comparison must be quoted: \">= 0.994\")";
}

std::string Quoted(const std::string& text) { return absl::StrCat(text.size(), ":", text); }

}  // namespace

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

Value ScalarValue(const YAML::Node& scalar) {
  const std::string& text = scalar.Scalar();
  // yaml-cpp tags what is quoted "!" and what is plain "?" or nothing.
  if (scalar.Tag() == "!" || scalar.Tag() == "tag:yaml.org,2002:str") return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (!LooksLikeNumber(text)) return text;
  std::int64_t integer = 0;
  if (absl::SimpleAtoi(text, &integer)) return integer;
  double number = 0;
  if (absl::SimpleAtod(text, &number) && std::isfinite(number)) return number;
  return text;
}

std::string CanonicalYaml(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar: {
      const Value value = ScalarValue(node);
      return absl::StrCat(std::string(IsNumber(value) ? "number" : TypeName(value)), " ",
                          Quoted(FormatValue(value)));
    }
    case YAML::NodeType::Sequence: {
      std::vector<std::string> items;
      for (const YAML::Node& item : node) items.push_back(CanonicalYaml(item));
      return absl::StrCat("[", absl::StrJoin(items, ","), "]");
    }
    case YAML::NodeType::Map: {
      std::vector<std::string> items;
      for (const auto& item : node) {
        items.push_back(absl::StrCat(CanonicalYaml(item.first), "=", CanonicalYaml(item.second)));
      }
      std::sort(items.begin(), items.end());
      return absl::StrCat("{", absl::StrJoin(items, ","), "}");
    }
    default:
      return "null";
  }
}

YamlReader::YamlReader(std::string file, Diagnostics* diagnostics)
    : file_(std::move(file)), diagnostics_(diagnostics) {}

void YamlReader::Error(int line, std::string message) { ErrorIn(file_, line, std::move(message)); }

void YamlReader::ErrorIn(std::string file, int line, std::string message) {
  diagnostics_->push_back({std::move(file), line, std::move(message)});
}

bool YamlReader::IsBounded(const YAML::Node& node, int depth, int* budget) {
  if (depth > kMaxDepth || --*budget < 0) {
    Error(LineOf(node), depth > kMaxDepth
                            ? absl::StrCat("nested deeper than ", kMaxDepth, " levels")
                            : absl::StrCat("more than ", kMaxNodes, " values"));
    return false;
  }
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (!IsBounded(item, depth + 1, budget)) return false;
    }
  } else if (node.IsMap()) {
    for (const auto& item : node) {
      if (!IsBounded(item.first, depth + 1, budget)) return false;
      if (!IsBounded(item.second, depth + 1, budget)) return false;
    }
  }
  return true;
}

std::optional<YAML::Node> YamlReader::Load(std::string_view text) {
  if (text.size() > kMaxSizeBytes) {
    Error(0, absl::StrCat("has ", text.size(), " bytes; the limit is ", kMaxSizeBytes));
    return std::nullopt;
  }
  try {
    const std::string copy(text);
    const YamlFault fault = ScanYaml(copy, kMaxNodes);
    if (!fault.message.empty()) {
      Error(fault.line, fault.message);
      return std::nullopt;
    }
    YAML::Node document = YAML::Load(copy);
    int budget = kMaxNodes;
    if (!IsBounded(document, 0, &budget)) return std::nullopt;
    return document;
  } catch (const YAML::Exception& e) {
    const int line = e.mark.line + 1;
    Error(line, absl::StrCat("not valid YAML: ", e.msg, SyntaxHint(text, line)));
    return std::nullopt;
  }
}

std::vector<YamlEntry> YamlReader::Entries(const YAML::Node& node, int line,
                                           std::string_view what) {
  std::vector<YamlEntry> entries;
  if (!node.IsMap()) {
    Error(line,
          absl::StrCat(std::string(what), " must be a mapping (key: value), not ", KindOf(node)));
    return entries;
  }
  for (const auto& item : node) {
    if (!item.first.IsScalar()) {
      Error(LineOf(item.first), absl::StrCat("a key of ", std::string(what),
                                             " must be a word, not ", KindOf(item.first)));
      continue;
    }
    YamlEntry entry{item.first.Scalar(), item.second, LineOf(item.first)};
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&](const YamlEntry& e) { return e.key == entry.key; });
    if (same != entries.end()) {
      Error(entry.line,
            absl::StrCat("'", entry.key, "' is given twice; first on line ", same->line));
    } else if (entry.value.IsNull()) {
      Error(entry.line, absl::StrCat("'", entry.key, "' has no value"));
    } else {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

std::map<std::string, YamlEntry> YamlReader::Keys(const YAML::Node& node, int line,
                                                  std::string_view what,
                                                  const std::vector<std::string>& known,
                                                  const std::vector<std::string>& later) {
  const auto contains = [](const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  std::map<std::string, YamlEntry> keys;
  for (YamlEntry& entry : Entries(node, line, what)) {
    if (contains(known, entry.key)) {
      std::string key = entry.key;
      keys.emplace(std::move(key), std::move(entry));
    } else if (contains(later, entry.key)) {
      Error(entry.line,
            absl::StrCat("'", entry.key, "' is not built yet in this version (remove it)"));
    } else {
      const std::string hint = DidYouMean(entry.key, known);
      Error(entry.line,
            absl::StrCat(
                "unknown key ", Shown(entry.key), " in ", std::string(what),
                hint.empty() ? absl::StrCat("; it has ", absl::StrJoin(known, ", ")) : hint));
    }
  }
  return keys;
}

std::optional<Value> YamlReader::Scalar(const YamlEntry& entry) {
  if (entry.value.IsScalar()) return ScalarValue(entry.value);
  Error(entry.line,
        absl::StrCat("'", entry.key, "' must be a single value, not ", KindOf(entry.value)));
  return std::nullopt;
}

std::optional<std::string> YamlReader::Text(const YamlEntry& entry) {
  if (!Scalar(entry)) return std::nullopt;
  return entry.value.Scalar();
}

std::optional<std::int64_t> YamlReader::Int(const YamlEntry& entry, std::int64_t min,
                                            std::int64_t max) {
  const std::optional<Value> value = Scalar(entry);
  if (!value) return std::nullopt;
  const std::int64_t* integer = std::get_if<std::int64_t>(&*value);
  if (integer != nullptr && *integer >= min && *integer <= max) return *integer;
  Error(entry.line, absl::StrCat("'", entry.key, "' must be an integer in [", min, ", ", max,
                                 "], not ", Shown(*value)));
  return std::nullopt;
}

std::optional<double> YamlReader::Number(const YamlEntry& entry) {
  const std::optional<Value> value = Scalar(entry);
  if (!value) return std::nullopt;
  if (IsNumber(*value)) return AsDouble(*value);
  Error(entry.line, absl::StrCat("'", entry.key, "' must be a number, not ", Shown(*value)));
  return std::nullopt;
}

std::optional<std::string> YamlReader::Word(const YamlEntry& entry,
                                            const std::vector<std::string>& words) {
  std::optional<std::string> word = Text(entry);
  if (!word || std::find(words.begin(), words.end(), *word) != words.end()) return word;
  Error(entry.line, absl::StrCat("'", entry.key, "' must be one of ", absl::StrJoin(words, ", "),
                                 ", not ", Shown(*word), DidYouMean(*word, words)));
  return std::nullopt;
}

std::optional<std::vector<Value>> YamlReader::Scalars(const YamlEntry& entry) {
  if (!entry.value.IsSequence() || entry.value.size() == 0) {
    Error(entry.line,
          absl::StrCat("'", entry.key, "' must be a list of values, not ",
                       entry.value.IsSequence() ? "an empty one" : KindOf(entry.value)));
    return std::nullopt;
  }
  std::vector<Value> values;
  for (const YAML::Node& item : entry.value) {
    if (!item.IsScalar()) {
      Error(LineOf(item), absl::StrCat("an item of '", entry.key, "' must be a single value, not ",
                                       KindOf(item)));
      return std::nullopt;
    }
    values.push_back(ScalarValue(item));
  }
  return values;
}

}  // namespace sweep
