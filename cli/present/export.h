#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "cli/present/listing.h"
#include "common/protocol/trainer_message.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// A row of an export: keys in their order, the hyperparameters as the object "parameters".
using ExportRow = nlohmann::ordered_json;

// One trial. What is not known yet, and numbers that are not finite, are null.
ExportRow TrialExportRow(const v1::Trial& trial);
// One epoch of a trial, with what tells the trial apart.
ExportRow EpochExportRow(const v1::Trial& trial, const v1::Epoch& epoch);

// Writes rows as they come, one at a time: a JSON array with one object to a line, or CSV
// (RFC 4180, but with "\n", UTF-8) with a header and a column "parameters.x" for every x of
// `parameters`. The stream outlives the writer; whether it took everything is for the caller to
// check. Used by one thread.
class ExportWriter {
 public:
  // `format` is kJson or kCsv. `shape` is any row: its keys make the header.
  ExportWriter(Format format, const ExportRow& shape, std::vector<std::string> parameters,
               std::ostream* out);
  void Write(const ExportRow& row);
  // Ends the document.
  void Finish();

 private:
  void WriteCsvLine(const std::function<std::string(const std::string& key)>& cell,
                    const std::function<std::string(const std::string& name)>& parameter);
  const Format format_;
  std::vector<std::string> keys_;
  const std::vector<std::string> parameters_;
  std::ostream* const out_;
  bool empty_ = true;
};

}  // namespace sweep::cli
