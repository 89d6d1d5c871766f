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

// Keys stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// The text of a column for people, and its value for programs.
struct Cell {
  std::string text;            // table
  Json value = nullptr;        // json, csv
  Style style = Style::kNone;  // of the text, if the listing is coloured
};

// A list printed in the same way by every command: an aligned table that fits the terminal, a JSON
// array of objects, or CSV (RFC 4180) with a header line.
struct Listing {
  struct Column {
    std::string title;  // table
    std::string key;    // json and csv; "": only in the table
    bool align_right = false;
    bool in_table = true;  // false: only for programs
    bool elastic = false;  // may be cut when the table is too wide for the terminal
    // Columns of a table that is too wide are left out from the highest `drop` down; 0: never.
    // Those of 2 and more go before an elastic column is cut to less than half of the width.
    int drop = 0;
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  std::string empty;                    // table: the text when there are no rows
  bool color = false;                   // table: with the styles of its cells
};

// Gives the cells of columns with keys their values for programs: those of the row's document, an
// object with these keys. A key without a column gets one that no table has, behind the columns of
// the keys before it.
void SetValues(const std::vector<std::string>& keys, std::vector<Json> documents, Listing* listing);

// `width` is the terminal's width in columns; 0: unlimited.
void PrintListing(const Listing& listing, Format format, int width, std::ostream& out);

// Keeps only the columns in `names` ("trial,best,lr"), in that order. Hyperparameters may be named
// alone or as "parameters.lr"; measures as in filters ("last.val/f1", "best_loss"), and in a
// ranking by name or alias. `goals` gives the better direction. InvalidArgument, with the nearest
// name, for an unknown column. Empty: all columns.
absl::StatusOr<Listing> ChooseColumns(const Listing& listing, const std::string& names,
                                      const std::vector<Objective>& goals = {});

// A row of CSV. Objects become one column per entry, so that spreadsheets and pandas see numbers:
// "parameters.lr"; for "values" the measure's name alone (unless the row has that key), and for
// "measures" "last.val/f1", "low.val/f1", "high.val/f1".
using FlatRow = std::map<std::string, Json>;
// The columns for an object under `key` whose entries have these names.
std::vector<std::string> FlatColumns(const std::string& key, const std::vector<std::string>& names,
                                     const std::vector<std::string>& row_keys);
void AddFlat(const std::string& key, const Json& object, const std::vector<std::string>& row_keys,
             FlatRow* row);
// The text of a CSV cell: empty for null, NaN and infinities; quoted when necessary.
std::string CsvField(const Json& value);

// The keys of its rows, in order.
std::vector<std::string> ListingKeys(const Listing& listing);
// The rows as an array of objects.
Json ListingJson(const Listing& listing);

// Prints a whole JSON document, indented, with NaN and infinities as null.
void PrintJson(const Json& value, std::ostream& out);

}  // namespace sweep::cli
