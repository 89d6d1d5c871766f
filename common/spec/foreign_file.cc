#include "common/spec/foreign_file.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sweep {
namespace {

struct Tool {
  const char* name;
  // Any of these keys tells it.
  std::vector<std::string> telling;
  // What to do with what the file says.
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
       "most of its keys are the same; write the command as program: [\"python3\", \"train.py\"] with "
       "files: [train.py], and leave out command, project and entity",
       true},
      {"NNI",
       {"search_space", "searchSpace", "searchSpaceFile", "trial_command", "trialCommand",
        "experimentName", "trialConcurrency", "trial_concurrency", "tuner"},
       kInstead},
      {"Determined", {"hyperparameters", "searcher", "entrypoint", "min_validation_period"}, kInstead},
      {"Optuna", {"study_name", "sampler", "pruner", "n_trials", "directions", "direction"}, kInstead},
      {"Ray Tune",
       {"tune_config", "param_space", "num_samples", "resources_per_trial", "run_config"},
       kInstead},
      {"Hydra", {"hydra", "defaults"}, kInstead},
      {"Azure Machine Learning", {"$schema", "sampling_algorithm", "objective", "limits"}, kInstead},
  };
  return tools;
}

}  // namespace

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
    // One key alone may be a slip in a file of ours.
    const bool ours = (has("model") || has("program")) && found.size() < 2 && !tool.shares_keys;
    if (found.empty() || ours) continue;
    return ForeignFile{
        .message = absl::StrCat("this looks like a file for ", tool.name, " ('",
                                absl::StrJoin(found, "', '"), "'); ", tool.instead,
                                " (docs/sweep-file.md)"),
        .keys = found,
        .shares_keys = tool.shares_keys};
  }
  return std::nullopt;
}

}  // namespace sweep
