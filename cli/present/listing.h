#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/present/style.h"
#include "common/trial/measures.h"

namespace sweep::cli {

enum class Format { kTable, kJson, kCsv };

// What a column shows to a person, and the value behind it for programs.
struct Cell {
  std::string text;            // table
  nlohmann::json value;        // json, csv
  Style style = Style::kNone;  // of the text, where the listing is coloured
};

// A list of things, printed the same way by every command: an aligned table that fits the terminal,
// a JSON array of objects, or CSV (RFC 4180) with a header line.
struct Listing {
  struct Column {
    std::string title;  // table
    std::string key;    // json and csv; "": only in the table
    bool align_right = false;
    bool in_table = true;  // false: only for programs
    bool elastic = false;  // may be cut when the table is too wide for the terminal
    // Left out when the table is too wide, the highest first; 0: never. Those of 2 and more go
    // before an elastic column is cut to less than half of the width.
    int drop = 0;
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  std::string empty;                    // table: what to say when there are no rows
  bool color = false;                   // table: with the styles of its cells
};

// `width` is the terminal's width in columns; 0 cuts nothing.
void PrintListing(const Listing& listing, Format format, int width, std::ostream& out);

// Only the columns that `names` ("trial,best,lr") names by their key, in that order;
// hyperparameters by their name, or as "parameters.lr"; measures as filters name them:
// "last.val/f1", "best_loss", and what is in the values of a ranking by its name or alias. `goals`
// says what is best. InvalidArgument, with what is nearest, for one that is not there. Empty: all
// columns.
absl::StatusOr<Listing> ChooseColumns(const Listing& listing, const std::string& names,
                                      const std::vector<Objective>& goals = {});

// A row of CSV. Objects become one column per entry, so that spreadsheets and pandas see numbers:
// "parameters.lr"; of "values" the name of the measure alone (unless that is a key of the row), and
// of "measures" "last.val/f1", "low.val/f1", "high.val/f1".
using FlatRow = std::map<std::string, nlohmann::json>;
// The columns that an object under `key` with entries of these names becomes.
std::vector<std::string> FlatColumns(const std::string& key, const std::vector<std::string>& names,
                                     const std::vector<std::string>& row_keys);
void AddFlat(const std::string& key, const nlohmann::json& object,
             const std::vector<std::string>& row_keys, FlatRow* row);
// What stands in a cell of CSV: nothing for null, NaN and infinities; quoted where it has to be.
std::string CsvField(const nlohmann::json& value);

// The rows as an array of objects.
nlohmann::json ListingJson(const Listing& listing);

// The JSON of a whole document, indented, NaN and infinities as null.
void PrintJson(const nlohmann::json& value, std::ostream& out);

}  // namespace sweep::cli
