#include "common/spec/foreign_file.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sweep {
namespace {

struct Tool {
  const char* name;
  // Any of these keys identifies the tool.
  std::vector<std::string> telling;
  // Advice on what to write instead.
  const char* instead;
  bool shares_keys = false;
};

constexpr char kInstead[] =
    "a sweep file has name, program and files (or model), method, parameters, metric, run_cap and "
    "epochs";

const std::vector<Tool>& Tools() {
  static const auto& tools = *new std::vector<Tool>{
      {"Kubernetes or Katib", {"apiVersion", "kind"}, kInstead},
      {"Weights & Biases",
       {"command", "project", "entity", "kill_delay"},
       "most of its keys are the same; write the command as program: [\"python3\", \"train.py\"] "
       "with "
       "files: [train.py], and leave out command, project and entity",
       true},
      {"NNI",
       {"search_space", "searchSpace", "searchSpaceFile", "trial_command", "trialCommand",
        "experimentName", "trialConcurrency", "trial_concurrency", "tuner"},
       kInstead},
      {"Determined",
       {"hyperparameters", "searcher", "entrypoint", "min_validation_period"},
       kInstead},
      {"Optuna",
       {"study_name", "sampler", "pruner", "n_trials", "directions", "direction"},
       kInstead},
      {"Ray Tune",
       {"tune_config", "param_space", "num_samples", "resources_per_trial", "run_config"},
       kInstead},
      {"Hydra", {"hydra", "defaults"}, kInstead},
      {"Jupyter", {"nbformat", "nbformat_minor", "cells"}, kInstead},
      {"GitHub Actions", {"jobs"}, kInstead},
      {"Docker Compose", {"services"}, kInstead},
      {"conda", {"channels", "dependencies"}, kInstead},
      {"Azure Machine Learning",
       {"$schema", "sampling_algorithm", "objective", "limits"},
       kInstead},
  };
  return tools;
}

// True when the line begins with `word`, without the colon that would make it a YAML key.
bool Begins(std::string_view line, std::string_view word) {
  return line.starts_with(word) && line.find(':') > word.size();
}

bool IsPythonLine(std::string_view line) {
  return Begins(line, "import ") ||
         (line.starts_with("from ") && line.find(" import ") != line.npos) ||
         (line.starts_with("def ") && line.find('(') != line.npos) || line.starts_with("@");
}

// A section or an assignment at the start of the line.
bool IsTomlLine(std::string_view line) {
  const auto is_name = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
    });
  };
  if (line.starts_with('[') && line.ends_with(']')) return is_name(line.substr(1, line.size() - 2));
  const std::size_t equals = line.find('=');
  if (equals == line.npos || line.substr(equals).starts_with("==")) return false;
  const std::size_t end = line.find_last_not_of(' ', equals - 1);
  return equals > 0 && line[0] != '-' && end != line.npos && is_name(line.substr(0, end + 1));
}

}  // namespace

std::string DescribeForeignText(std::string_view text) {
  constexpr int kMostLines = 100;
  int lines = 0;
  while (!text.empty() && ++lines <= kMostLines) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    const bool is_first = lines == 1;
    if (is_first && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('<') && !line.starts_with("<<")) {
      return "a page of HTML or XML, not a sweep file; download the file itself";
    }
    if (line.starts_with("apiVersion:")) {
      return absl::StrCat("a file for Kubernetes or Katib; ", kInstead);
    }
    if (IsPythonLine(line)) {
      return "a Python program, not a sweep file; a sweep file names it: program: [\"python3\", "
             "\"train.py\"] with files: [train.py]";
    }
    if (IsTomlLine(line))
      return "TOML or INI, but a sweep file is YAML, with name: value on a line";
  }
  return "";
}

std::optional<ForeignFile> FindForeignFile(const YAML::Node& document) {
  if (!document.IsMap()) return std::nullopt;
  std::vector<std::string> keys;
  for (const auto& item : document) {
    if (item.first.IsScalar()) keys.push_back(item.first.Scalar());
  }
  const auto has = [&](const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const Tool& tool : Tools()) {
    std::vector<std::string> found;
    std::copy_if(tool.telling.begin(), tool.telling.end(), std::back_inserter(found), has);
    // A single key may be a slip in a sweep file.
    const bool ours = (has("model") || has("program")) && found.size() < 2 && !tool.shares_keys;
    if (found.empty() || ours) continue;
    return ForeignFile{.message = absl::StrCat("this looks like a file for ", tool.name, " ('",
                                               absl::StrJoin(found, "', '"), "'); ", tool.instead,
                                               " (docs/sweep-file.md)"),
                       .keys = found,
                       .shares_keys = tool.shares_keys};
  }
  return std::nullopt;
}

}  // namespace sweep
