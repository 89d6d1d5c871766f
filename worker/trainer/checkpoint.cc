#include "worker/trainer/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/tensors/checkpoint_layout.h"

namespace sweep {
namespace {

constexpr const char* kFormat = "sweep-checkpoint-1";
constexpr const char* kPredictions = "predictions";
constexpr const char* kDataSha256 = "data_sha256";
constexpr std::size_t kLongestValue = 60;  // in a message

void AddAll(std::string_view prefix, const std::vector<SafeTensor>& from, SafeTensors* to) {
  for (const SafeTensor& tensor : from) {
    to->tensors.push_back(tensor);
    to->tensors.back().name.insert(0, prefix);
  }
}

// Takes a tensor whose name has the prefix; false when it does not.
bool TakeIfPrefixed(std::string_view prefix, const SafeTensor& tensor,
                    std::vector<SafeTensor>* into) {
  if (!tensor.name.starts_with(prefix)) return false;
  into->push_back(tensor);
  into->back().name.erase(0, prefix.size());
  return true;
}

std::string MetricsToJson(const EpochMetrics& metrics) {
  return TrainerMessageToJson(EpochMessage{.trial = "", .metrics = metrics});
}

EpochMetrics MetricsFromJson(const std::string& text) {
  bool is_json = false;
  return std::get<EpochMessage>(TrainerMessageFromJson(text, &is_json)).metrics;
}

std::string Shortened(const nlohmann::json& value) {
  std::string text = value.dump();
  if (text.size() > kLongestValue) text = "(other)";
  return text;
}

// A file may come from anybody and hold anything in the place of a network.
std::string NameOf(const nlohmann::json& network) {
  const auto found = network.is_object() ? network.find("name") : network.end();
  return found != network.end() && found->is_string() ? found->get<std::string>() : "?";
}

}  // namespace

SafeTensors CheckpointToSafeTensors(const Checkpoint& checkpoint) {
  SafeTensors content;
  content.metadata = {{"format", kFormat},
                      {"spec", checkpoint.spec},
                      {"epoch", std::to_string(checkpoint.epoch)},
                      {"last", MetricsToJson(checkpoint.last)},
                      {"best", MetricsToJson(checkpoint.best)}};
  AddAll(kCheckpointNetworkPrefix, checkpoint.network, &content);
  AddAll(kCheckpointMomentumPrefix, checkpoint.momentum, &content);
  AddAll(kCheckpointBestPrefix, checkpoint.best_network, &content);
  content.tensors.push_back({.name = kPredictions,
                             .dtype = "U8",
                             .shape = {static_cast<std::int64_t>(checkpoint.predictions.size())},
                             .bytes = checkpoint.predictions});
  return content;
}

Checkpoint CheckpointFromSafeTensors(const SafeTensors& content, const std::string& name) {
  const auto metadata = [&](const char* key) {
    const auto found = content.metadata.find(key);
    return found == content.metadata.end() ? std::string() : found->second;
  };
  if (metadata("format") != kFormat) {
    throw SafeTensorsError(name + ": is no checkpoint (format '" + metadata("format") +
                           "', expected '" + kFormat + "')");
  }
  Checkpoint checkpoint;
  checkpoint.spec = metadata("spec");
  try {
    checkpoint.epoch = std::stoi(metadata("epoch"));
    checkpoint.last = MetricsFromJson(metadata("last"));
    checkpoint.best = MetricsFromJson(metadata("best"));
  } catch (const std::exception& error) {
    throw SafeTensorsError(name + ": bad checkpoint metadata: " + error.what());
  }
  if (checkpoint.last.epoch != checkpoint.epoch || checkpoint.best.epoch > checkpoint.epoch) {
    throw SafeTensorsError(name + ": bad checkpoint metadata: epoch " +
                           std::to_string(checkpoint.epoch) + " with metrics of epochs " +
                           std::to_string(checkpoint.last.epoch) + " and " +
                           std::to_string(checkpoint.best.epoch));
  }
  for (const SafeTensor& tensor : content.tensors) {
    if (tensor.name == kPredictions) {
      checkpoint.predictions = tensor.bytes;
    } else if (!TakeIfPrefixed(kCheckpointNetworkPrefix, tensor, &checkpoint.network) &&
               !TakeIfPrefixed(kCheckpointMomentumPrefix, tensor, &checkpoint.momentum) &&
               !TakeIfPrefixed(kCheckpointBestPrefix, tensor, &checkpoint.best_network)) {
      throw SafeTensorsError(name + ": has an unknown tensor '" + tensor.name + "'");
    }
  }
  return checkpoint;
}

std::string TrainingIdentity(const TrialSpec& spec) {
  TrialSpec identity = spec;
  const TrialSpec none;
  identity.trial = none.trial;
  identity.target_epoch = none.target_epoch;  // how far to train, not how
  identity.parameters = none.parameters;      // for other trainers; ours reads fields
  identity.data_dir = none.data_dir;
  identity.output_dir = none.output_dir;
  identity.resume_from = none.resume_from;
  identity.device = none.device;
  return TrialSpecToJson(identity);
}

std::string ExplainNoParent(const Checkpoint& checkpoint, const TrialSpec& spec) {
  if (checkpoint.epoch != spec.start_epoch) {
    return "it is of epoch " + std::to_string(checkpoint.epoch) + ", and the trial goes on after " +
           std::to_string(spec.start_epoch);
  }
  const auto theirs = nlohmann::json::parse(checkpoint.spec, nullptr, /*allow_exceptions=*/false);
  if (!theirs.is_object()) return "it does not say which training it is of";
  const auto ours = nlohmann::json::parse(TrainingIdentity(spec));
  // What makes the epochs before comparable. Whether the network has the same tensors is seen when
  // they are loaded.
  for (const char* key : {"seed", "epochs", "dataset", "holdout", kDataSha256}) {
    if (!theirs.contains(key) || !ours.contains(key) || theirs[key] == ours[key]) continue;
    return std::string("it has ") + key + " " + Shortened(theirs[key]) + ", the trial has " +
           Shortened(ours[key]);
  }
  return "";
}

std::string ExplainMismatch(const Checkpoint& checkpoint, const TrialSpec& spec) {
  const std::string wanted = TrainingIdentity(spec);
  if (checkpoint.spec == wanted) return "";
  const auto theirs = nlohmann::json::parse(checkpoint.spec, nullptr, /*allow_exceptions=*/false);
  const auto ours = nlohmann::json::parse(wanted);
  if (!theirs.is_object()) return "it does not say which training it is of";
  for (const auto& [key, value] : ours.items()) {
    // Older trainers did not store the digest.
    if (key == kDataSha256 && !theirs.contains(key)) continue;
    if (!theirs.contains(key)) return "it has no " + key;
    if (theirs[key] == value) continue;
    if (key == kDataSha256) {
      return "it was trained on other data (" + theirs[key].dump() + ") than there is (" +
             value.dump() + ")";
    }
    if (key == "network") {
      const std::string name = NameOf(theirs[key]);
      return "it is of the network " + name + ", the trial's is " + spec.network.name +
             (name == spec.network.name ? " with other layers" : "");
    }
    return "it has " + key + " " + Shortened(theirs[key]) + ", the trial has " + Shortened(value);
  }
  const bool only_ours = std::ranges::all_of(theirs.items(), [&](const auto& item) {
    return item.key() == kDataSha256 || ours.contains(item.key());
  });
  return only_ours ? "" : "it is of another version of the trial's description";
}

}  // namespace sweep
