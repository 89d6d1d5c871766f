#include "common/protocol/trainer_message.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/value.h"
#include "common/protocol/json_reader.h"

namespace sweep {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// An unreported loss; 0 would be a value.
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

ordered_json NumberToJson(double value) {
  if (std::isfinite(value)) return value;
  return FormatDouble(value);
}

ordered_json ToJson(const ReadyMessage& message) {
  return {{"type", "ready"},
          {"protocol", message.protocol},
          {"build", message.build},
          {"device", message.device},
          {"backend", message.backend},
          {"build_id", message.build_id},
          {"instructions", message.instructions},
          {"threads", message.threads}};
}

ordered_json ToJson(const ProgressMessage& message) {
  return {{"type", "progress"},
          {"trial", message.trial},
          {"epoch", message.epoch},
          {"step", message.step},
          {"steps", message.steps},
          {"loss", NumberToJson(message.loss)},
          {"images_per_second", NumberToJson(message.images_per_second)}};
}

// Predefined measures are keys of the line, in their own order; others go into `metrics`.
ordered_json ToJson(const EpochMessage& message) {
  ordered_json line = {
      {"type", "epoch"}, {"trial", message.trial}, {"epoch", message.metrics.epoch}};
  for (const Measure& measure : PredefinedMeasures()) {
    const std::optional<double> value = message.metrics.values.Get(measure.name);
    if (value) line[std::string(measure.name)] = NumberToJson(*value);
  }
  for (const auto& [name, value] : message.metrics.values) {
    if (FindMeasure(name) == nullptr) line["metrics"][name] = NumberToJson(value);
  }
  return line;
}

ordered_json ToJson(const CheckpointMessage& message) {
  return {{"type", "checkpoint"},
          {"trial", message.trial},
          {"epoch", message.epoch},
          {"path", message.path}};
}

ordered_json ToJson(const DoneMessage& message) {
  return {{"type", "done"},
          {"trial", message.trial},
          {"epochs", message.epochs},
          {"stopped", message.stopped},
          {"files", message.files}};
}

ordered_json ToJson(const ErrorMessage& message) {
  return {{"type", "error"},
          {"trial", message.trial},
          {"reason", message.reason},
          {"retryable", message.retryable}};
}

ReadyMessage ReadReady(const JsonReader& reader) {
  ReadyMessage message;
  reader.Int("protocol", 1, kMaxInt, &message.protocol);
  if (message.protocol != kTrainerProtocolVersion) {
    throw ProtocolError("the trainer speaks protocol " + std::to_string(message.protocol) +
                        "; this build speaks version " + std::to_string(kTrainerProtocolVersion));
  }
  reader.String("build", &message.build);
  reader.String("device", &message.device);
  reader.String("backend", &message.backend);
  reader.String("build_id", &message.build_id);
  reader.String("instructions", &message.instructions);
  reader.Int("threads", 0, kMaxInt, &message.threads);
  return message;
}

ProgressMessage ReadProgress(const JsonReader& reader) {
  reader.Require({"trial", "epoch", "step", "steps"});
  ProgressMessage message{.loss = kUnknown};
  reader.String("trial", &message.trial);
  reader.Int("epoch", 1, kMaxInt, &message.epoch);
  reader.Int("step", 0, kMaxInt, &message.step);
  reader.Int("steps", 0, kMaxInt, &message.steps);
  reader.AnyDouble("loss", &message.loss);
  reader.AnyDouble("images_per_second", &message.images_per_second);
  return message;
}

// Reads `name`, a measure or an alias as written in the line.
void ReadMeasure(const JsonReader& reader, const std::string& name, Measurements* values) {
  if (reader.Find(name.c_str())->is_null()) return;  // not reported
  double value = 0;
  reader.AnyDouble(name.c_str(), &value);
  const Measure* const measure = FindMeasure(name);
  if (measure != nullptr && !measure->Allows(value)) {
    // Otherwise a program that reports 99.4 for 99.4 % would meet every gate.
    reader.Fail(name, *reader.Find(name.c_str()),
                measure->max ? "within [0, 1]" : "a finite number, at least 0");
  }
  values->Set(name, value);
}

EpochMessage ReadEpoch(const JsonReader& reader) {
  reader.Require({"trial", "epoch"});
  EpochMessage message;
  reader.String("trial", &message.trial);
  reader.Int("epoch", 1, kMaxInt, &message.metrics.epoch);
  Measurements& values = message.metrics.values;
  for (const Measure& measure : PredefinedMeasures()) {
    const std::string name(measure.name);
    if (reader.Has(name.c_str())) ReadMeasure(reader, name, &values);
  }
  const json* const metrics = reader.Find("metrics");
  if (metrics != nullptr) {
    if (!metrics->is_object()) reader.Fail("metrics", *metrics, "an object of numbers by name");
    const JsonReader named(*metrics, "metrics.");
    for (const auto& [name, value] : metrics->items()) {
      if (!IsMeasureName(name)) {
        reader.Fail("metrics", name, "names of 1 to 64 letters, digits, '_', '.', '/' and '-'");
      }
      ReadMeasure(named, name, &values);
    }
  }
  if (values.size() > kMaxMeasuresPerEpoch) {
    throw ProtocolError("epoch " + std::to_string(message.metrics.epoch) + " has " +
                        std::to_string(values.size()) + " metrics; at most " +
                        std::to_string(kMaxMeasuresPerEpoch) + " are possible");
  }
  return message;
}

CheckpointMessage ReadCheckpoint(const JsonReader& reader) {
  reader.Require({"trial", "epoch", "path"});
  CheckpointMessage message;
  reader.String("trial", &message.trial);
  reader.Int("epoch", 0, kMaxInt, &message.epoch);
  reader.String("path", &message.path);
  return message;
}

DoneMessage ReadDone(const JsonReader& reader) {
  reader.Require({"trial", "epochs"});
  DoneMessage message;
  reader.String("trial", &message.trial);
  reader.Int("epochs", 0, kMaxInt, &message.epochs);
  reader.Bool("stopped", &message.stopped);
  const json* files = reader.Find("files");
  if (files == nullptr) return message;
  if (!files->is_object()) reader.Fail("files", *files, "an object");
  for (const auto& [role, path] : files->items()) {
    if (!path.is_string()) reader.Fail("files." + role, path, "a path");
    message.files[role] = path.get<std::string>();
  }
  return message;
}

ErrorMessage ReadError(const JsonReader& reader) {
  reader.Require({"trial", "reason"});
  ErrorMessage message;
  reader.String("trial", &message.trial);
  reader.String("reason", &message.reason);
  reader.Bool("retryable", &message.retryable);
  return message;
}

}  // namespace

