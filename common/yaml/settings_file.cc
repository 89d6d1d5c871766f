#include "common/yaml/settings_file.h"

namespace sweep {
namespace {

// YAML has no document in such a text, or an empty one.
bool SaysNothing(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t first = line.find_first_not_of(" \t\r");
    const bool is_blank = first == line.npos || line[first] == '#';
    const bool is_mark = line.starts_with("---") && line.find_first_not_of(" \t\r", 3) == line.npos;
    if (!is_blank && !is_mark) return false;
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return true;
}

}  // namespace

std::optional<YAML::Node> LoadSettings(std::string_view text, YamlReader* reader) {
  // What is too long may have been cut where its settings begin.
  const bool is_whole = text.size() <= YamlReader::kMaxSizeBytes;
  if (is_whole && SaysNothing(text)) return std::nullopt;
  return reader->Load(text);
}

}  // namespace sweep
