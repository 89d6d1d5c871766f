#include "common/yaml/yaml_reader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/nearest.h"
#include "common/yaml/document_scan.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

std::atomic<void (*)()> load_observer = nullptr;

constexpr int kMaxNodes = 20'000;
constexpr int kMaxDepth = 16;

constexpr char kTagPrefix[] = "tag:yaml.org,2002:";

// yaml-cpp tags quoted scalars "!" and plain ones "?" or nothing.
bool IsPlain(const YAML::Node& scalar) { return scalar.Tag().empty() || scalar.Tag() == "?"; }

// Not std::string_view: Debian's absl::StrCat does not accept it.
const char* KindOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "a single value";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "null or empty";
  }
}

// Quotes a text so that YAML reads it back as text.
std::string QuotedText(const std::string& text) {
  if (text.find_first_of("\"\\") == std::string::npos) return absl::StrCat("\"", text, "\"");
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

// The most frequent mistake in a gate: `>` starts a block of text in YAML.
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

PlainScalar ReadScalar(const YAML::Node& scalar, ScalarRules rules) {
  const std::string& text = scalar.Scalar();
  const std::string& tag = scalar.Tag();
  if (tag == "!" || tag == absl::StrCat(kTagPrefix, "str")) return {.value = text};
  if (rules == ScalarRules::kAsStored) return {.value = ReadPlainScalarAsStored(text)};
  PlainScalar read = ReadPlainScalar(text);
  if (!read.refusal.empty() || IsPlain(scalar)) return read;
  if (tag == absl::StrCat(kTagPrefix, "float") && IsNumber(read.value)) {
    return {.value = AsDouble(read.value)};
  }
  const bool fits =
      (tag == absl::StrCat(kTagPrefix, "int") &&
       std::holds_alternative<std::int64_t>(read.value)) ||
      (tag == absl::StrCat(kTagPrefix, "bool") && std::holds_alternative<bool>(read.value));
  if (!fits) read.refusal = absl::StrCat(", which is not what its tag ", tag, " says");
  return read;
}

Value ScalarValue(const YAML::Node& scalar, ScalarRules rules) {
  return ReadScalar(scalar, rules).value;
}

std::string CanonicalYaml(const YAML::Node& node, ScalarRules rules) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar: {
      const Value value = ScalarValue(node, rules);
      return absl::StrCat(std::string(IsNumber(value) ? "number" : TypeName(value)), " ",
                          Quoted(FormatValue(value)));
    }
    case YAML::NodeType::Sequence: {
      std::vector<std::string> items;
      for (const YAML::Node& item : node) items.push_back(CanonicalYaml(item, rules));
      return absl::StrCat("[", absl::StrJoin(items, ","), "]");
    }
    case YAML::NodeType::Map: {
      std::vector<std::string> items;
      for (const auto& item : node) {
        items.push_back(
            absl::StrCat(CanonicalYaml(item.first, rules), "=", CanonicalYaml(item.second, rules)));
      }
      std::sort(items.begin(), items.end());
      return absl::StrCat("{", absl::StrJoin(items, ","), "}");
    }
    default:
      return "null";
  }
}

YamlReader::YamlReader(std::string file, Diagnostics* diagnostics, ScalarRules rules)
    : file_(std::move(file)), diagnostics_(diagnostics), rules_(rules) {}

void YamlReader::Error(int line, std::string message) { ErrorIn(file_, line, std::move(message)); }

void YamlReader::ErrorIn(std::string file, int line, std::string message) {
  diagnostics_->push_back({std::move(file), line, std::move(message)});
}

void YamlReader::Warning(int line, std::string message) {
  if (rules_ == ScalarRules::kAsStored) return;
  diagnostics_->push_back({file_, line, std::move(message), Diagnostic::Severity::kWarning});
}

bool YamlReader::HasKnownTag(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  if (rules_ == ScalarRules::kAsStored || tag.empty() || tag == "?" || tag == "!") return true;
  const std::string_view type = std::string_view(tag).starts_with(kTagPrefix)
                                    ? std::string_view(tag).substr(sizeof(kTagPrefix) - 1)
                                    : std::string_view();
  const bool known = node.IsScalar()
                         ? type == "str" || type == "int" || type == "float" || type == "bool"
                         : (node.IsMap() && type == "map") || (node.IsSequence() && type == "seq");
  if (!known) {
    Error(LineOf(node),
          absl::StrCat("the tag ", Shown(tag),
                       " is not known; write the value without it, a text in quotes"));
  }
  return known;
}

