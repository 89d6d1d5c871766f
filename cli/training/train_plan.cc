#include "cli/training/train_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/spec_input.h"
#include "cli/training/settings.h"
#include "common/spec/parameter.h"

namespace sweep::cli {
namespace {

std::string FlagName(const std::string& parameter) {
  return "--" + absl::StrReplaceAll(parameter, {{"_", "-"}});
}

// Flags and settings as one map; each value is checked under the name that the person used.
absl::StatusOr<ParameterMap> AskedFor(const TrainRequest& request, const NetworkFile& file,
                                      std::vector<std::string>* warnings) {
  absl::StatusOr<ParameterMap> asked = ParseSettings(request.settings, warnings);
  if (!asked.ok()) return asked;
  std::vector<std::string> names = NetworkParameterNames(file);
  for (const KnownParameter& known : KnownParameters()) names.emplace_back(known.name);
  absl::Status status =
      CheckSettingNames(*asked, names, absl::StrCat("a training of ", file.name()));
  if (!status.ok()) return status;
  for (const auto& [name, value] : *asked) {
    status = CheckParameterValue(name, value);
    if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat("--set ", status.message()));
  }
  for (const auto& [name, text] : request.flags) {
    if (text.empty()) continue;
    const absl::StatusOr<ParameterMap> one =
        ParseSettings({absl::StrCat(name, "=", text)}, warnings);
    if (!one.ok()) return one;
    const Value& value = one->at(name);
    status = CheckParameterValue(name, value);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(FlagName(name), ": ", status.message()));
    }
    if (!asked->emplace(name, value).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' is given twice: by ", FlagName(name), " and by --set"));
    }
  }
  return asked;
}

DatasetSpec Dataset(const TrainRequest& request) {
  DatasetSpec dataset{.train_size = request.train_images, .test_size = request.test_images};
  if (request.dataset == "mnist" || request.dataset == "synthetic") {
    dataset.name = request.dataset;
  } else {
    dataset.name = "idx";
    dataset.path = request.dataset;
  }
  return dataset;
}

}  // namespace

absl::StatusOr<TrialSpec> PlanTraining(const TrainRequest& request,
                                       std::vector<std::string>* warnings) {
  const absl::StatusOr<NetworkFile> file = ReadNetwork(request.network);
  if (!file.ok()) return file.status();
  const absl::StatusOr<ParameterMap> asked = AskedFor(request, *file, warnings);
  if (!asked.ok()) return asked.status();
  ParameterMap values;
  for (const KnownParameter& known : KnownParameters()) {
    values[std::string(known.name)] = known.default_value;
  }
  for (const auto& [name, value] : RecipeValues(*file)) values[name] = value;
  for (const auto& [name, value] : *asked) values[name] = value;
  if (SameValue(values["nesterov"], true) && AsDouble(values["momentum"]) == 0) {
    return absl::InvalidArgumentError(
        "'nesterov' is true but 'momentum' is 0; it needs a momentum");
  }
  absl::StatusOr<Network> network = file->Resolve(values);
  if (!network.ok()) return network.status();

  TrialSpec spec;
  for (const auto& [name, value] : values) SetTrialParameter(name, value, &spec);
  spec.trial = network->name;
  spec.seed = request.seed;
  spec.epochs = static_cast<int>(AsDouble(values["epochs"]));
  spec.loss = file->loss();
  spec.evaluate_with = file->evaluate_with();
  spec.normalize_mean = file->normalize_mean();
  spec.normalize_stddev = file->normalize_stddev();
  spec.network = *std::move(network);
  spec.dataset = Dataset(request);
  return spec;
}

}  // namespace sweep::cli
