#include "cli/present/export.h"

#include "cli/present/cells.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using Json = nlohmann::ordered_json;

// The first keys of both kinds of row; they identify the trial.
constexpr const char* kIdentityKeys[] = {
    "trial",      "number",  "configuration",      "replicate",
    "seed",       "model",   "network_parameters", "fully_connected",
    "parameters", "defaults"};
constexpr const char* kTrialKeys[] = {"state",
                                      "epoch",
                                      "epochs",
                                      "best",
                                      "best_epoch",
                                      "last",
                                      "measures",
                                      "epochs_to_target",
                                      "evaluation_images",
                                      "attempt_seconds",
                                      "attempt",
                                      "failures",
                                      "worker",
                                      "reason",
                                      "create_time",
                                      "start_time",
                                      "end_time"};

// Empty strings become null.
Json OrNull(const nlohmann::json& value) { return value == "" ? Json(nullptr) : Json(value); }

// True for keys whose entries have their own columns. Defaults are one column, since no file lists
// their names.
bool IsFlattened(const std::string& key) {
  return key == "parameters" || key == "measures" || key == "values";
}

}  // namespace

ExportRow TrialExportRow(const v1::Sweep& sweep, const v1::Trial& trial) {
  nlohmann::json known = TrialJson(sweep, trial);
  known["number"] = trial.number();
  ExportRow row;
  for (const char* const key : kIdentityKeys) row[key] = known[key];
  for (const char* const key : kTrialKeys) row[key] = OrNull(known[key]);
  return row;
}

ExportRow EpochExportRow(const ExportRow& trial, const v1::Epoch& epoch) {
  ExportRow row;
  for (const char* const key : kIdentityKeys) row[key] = trial.at(key);
  row["attempt"] = epoch.attempt();
  row["epoch"] = epoch.epoch();
  row["values"] = ValuesJson(FromProto(epoch).values);
  row["report_time"] = cells::TimeCell(epoch.has_report_time(), epoch.report_time()).value;
  return row;
}

ExportWriter::ExportWriter(Format format, const ExportRow& shape, const Names& names,
                           std::ostream* out)
    : format_(format), out_(out) {
  for (const auto& [key, value] : shape.items()) keys_.push_back(key);
  for (const std::string& key : keys_) {
    if (IsFlattened(key)) {
      const bool is_parameters = key == "parameters";
      for (std::string& column :
           FlatColumns(key, is_parameters ? names.parameters : names.measures, keys_)) {
        columns_.push_back(std::move(column));
      }
    } else {
      columns_.push_back(key);
    }
  }
  if (format_ == Format::kJson) {
    *out_ << "[";
  } else {
    WriteCsvLine([](const std::string& column) { return CsvField(column); });
  }
}

void ExportWriter::WriteCsvLine(const std::function<std::string(const std::string&)>& cell) {
  for (const std::string& column : columns_) {
    *out_ << (&column == &columns_.front() ? "" : ",") << cell(column);
  }
  *out_ << "\n";
}

void ExportWriter::Write(const ExportRow& row) {
  if (format_ == Format::kJson) {
    *out_ << (empty_ ? "\n" : ",\n") << cells::Dump(row);
  } else {
    FlatRow flat;
    for (const auto& [key, value] : row.items()) {
      const bool is_empty = value.is_object() && value.empty();
      if (IsFlattened(key)) {
        AddFlat(key, nlohmann::json(value), keys_, &flat);
      } else if (!is_empty) {
        flat[key] = value;
      }
    }
    WriteCsvLine([&](const std::string& column) {
      const auto cell = flat.find(column);
      return cell == flat.end() ? std::string() : CsvField(cell->second);
    });
  }
  empty_ = false;
}

void ExportWriter::Finish() {
  if (format_ == Format::kJson) *out_ << (empty_ ? "]\n" : "\n]\n");
}

}  // namespace sweep::cli