bool YamlReader::IsBounded(const YAML::Node& node, int depth, int* budget) {
  if (depth > kMaxDepth || --*budget < 0) {
    Error(LineOf(node), depth > kMaxDepth
                            ? absl::StrCat("nested deeper than ", kMaxDepth, " levels")
                            : absl::StrCat("more than ", kMaxNodes, " values"));
    return false;
  }
  HasKnownTag(node);
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

void ObserveYamlLoads(void (*observer)()) { load_observer = observer; }

std::optional<YAML::Node> YamlReader::Load(std::string_view text) {
  if (void (*const observer)() = load_observer.load(); observer != nullptr) observer();
  if (text.size() > kMaxSizeBytes) {
    Error(0, absl::StrCat("has ", text.size(), " bytes; the limit is ", kMaxSizeBytes));
    return std::nullopt;
  }
  try {
    const std::string copy(text);
    const YamlFault fault = ScanYaml(copy, kMaxNodes, rules_ == ScalarRules::kAsStored);
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
    if (entry.key == "<<" && IsPlain(item.first)) {
      Error(entry.line, "'<<' merges mappings in YAML 1.1 only; write the keys out");
      continue;
    }
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
                                                  const std::vector<std::string>& later,
                                                  const std::map<std::string, std::string>& meant) {
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
      const auto other = meant.find(entry.key);
      const std::string hint = other == meant.end()
                                   ? DidYouMean(entry.key, known)
                                   : absl::StrCat("; did you mean '", other->second, "'?");
      Error(entry.line,
            absl::StrCat(
                "unknown key ", Shown(entry.key), " in ", std::string(what),
                hint.empty() ? absl::StrCat("; it has ", absl::StrJoin(known, ", ")) : hint));
    }
  }
  return keys;
}

std::optional<Value> YamlReader::ValueOf(const YAML::Node& scalar, int line,
                                         const std::string& what) {
  const std::string& text = scalar.Scalar();
  if (IsPlain(scalar) && rules_ == ScalarRules::kCoreSchema && BracketBalance(text) != 0) {
    Error(line,
          absl::StrCat(what, " is ", Shown(text),
                       ", which has a bracket or a quotation mark without its partner; if the "
                       "text is meant, put it in quotes"));
    return std::nullopt;
  }
  PlainScalar read = ReadScalar(scalar, rules_);
  if (!read.refusal.empty()) {
    Error(line, absl::StrCat(what, " is ", Shown(text), read.refusal));
    return std::nullopt;
  }
  if (!read.warning.empty()) Warning(line, absl::StrCat(what, ": ", Shown(text), read.warning));
  return std::move(read.value);
}

std::optional<Value> YamlReader::Scalar(const YamlEntry& entry, std::string what) {
  if (what.empty()) what = absl::StrCat("'", entry.key, "'");
  if (entry.value.IsScalar()) return ValueOf(entry.value, entry.line, what);
  Error(entry.line,
        absl::StrCat(what, " must be a single value, not ", KindOf(entry.value),
                     entry.value.IsMap() ? "; if the text is meant, put it in quotes" : ""));
  return std::nullopt;
}

std::optional<Value> YamlReader::ListOf(const YAML::Node& list, int levels, int* items,
                                        const std::string& what) {
  if (levels == 0) {
    Error(LineOf(list),
          absl::StrCat(what, " has lists in lists in more than ", kMostListLevels, " levels"));
    return std::nullopt;
  }
  std::vector<Value> values;
  for (const YAML::Node& item : list) {
    if (--*items < 0) {
      Error(LineOf(item), absl::StrCat(what, " has more than ", kMostListItems, " items"));
      return std::nullopt;
    }
    std::optional<Value> value;
    if (item.IsSequence()) {
      value = ListOf(item, levels - 1, items, what);
    } else if (item.IsScalar()) {
      value = ValueOf(item, LineOf(item), absl::StrCat("an item of ", what));
    } else {
      Error(LineOf(item), absl::StrCat("an item of ", what,
                                       " must be a single value or a list, not ", KindOf(item)));
    }
    if (!value) return std::nullopt;
    values.push_back(*std::move(value));
  }
  return MakeList(values);
}

