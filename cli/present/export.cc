#include "cli/present/export.h"

#include "cli/present/answers.h"
#include "cli/present/cells.h"

namespace sweep::cli {
namespace {

// The first keys of both kinds of row; they identify the trial.
constexpr const char* kIdentityKeys[] = {
    "trial",      "number",  "configuration",      "replicate",
    "seed",       "model",   "network_parameters", "fully_connected",
    "parameters", "defaults"};
// The next keys of a trial's row and of an epoch's; the document's other keys follow.
constexpr const char* kTrialKeys[] = {"state",
                                      "epoch",
                                      "epochs",
                                      "best",
                                      "best_epoch",
                                      "last",
                                      "measures",
                                      "epochs_to_target",
                                      "evaluation_images"};
constexpr const char* kEpochKeys[] = {"attempt", "epoch"};

// Adds what the row lacks. Empty strings become null.
void AddOthers(const Json& document, ExportRow* row) {
  for (const auto& [key, value] : document.items()) {
    if (!row->contains(key)) (*row)[key] = value == "" ? Json(nullptr) : value;
  }
}

// True for keys whose entries have their own columns. Defaults are one column, since no file lists
// their names.
bool IsFlattened(const std::string& key) {
  return key == "parameters" || key == "measures" || key == "values";
}

}  // namespace

ExportRow TrialExportRow(const v1::Sweep& sweep, const v1::Trial& trial) {
  Json document = ToJson(ToDescribed(sweep, trial));
  document["number"] = trial.number();
  document.erase("artifacts");
  ExportRow row;
  for (const char* const key : kIdentityKeys) row[key] = document[key];
  for (const char* const key : kTrialKeys) row[key] = document[key];
  AddOthers(document, &row);
  return row;
}

ExportRow EpochExportRow(const ExportRow& trial, const v1::Epoch& epoch) {
  const Json document = ToJson(ToDocument(epoch));
  ExportRow row;
  for (const char* const key : kIdentityKeys) row[key] = trial.at(key);
  for (const char* const key : kEpochKeys) row[key] = document.at(key);
  AddOthers(document, &row);
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
        AddFlat(key, value, keys_, &flat);
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