std::string TrainerMessageToJson(const TrainerMessage& message) {
  return DumpLine(std::visit([](const auto& one) { return ToJson(one); }, message));
}

TrainerMessage TrainerMessageFromJson(std::string_view line, bool* is_json) {
  *is_json = !line.empty() && line.front() == '{';
  if (!*is_json) return ReadyMessage{};
  const json object = ParseObject(line, "trainer's line", NonFinite::kBare);
  const JsonReader reader(object, "");
  reader.Require({"type"});
  std::string type;
  reader.Choice("type", {"ready", "progress", "epoch", "checkpoint", "done", "error"}, &type);
  if (type == "ready") return ReadReady(reader);
  if (type == "progress") return ReadProgress(reader);
  if (type == "epoch") return ReadEpoch(reader);
  if (type == "checkpoint") return ReadCheckpoint(reader);
  if (type == "done") return ReadDone(reader);
  return ReadError(reader);
}

std::string TrainerCommandToJson(TrainerCommand command, std::string_view trial) {
  const char* const type = command == TrainerCommand::kStop ? "stop" : "checkpoint";
  return DumpLine({{"type", type}, {"trial", trial}});
}

std::string LineType(std::string_view line) {
  const json object = ParseObject(line, "line");
  const JsonReader reader(object, "");
  reader.Require({"type"});
  std::string type;
  reader.Choice("type", {"trial", "stop", "checkpoint"}, &type);
  return type;
}

TrainerCommand TrainerCommandFromJson(std::string_view line, std::string* trial) {
  const json object = ParseObject(line, "line");
  const JsonReader reader(object, "");
  reader.Require({"type", "trial"});
  std::string type;
  reader.Choice("type", {"stop", "checkpoint"}, &type);
  reader.String("trial", trial);
  return type == "stop" ? TrainerCommand::kStop : TrainerCommand::kCheckpoint;
}

}  // namespace sweep