std::optional<Value> YamlReader::ScalarOrList(const YamlEntry& entry, std::string what) {
  if (!entry.value.IsSequence()) return Scalar(entry, std::move(what));
  if (what.empty()) what = absl::StrCat("'", entry.key, "'");
  int items = kMostListItems;
  return ListOf(entry.value, kMostListLevels, &items, what);
}

std::optional<std::vector<Value>> YamlReader::ScalarsAndLists(const YamlEntry& entry,
                                                              std::string what) {
  const YAML::Node& list = entry.value;
  const auto is_list = [](const YAML::Node& item) { return item.IsSequence(); };
  if (!list.IsSequence() || std::none_of(list.begin(), list.end(), is_list)) {
    return Scalars(entry, std::move(what));
  }
  if (what.empty()) what = absl::StrCat("'", entry.key, "'");
  std::vector<Value> values;
  for (const YAML::Node& item : list) {
    const YamlEntry one{"", item, LineOf(item)};
    const std::optional<Value> value = ScalarOrList(one, absl::StrCat("an item of ", what));
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<std::string> YamlReader::Text(const YamlEntry& entry) {
  if (entry.value.IsScalar()) return entry.value.Scalar();
  Error(entry.line,
        absl::StrCat("'", entry.key, "' must be a single value, not ", KindOf(entry.value)));
  return std::nullopt;
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

std::optional<std::vector<YAML::Node>> YamlReader::Items(const YamlEntry& entry, std::string what) {
  if (what.empty()) what = absl::StrCat("'", entry.key, "'");
  if (!entry.value.IsSequence() || entry.value.size() == 0) {
    Error(entry.line,
          absl::StrCat(what, " must be a list of values, not ",
                       entry.value.IsSequence() ? "an empty one" : KindOf(entry.value)));
    return std::nullopt;
  }
  std::vector<YAML::Node> items;
  std::string tuple;  // the items of an unclosed one so far
  bool good = true;
  for (const YAML::Node& item : entry.value) {
    if (!item.IsScalar()) {
      Error(LineOf(item),
            absl::StrCat("an item of ", what, " must be a single value, not ", KindOf(item),
                         item.IsNull() ? "" : "; if its text is meant, put it in quotes"));
      return std::nullopt;
    }
    items.push_back(item);
    const std::string& text = item.Scalar();
    const bool whole = !IsPlain(item) || BracketBalance(text) == 0;
    if (rules_ == ScalarRules::kAsStored || (whole && tuple.empty())) continue;
    good = false;
    absl::StrAppend(&tuple, tuple.empty() ? "" : ", ", text);
    const bool closed = BracketBalance(tuple) == 0;
    if (BracketBalance(tuple) > 0 && items.size() < entry.value.size()) continue;
    Error(LineOf(item),
          closed ? absl::StrCat("YAML has no tuples: an item of ", what,
                                " ends at its comma; write "
                                "the text in quotes: ",
                                QuotedText(tuple))
                 : absl::StrCat("an item of ", what, " is ", Shown(tuple),
                                ", which has a bracket or a quotation mark without its partner; if "
                                "the text is meant, put it in quotes"));
    tuple.clear();
  }
  if (!good) return std::nullopt;
  return items;
}

std::optional<std::vector<Value>> YamlReader::Scalars(const YamlEntry& entry, std::string what) {
  if (what.empty()) what = absl::StrCat("'", entry.key, "'");
  const std::optional<std::vector<YAML::Node>> items = Items(entry, what);
  if (!items) return std::nullopt;
  std::vector<Value> values;
  for (const YAML::Node& item : *items) {
    std::optional<Value> value = ValueOf(item, LineOf(item), absl::StrCat("an item of ", what));
    if (value) values.push_back(*std::move(value));
  }
  if (values.size() != items->size()) return std::nullopt;
  return values;
}

}  // namespace sweep
