#include "common/spec/models_parser.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxModels = 100;

bool IsBuiltin(std::string_view model) {
  const std::vector<std::string> names = BuiltinNetworkNames();
  return std::find(names.begin(), names.end(), model) != names.end();
}

// A network's text, and the name of its file for messages.
struct NetworkText {
  std::string file;
  std::string text;
};

std::optional<NetworkText> FindNetwork(const SweepSource& source, const std::string& model,
                                       const std::set<std::string>& reported, int line,
                                       YamlReader* reader) {
  if (IsBuiltin(model)) {
    absl::StatusOr<std::string> text = BuiltinNetworkText(model);
    if (text.ok()) return NetworkText{model + ".yaml", *std::move(text)};
  }
  const auto it = source.network_files.find(model);
  if (it != source.network_files.end()) {
    return NetworkText{NetworkPath(source.file, model), it->second};
  }
  if (reported.contains(model)) return std::nullopt;
  if (IsNetworkPath(model)) {
    reader->Error(line, absl::StrCat("network file ", Shown(model), " was not sent along"));
    return std::nullopt;
  }
  const std::vector<std::string> names = BuiltinNetworkNames();
  reader->Error(line, absl::StrCat("no built-in network ", Shown(model), DidYouMean(model, names),
                                   " (built in: ", absl::StrJoin(names, ", "),
                                   "; a network file's name ends in .yaml)"));
  return std::nullopt;
}

}  // namespace

bool IsNetworkPath(std::string_view model) {
  if (IsBuiltin(model)) return false;
  const auto ends_with = [&](std::string_view end) { return model.ends_with(end); };
  return ends_with(".yaml") || ends_with(".yml") || model.find('/') != std::string_view::npos;
}

std::string NetworkPath(std::string_view file, std::string_view model) {
  // Joining an absolute path yields that path.
  return (std::filesystem::path(file).parent_path() / std::filesystem::path(model)).string();
}

std::vector<std::string> ParseModels(const YamlEntry& entry, YamlReader* reader) {
  std::vector<std::string> models;
  const auto add = [&](const YAML::Node& node) { models.push_back(node.Scalar()); };
  if (entry.value.IsScalar()) {
    add(entry.value);
    return models;
  }
  if (entry.value.IsSequence()) {
    reader->Error(entry.line, "'model' is a list; write {values: […]}");
    return models;
  }
  const auto keys = reader->Keys(entry.value, entry.line, "'model'", {"value", "values"});
  const auto value = keys.find("value");
  const auto values = keys.find("values");
  if ((value == keys.end()) == (values == keys.end())) {
    reader->Error(entry.line, "'model' needs a name, or one of 'value' and 'values'");
  } else if (value != keys.end()) {
    if (reader->Text(value->second)) add(value->second.value);
  } else if (const auto items = reader->Items(values->second)) {
    for (const YAML::Node& node : *items) {
      if (std::find(models.begin(), models.end(), node.Scalar()) != models.end()) {
        reader->Error(values->second.line,
                      absl::StrCat("'model' lists ", Shown(node.Scalar()), " twice"));
      } else {
        add(node);
      }
    }
  }
  if (models.size() > kMaxModels) {
    reader->Error(entry.line, absl::StrCat("'model' has ", models.size(), " values; the limit is ",
                                           kMaxModels));
    models.clear();
  }
  return models;
}

void ParseNetworks(const SweepSource& source, const std::set<std::string>& reported, int line,
                   YamlReader* reader, Diagnostics* diagnostics, SweepSpec* spec) {
  for (const std::string& model : spec->models) {
    const std::optional<NetworkText> found = FindNetwork(source, model, reported, line, reader);
    if (!found) continue;
    const auto parse = source.edition < 2 ? NetworkFile::ParseAsStored : NetworkFile::Parse;
    absl::StatusOr<NetworkFile> network = parse(found->text, found->file, diagnostics);
    if (!network.ok()) continue;
    spec->networks.emplace(model, *std::move(network));
  }
}

}  // namespace sweep
