#include "common/spec/nested_names.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMostCharacters = 63;
constexpr int kMostLevels = 8;
constexpr char kInner[] = "parameters";

bool IsWord(std::string_view word) {
  return !word.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(word[0])) &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

// Replaces mappings by their entries; one object per outermost mapping.
class Flattener {
 public:
  // The inner mapping of an entry that is nested; nullopt of one that is not.
  using Inner = std::function<std::optional<YamlEntry>(const YamlEntry&)>;

  Flattener(Inner inner, YamlReader* reader) : inner_(std::move(inner)), reader_(reader) {}

  std::vector<YamlEntry> Run(const YAML::Node& node, int line, std::string_view what) {
    Add(node, line, what, "", 1);
    std::map<std::string, int> lines;
    std::vector<YamlEntry> kept;
    for (YamlEntry& entry : found_) {
      const auto [same, is_new] = lines.emplace(entry.key, entry.line);
      if (is_new) {
        kept.push_back(std::move(entry));
      } else {
        reader_->Error(entry.line, absl::StrCat(Shown(entry.key), " is given twice; first on line ",
                                                same->second));
      }
    }
    for (const YamlEntry& entry : kept) CheckAround(entry, lines);
    return kept;
  }

 private:
  void Add(const YAML::Node& node, int line, std::string_view what, const std::string& prefix,
           int level) {
    if (level > kMostLevels) {
      return reader_->Error(
          line, absl::StrCat(std::string(what), " is nested deeper than ", kMostLevels, " levels"));
    }
    for (YamlEntry& entry : reader_->Entries(node, line, what)) {
      entry.key = absl::StrCat(prefix, entry.key);
      if (const std::optional<YamlEntry> inner = inner_(entry)) {
        Add(inner->value, inner->line, absl::StrCat("'", entry.key, "'"),
            absl::StrCat(entry.key, "."), level + 1);
      } else {
        found_.push_back(std::move(entry));
      }
    }
  }

  void CheckAround(const YamlEntry& entry, const std::map<std::string, int>& lines) {
    for (const std::string& around : NamesAround(entry.key)) {
      const auto found = lines.find(around);
      if (found == lines.end()) continue;
      reader_->Error(entry.line,
                     absl::StrCat(Shown(entry.key), " is nested in ", Shown(around),
                                  ", which has a value of its own on line ", found->second));
    }
  }

  const Inner inner_;
  YamlReader* const reader_;
  std::vector<YamlEntry> found_;
};

}  // namespace

bool IsParameterName(std::string_view name) {
  if (name.size() > kMostCharacters) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!IsWord(name.substr(0, dot))) return false;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::vector<std::string> NamesAround(std::string_view name) {
  std::vector<std::string> around;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    around.emplace_back(name.substr(0, dot));
  }
  return around;
}

std::vector<YamlEntry> FlatParameters(const YAML::Node& node, int line,
                                      const std::vector<std::string>& keys, YamlReader* reader) {
  const auto inner = [&](const YamlEntry& entry) -> std::optional<YamlEntry> {
    if (!entry.value.IsMap()) return std::nullopt;
    bool has_mapping = false, has_inner = false, has_key = false;
    for (const auto& item : entry.value) {
      if (!item.first.IsScalar()) return std::nullopt;
      const std::string& key = item.first.Scalar();
      has_inner |= key == kInner;
      has_key |= std::find(keys.begin(), keys.end(), key) != keys.end();
      has_mapping |= item.second.IsMap();
    }
    if (has_inner) {
      const std::map<std::string, YamlEntry> written = reader->Keys(
          entry.value, entry.line, absl::StrCat("parameter ", Shown(entry.key)), {kInner});
      const auto found = written.find(kInner);
      if (found != written.end()) return found->second;
    }
    // {mim: 0.1, mx: 0.3} is a slip, not two parameters.
    return has_mapping && !has_key ? std::optional(entry) : std::nullopt;
  };
  return Flattener(inner, reader).Run(node, line, "'parameters'");
}

std::vector<YamlEntry> FlatValues(const YAML::Node& node, int line, std::string_view what,
                                  YamlReader* reader) {
  const auto inner = [](const YamlEntry& entry) {
    return entry.value.IsMap() ? std::optional(entry) : std::nullopt;
  };
  return Flattener(inner, reader).Run(node, line, what);
}

}  // namespace sweep
