#include "cli/present/export.h"

#include <cmath>
#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "cli/present/present.h"

namespace sweep::cli {
namespace {

using Json = nlohmann::ordered_json;

// Beyond it, readers that keep numbers as doubles would round.
constexpr std::int64_t kMostExact = std::int64_t{1} << 53;

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

Json TimeJson(bool set, const google::protobuf::Timestamp& time) {
  if (!set) return nullptr;
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", moment, absl::UTCTimeZone());
}

Json ValueJson(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value();
    case v1::Value::kIntValue:
      if (value.int_value() > kMostExact || value.int_value() < -kMostExact) {
        return std::to_string(value.int_value());
      }
      return value.int_value();
    case v1::Value::kDoubleValue:
      return Number(value.double_value());
    case v1::Value::kStringValue:
      return value.string_value();
    default:
      return nullptr;
  }
}

Json ValuesJson(const google::protobuf::Map<std::string, v1::Value>& values) {
  const std::map<std::string, v1::Value> sorted(values.begin(), values.end());
  Json object = Json::object();
  for (const auto& [name, value] : sorted) object[name] = ValueJson(value);
  return object;
}

// What is known of a trial's network; a program's own is not.
Json KnownOf(const v1::Trial& trial, Json value) {
  return trial.network_parameters() > 0 ? value : Json(nullptr);
}

// A time or a speed: 0 is what was not told.
Json Told(double value) { return value > 0 ? Number(value) : Json(nullptr); }

// What both kinds of row begin with.
ExportRow Identity(const v1::Trial& trial) {
  return {{"trial", ShortName(trial.name())},
          {"number", trial.number()},
          {"configuration", trial.configuration()},
          {"replicate", trial.replicate()},
          {"seed", std::to_string(trial.seed())},
          {"model", trial.model()},
          {"network_parameters", KnownOf(trial, trial.network_parameters())},
          {"fully_connected", KnownOf(trial, trial.fully_connected())},
          {"parameters", ValuesJson(trial.parameters())},
          {"defaults", ValuesJson(trial.defaults())}};
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string CsvCell(const Json& value) {
  if (value.is_null() || (value.is_object() && value.empty())) return "";
  if (value.is_object()) return Quoted(Dump(value));
  if (!value.is_string()) return Dump(value);
  // Through JSON and back: bytes that are not UTF-8 are replaced, as in the JSON.
  return Quoted(Json::parse(Dump(value)).get<std::string>());
}

}  // namespace

ExportRow TrialExportRow(const v1::Trial& trial) {
  const bool measured = trial.epoch() > 0;
  const auto result = [&](double value) { return measured ? Number(value) : Json(nullptr); };
  ExportRow row = Identity(trial);
  row["state"] = StateName(trial.state());
  row["epoch"] = trial.epoch();
  row["epochs"] = trial.epochs();
  row["best_accuracy"] = result(trial.best_accuracy());
  row["best_epoch"] = measured ? Json(trial.best_epoch()) : Json(nullptr);
  row["last_accuracy"] = result(trial.last_accuracy());
  row["best_loss"] = result(trial.best_loss());
  row["last_loss"] = result(trial.last_loss());
  row["epochs_to_target"] =
      trial.epochs_to_target() > 0 ? Json(trial.epochs_to_target()) : Json(nullptr);
  row["evaluation_images"] =
      trial.evaluation_images() > 0 ? Json(trial.evaluation_images()) : Json(nullptr);
  row["attempt_seconds"] =
      trial.attempt() > 0 ? Json(Seconds(trial.attempt_duration())) : Json(nullptr);
  row["attempt"] = trial.attempt();
  row["failures"] = trial.failures();
  row["worker"] = trial.worker().empty() ? Json(nullptr) : Json(ShortName(trial.worker()));
  row["reason"] = trial.reason().empty() ? Json(nullptr) : Json(trial.reason());
  row["create_time"] = TimeJson(trial.has_create_time(), trial.create_time());
  row["start_time"] = TimeJson(trial.has_start_time(), trial.start_time());
  row["end_time"] = TimeJson(trial.has_end_time(), trial.end_time());
  return row;
}

ExportRow EpochExportRow(const v1::Trial& trial, const v1::Epoch& epoch) {
  ExportRow row = Identity(trial);
  row["attempt"] = epoch.attempt();
  row["epoch"] = epoch.epoch();
  row["train_loss"] = Number(epoch.train_loss());
  row["train_accuracy"] = Number(epoch.train_accuracy());
  row["validation_loss"] = Number(epoch.validation_loss());
  row["validation_accuracy"] = Number(epoch.validation_accuracy());
  row["lr"] = Number(epoch.lr());
  row["train_seconds"] = Told(Seconds(epoch.train_duration()));
  row["evaluate_seconds"] = Told(Seconds(epoch.evaluate_duration()));
  row["images_per_second"] = Told(epoch.images_per_second());
  row["report_time"] = TimeJson(epoch.has_report_time(), epoch.report_time());
  return row;
}

ExportWriter::ExportWriter(Format format, const ExportRow& shape,
                           std::vector<std::string> parameters, std::ostream* out)
    : format_(format), parameters_(std::move(parameters)), out_(out) {
  for (const auto& [key, value] : shape.items()) keys_.push_back(key);
  if (format_ == Format::kJson) {
    *out_ << "[";
    return;
  }
  WriteCsvLine([](const std::string& key) { return Quoted(key); },
               [](const std::string& name) { return Quoted("parameters." + name); });
}

void ExportWriter::WriteCsvLine(
    const std::function<std::string(const std::string& key)>& cell,
    const std::function<std::string(const std::string& name)>& parameter) {
  const char* separator = "";
  const auto write = [&](const std::string& text) {
    *out_ << separator << text;
    separator = ",";
  };
  for (const std::string& key : keys_) {
    if (key != "parameters") {
      write(cell(key));
      continue;
    }
    for (const std::string& name : parameters_) write(parameter(name));
  }
  *out_ << "\n";
}

void ExportWriter::Write(const ExportRow& row) {
  if (format_ == Format::kJson) {
    *out_ << (empty_ ? "\n" : ",\n") << Dump(row);
  } else {
    const Json& chosen = row.at("parameters");
    WriteCsvLine([&](const std::string& key) { return CsvCell(row.at(key)); },
                 [&](const std::string& name) {
                   return chosen.contains(name) ? CsvCell(chosen.at(name)) : std::string();
                 });
  }
  empty_ = false;
}

void ExportWriter::Finish() {
  if (format_ == Format::kJson) *out_ << (empty_ ? "]\n" : "\n]\n");
}

}  // namespace sweep::cli
