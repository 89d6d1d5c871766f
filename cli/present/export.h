#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/present/listing.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// A row of an export: keys in order, hyperparameters in the object "parameters", measurements in
// "measures" or "values".
using ExportRow = Json;

// One trial of `sweep`. Unknown values, and numbers that are not finite, are null.
ExportRow TrialExportRow(const v1::Sweep& sweep, const v1::Trial& trial);
// One epoch of a trial, with the identity from the trial's row.
ExportRow EpochExportRow(const ExportRow& trial, const v1::Epoch& epoch);

// Writes rows one at a time: a JSON array with one object per line, or CSV (RFC 4180, but with "
// ", UTF-8) with a header and the columns of FlatColumns for every name of `names`. The stream must
// outlive the writer; the caller checks that it took everything. Used by one thread.
class ExportWriter {
 public:
  // The entries of a CSV's objects, which the header needs before the first row.
  struct Names {
    std::vector<std::string> parameters;
    std::vector<std::string> measures;
  };
  // `format` is kJson or kCsv. `shape` is any row: its keys form the header.
  ExportWriter(Format format, const ExportRow& shape, const Names& names, std::ostream* out);
  void Write(const ExportRow& row);
  // Ends the document.
  void Finish();

 private:
  // `cell` returns the value of a column.
  void WriteCsvLine(const std::function<std::string(const std::string& column)>& cell);
  const Format format_;
  std::vector<std::string> keys_;     // of a row
  std::vector<std::string> columns_;  // of CSV
  std::ostream* const out_;
  bool empty_ = true;
};

}  // namespace sweep::cli
