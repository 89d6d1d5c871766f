#include "common/spec/kept_keys.h"

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

std::optional<YAML::Node> LoadMapping(const std::string& text) {
  Diagnostics diagnostics;
  YamlReader reader("", &diagnostics);
  std::optional<YAML::Node> root = reader.Load(text);
  if (!root || !root->IsMap()) return std::nullopt;
  return root;
}

// One key with its value and what follows it, as written.
struct Written {
  std::string key;
  std::size_t begin = 0;
};

std::vector<Written> KeysOf(const YAML::Node& root) {
  std::vector<Written> keys;
  for (const auto& entry : root) {
    keys.push_back({entry.first.Scalar(), static_cast<std::size_t>(entry.first.Mark().pos)});
  }
  return keys;
}

// Without the comma and the blanks that part it from the next key.
std::string InFlow(std::string piece) {
  absl::StripTrailingAsciiWhitespace(&piece);
  if (piece.ends_with(',')) piece.pop_back();
  return piece;
}

}  // namespace

absl::StatusOr<std::string> WithKeptKeys(
    const std::string& text, const std::set<std::string>& kept,
    const std::vector<std::pair<std::string, std::string>>& added) {
  const absl::Status refusal = absl::FailedPreconditionError(
      "the sweep file cannot be taken apart: does a key refer to an anchor in another one?");
  try {
    const std::optional<YAML::Node> root = LoadMapping(text);
    if (!root) return refusal;
    const bool is_flow = root->Style() == YAML::EmitterStyle::Flow;
    const std::size_t end = is_flow ? text.rfind('}') : text.size();
    const std::vector<Written> keys = KeysOf(*root);
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!kept.contains(keys[i].key)) continue;
      const std::size_t next = i + 1 < keys.size() ? keys[i + 1].begin : end;
      if (next < keys[i].begin || next > text.size()) return refusal;
      std::string piece = text.substr(keys[i].begin, next - keys[i].begin);
      if (is_flow) piece = InFlow(std::move(piece));
      if (!is_flow && !piece.ends_with('\n')) piece += '\n';
      pieces.push_back(std::move(piece));
    }
    for (const auto& [key, value] : added) {
      pieces.push_back(absl::StrCat(key, ": ", value, is_flow ? "" : "\n"));
    }
    std::string made = is_flow ? absl::StrCat("{", absl::StrJoin(pieces, ",\n "), "}\n")
                               : absl::StrJoin(pieces, "");
    const std::optional<YAML::Node> again = LoadMapping(made);
    if (!again || again->size() != pieces.size()) return refusal;
    return made;
  } catch (const YAML::Exception&) {
    return refusal;
  }
}

}  // namespace sweep
