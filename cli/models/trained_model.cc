#include "cli/models/trained_model.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/calls.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/input_file.h"
#include "common/base/utf8.h"
#include "common/base/value.h"
#include "common/network/network_file.h"
#include "common/tensors/checkpoint_layout.h"

namespace sweep::cli {
namespace {

// Limit for the files that describe a network in a folder of `sweep model`.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

const v1::Artifact* FindArtifact(const v1::Trial& trial, std::string_view role) {
  for (const v1::Artifact& artifact : trial.artifacts()) {
    if (artifact.role() == role) return &artifact;
  }
  return nullptr;
}

// Says why a trial has no weights, and what to do.
absl::Status NoWeights(const v1::Trial& trial) {
  const std::string name = ShortName(trial.name());
  const std::string state = StateName(trial.state());
  std::string why;
  switch (trial.state()) {
    case v1::TRIAL_STATE_PENDING:
      why = "it is pending: it waits for a worker";
      break;
    case v1::TRIAL_STATE_LEASED:
    case v1::TRIAL_STATE_RUNNING:
      why = fmt::format(
          "it is {}, at epoch {} of {}, and has no checkpoint yet; weights are kept when it "
          "completes",
          state, trial.epoch(), trial.epochs());
      break;
    case v1::TRIAL_STATE_COMPLETED:
      why = trial.artifacts().empty() ? "it is completed, but no file of it was kept"
                                      : "it is completed; its program kept files, but no weights";
      break;
    default:
      why = fmt::format("it was {} at epoch {} of {}, and no checkpoint of it is stored", state,
                        trial.epoch(), trial.epochs());
      if (!trial.reason().empty()) why += " (" + Printable(OneLine(trial.reason(), 500)) + ")";
      break;
  }
  return absl::FailedPreconditionError(fmt::format("{} has no weights: {}", name, why));
}

std::string Metadata(const SafeTensors& content, const std::string& key) {
  const auto found = content.metadata.find(key);
  return found == content.metadata.end() ? "" : found->second;
}

// A checkpoint's record of the epoch whose network is taken.
struct CheckpointEpoch {
  int epoch = 0;
  std::optional<double> accuracy;
};

CheckpointEpoch ReadMetrics(const SafeTensors& checkpoint, const std::string& key) {
  const auto json =
      nlohmann::json::parse(Metadata(checkpoint, key), nullptr, /*allow_exceptions=*/false);
  CheckpointEpoch result;
  if (!json.is_object()) return result;
  if (const auto epoch = json.find("epoch"); epoch != json.end() && epoch->is_number_integer()) {
    result.epoch = epoch->get<int>();
  }
  const auto accuracy = json.find(kValidationAccuracy);
  if (accuracy != json.end() && accuracy->is_number()) result.accuracy = accuracy->get<double>();
  return result;
}

// Turns a checkpoint into the weights file that the trainer writes at a trial's end.
void TakeFromCheckpoint(const SafeTensors& checkpoint, WeightsChoice choice, TrialModel* model) {
  const bool best = choice == WeightsChoice::kBest;
  const std::string_view prefix = best ? kCheckpointBestPrefix : kCheckpointNetworkPrefix;
  const CheckpointEpoch metrics = ReadMetrics(checkpoint, best ? "best" : "last");
  SafeTensors weights;
  const nlohmann::json line = nlohmann::json::parse(model->spec_json);
  weights.metadata = {{"trial", ShortName(model->trial.name())},
                      {"network", line.at("network").dump()},
                      {"epoch", std::to_string(metrics.epoch)},
                      {"seed", std::to_string(model->spec.seed)},
                      {"normalize_mean", FormatDouble(model->spec.normalize_mean)},
                      {"normalize_stddev", FormatDouble(model->spec.normalize_stddev)}};
  if (metrics.accuracy) weights.metadata["accuracy"] = FormatDouble(*metrics.accuracy);
  for (const SafeTensor& tensor : checkpoint.tensors) {
    if (!tensor.name.starts_with(prefix)) continue;
    weights.tensors.push_back(tensor);
    weights.tensors.back().name.erase(0, prefix.size());
  }
  model->epoch = metrics.epoch;
  model->accuracy = metrics.accuracy;
  model->weights = SerializeSafeTensors(weights);
}

// Reads the artifact's metadata and checks that it fits the network. Catches exceptions.
absl::Status TakeWeights(std::string bytes, WeightsChoice choice, TrialModel* model) {
  const std::string name = ShortName(model->trial.name());
  const std::string file = fmt::format("{} of {}", model->role, name);
  try {
    const SafeTensors content = ParseSafeTensors(bytes, file);
    if (model->role == "checkpoint") {
      TakeFromCheckpoint(content, choice, model);
    } else {
      model->epoch = std::atoi(Metadata(content, "epoch").c_str());
      const std::string accuracy = Metadata(content, "accuracy");
      if (!accuracy.empty()) model->accuracy = std::atof(accuracy.c_str());
      model->weights = std::move(bytes);
    }
    const auto fits =
        InferenceNetwork::Create(model->spec.network, ParseSafeTensors(model->weights, file), file);
    if (!fits.ok()) return absl::FailedPreconditionError(fits.status().message());
  } catch (const std::exception& error) {
    return absl::FailedPreconditionError(error.what());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  InputFile file(path);
  std::string text;
  if (!file.ok() || !file.Read(kMaxTextBytes, &text) || text.size() > kMaxTextBytes) {
    return absl::NotFoundError(
        absl::StrCat(path, ": ", file.ok() ? "is larger than such a file can be" : file.error()));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> FetchBlob(Connection& connection, const std::string& sha256,
                                      const BlobCache& cache) {
  if (std::optional<std::string> cached = cache.Find(sha256)) return *std::move(cached);
  absl::StatusOr<std::string> bytes = GetBlob(connection, sha256);
  if (!bytes.ok()) return bytes.status();
  // An embedded coordinator has its blobs on this disk anyway.
  if (!connection.embedded()) cache.Store(sha256, *bytes);
  return bytes;
}

absl::StatusOr<TrialModel> FetchTrialModel(Connection& connection, const std::string& name,
                                           WeightsChoice choice, const BlobCache& cache) {
  absl::StatusOr<v1::GetTrialResponse> response = GetTrial(connection, name);
  if (!response.ok()) return response.status();
  TrialModel model;
  model.trial = response->trial();
  model.spec_json = response->spec_json();
  try {
    model.spec = TrialSpecFromJson(model.spec_json, NetworkField::kOptional);
  } catch (const ProtocolError& error) {
    return absl::FailedPreconditionError(
        fmt::format("{}: its description cannot be used: {}", name, error.what()));
  }
  const v1::Artifact* artifact =
      FindArtifact(model.trial, choice == WeightsChoice::kBest ? "weights_best" : "weights_last");
  if (artifact == nullptr) artifact = FindArtifact(model.trial, "checkpoint");
  if (artifact == nullptr) return NoWeights(model.trial);
  if (model.spec.network.layers.empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "{} was trained by the sweep's own program without a network of Sweep's", name));
  }
  model.role = artifact->role();
  model.sha256 = artifact->sha256();
  absl::StatusOr<std::string> bytes = FetchBlob(connection, model.sha256, cache);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status status = TakeWeights(*std::move(bytes), choice, &model); !status.ok()) {
    return status;
  }
  return model;
}

absl::StatusOr<TrainedModel> MakeTrainedModel(const TrialModel& model) {
  const std::string name = ShortName(model.trial.name());
  try {
    absl::StatusOr<InferenceNetwork> network = InferenceNetwork::Create(
        model.spec.network, ParseSafeTensors(model.weights, model.role), model.role);
    if (!network.ok()) return network.status();
    return TrainedModel{.title = fmt::format("{} of {}, epoch {}, {} on its {} evaluation images",
                                             Printable(model.spec.network.name), name, model.epoch,
                                             MeasureText(kValidationAccuracy, model.accuracy),
                                             WithSeparators(model.trial.evaluation_images())),
                        .network = *std::move(network),
                        .normalize_mean = model.spec.normalize_mean,
                        .normalize_stddev = model.spec.normalize_stddev,
                        .batch_softmax = model.spec.evaluate_with == "batch_softmax"};
  } catch (const SafeTensorsError& error) {
    return absl::DataLossError(error.what());
  }
}

absl::StatusOr<TrainedModel> ReadTrainedModel(const std::string& folder) {
  const std::string network_path = (std::filesystem::path(folder) / kNetworkFile).string();
  const std::string weights_path = (std::filesystem::path(folder) / kWeightsFile).string();
  const absl::StatusOr<std::string> text = ReadText(network_path);
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat(text.status().message(),
                                            "; a folder to predict with is written by: sweep model "
                                            "NAME/N -o DIR"));
  }
  Diagnostics diagnostics;
  const absl::StatusOr<NetworkFile> file = NetworkFile::Parse(*text, network_path, &diagnostics);
  if (!file.ok()) {
    return diagnostics.empty() ? file.status()
                               : absl::InvalidArgumentError(FormatDiagnostics(diagnostics));
  }
  ParameterMap values = file->defaults();
  values.try_emplace("dropout", 0.0);
  const absl::StatusOr<Network> network = file->Resolve(values);
  if (!network.ok()) return network.status();
  try {
    absl::StatusOr<InferenceNetwork> inference =
        InferenceNetwork::Create(*network, ReadSafeTensors(weights_path), weights_path);
    if (!inference.ok()) return inference.status();
    return TrainedModel{.title = fmt::format("{} in {}", network->name, folder),
                        .network = *std::move(inference),
                        .normalize_mean = file->normalize_mean(),
                        .normalize_stddev = file->normalize_stddev(),
                        .batch_softmax = file->evaluate_with() == "batch_softmax"};
  } catch (const SafeTensorsError& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace sweep::cli
