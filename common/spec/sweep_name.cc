#include "common/spec/sweep_name.h"

#include <cctype>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/value.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxNameBytes = 63;

std::optional<YAML::Node> NameIn(const std::string& text) {
  Diagnostics diagnostics;
  YamlReader reader("", &diagnostics);
  const std::optional<YAML::Node> root = reader.Load(text);
  if (!root || !root->IsMap()) return std::nullopt;
  const YAML::Node name = (*root)["name"];
  if (!name.IsDefined() || !name.IsScalar()) return std::nullopt;
  return name;
}

// The end of the scalar at `begin`: behind the closing quote, or behind the word.
std::size_t ScalarEnd(const std::string& text, std::size_t begin) {
  const char quote = text[begin];
  if (quote == '"' || quote == '\'') {
    const std::size_t end = text.find(quote, begin + 1);
    return end == std::string::npos ? text.size() : end + 1;
  }
  std::size_t end = begin;
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  while (end < text.size() && is_name(text[end])) ++end;
  return end;
}

std::optional<YAML::Node> DatasetPathIn(const std::string& text) {
  Diagnostics diagnostics;
  YamlReader reader("", &diagnostics);
  const std::optional<YAML::Node> root = reader.Load(text);
  if (!root || !root->IsMap()) return std::nullopt;
  const YAML::Node dataset = (*root)["dataset"];
  if (!dataset.IsDefined() || !dataset.IsMap()) return std::nullopt;
  const YAML::Node path = dataset["path"];
  if (!path.IsDefined() || !path.IsScalar()) return std::nullopt;
  return path;
}

// The end of the scalar at `begin`, whose value is `value`; npos when it is written otherwise, such
// as over several lines.
std::size_t ValueEnd(const std::string& text, std::size_t begin, const std::string& value) {
  const char quote = text[begin];
  if (quote != '"' && quote != '\'') {
    return text.compare(begin, value.size(), value) == 0 ? begin + value.size() : std::string::npos;
  }
  for (std::size_t end = begin + 1; end < text.size(); ++end) {
    if (quote == '"' && text[end] == '\\') {
      ++end;
    } else if (quote == '\'' && text.compare(end, 2, "''") == 0) {
      ++end;
    } else if (text[end] == quote) {
      return end + 1;
    }
  }
  return std::string::npos;
}

}  // namespace

absl::StatusOr<std::string> WithDatasetPath(const std::string& text, const std::string& path) {
  const absl::Status refusal = absl::FailedPreconditionError(
      "the path of the data set in the sweep file cannot be replaced; write it on one line: "
      "dataset: {format: idx, path: FOLDER}");
  try {
    const std::optional<YAML::Node> node = DatasetPathIn(text);
    if (!node || node->Mark().pos < 0) return refusal;
    const auto begin = static_cast<std::size_t>(node->Mark().pos);
    if (begin >= text.size()) return refusal;
    const std::size_t end = ValueEnd(text, begin, node->Scalar());
    if (end == std::string::npos) return refusal;
    std::string changed = absl::StrCat(text.substr(0, begin), "\"", path, "\"", text.substr(end));
    const std::optional<YAML::Node> now = DatasetPathIn(changed);
    if (now && now->Scalar() == path) return changed;
  } catch (const YAML::Exception&) {
    return refusal;
  }
  return refusal;
}

absl::StatusOr<std::string> WithSweepName(const std::string& text, const std::string& name) {
  const absl::Status refusal = absl::FailedPreconditionError(
      absl::StrCat("the name in the sweep file cannot be replaced by '", name,
                   "'; write it as a line of its own: name: ", name));
  try {
    const std::optional<YAML::Node> node = NameIn(text);
    if (!node || node->Mark().pos < 0) return refusal;
    const auto begin = static_cast<std::size_t>(node->Mark().pos);
    if (begin >= text.size()) return refusal;
    const std::size_t end = ScalarEnd(text, begin);
    // Quotes the name only where YAML would read it as another value, such as 2024.
    for (const std::string& written : {name, absl::StrCat("\"", name, "\"")}) {
      std::string changed = text.substr(0, begin) + written + text.substr(end);
      const std::optional<YAML::Node> now = NameIn(changed);
      if (!now) continue;
      const Value value = ScalarValue(*now);
      const auto* const word = std::get_if<std::string>(&value);
      if (word != nullptr && *word == name) return changed;
    }
  } catch (const YAML::Exception&) {
    return refusal;
  }
  return refusal;
}

absl::StatusOr<SweepSource> RenamedSource(const SweepSource& stored, const std::string& digest,
                                          const std::string& name) {
  Diagnostics ignored;
  const absl::StatusOr<SweepSpec> before = SweepSpec::ParseStored(stored, digest, &ignored);
  if (!before.ok()) return before.status();
  const absl::StatusOr<std::string> text = WithSweepName(stored.text, name);
  if (!text.ok()) return text.status();
  const std::string seed = absl::StrCat("seed: ", before->seed);
  std::vector<std::string> candidates = {
      *text, absl::StrCat(*text, absl::EndsWith(*text, "\n") ? "" : "\n", seed, "\n")};
  if (const std::size_t brace = text->rfind('}'); brace != std::string::npos) {
    candidates.push_back(text->substr(0, brace) + ", " + seed + text->substr(brace));
  }
  for (const std::string& candidate : candidates) {
    SweepSource source = stored;
    source.text = candidate;
    const absl::StatusOr<SweepSpec> spec = SweepSpec::ParseStored(source, digest, &ignored);
    if (spec.ok() && spec->name == name && spec->digest == digest) return source;
  }
  return absl::FailedPreconditionError(absl::StrCat("the sweep file cannot be given the name '",
                                                    name, "' and keep its meaning; its ", seed));
}

std::string NumberedName(const std::string& name, int number) {
  const std::string suffix = absl::StrCat("-", number);
  return name.substr(0, kMaxNameBytes - suffix.size()) + suffix;
}

}  // namespace sweep
