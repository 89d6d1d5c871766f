#include "cli/present/listing.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "cli/present/measure_text.h"
#include "cli/present/text.h"
#include "common/base/nearest.h"
#include "common/stats/measure_field.h"

namespace sweep::cli {
namespace {

constexpr int kGap = 2;
constexpr int kNarrowest = 12;
constexpr int kSpare = 2;  // columns with at least this `drop` go before elastic ones are cut

// The width that each column needs; -kGap for a hidden column.
std::vector<int> NaturalWidths(const Listing& listing) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < listing.columns.size(); ++c) {
    int width = DisplayWidth(listing.columns[c].title);
    for (const auto& row : listing.rows) {
      width = std::max(width, DisplayWidth(Printable(row[c].text)));
    }
    widths.push_back(listing.columns[c].in_table ? width : -kGap);
  }
  return widths;
}

int ExcessOver(const std::vector<int>& widths, int terminal) {
  const int total = std::accumulate(widths.begin(), widths.end(), 0) +
                    kGap * static_cast<int>(widths.size()) - kGap;
  return terminal > 0 ? std::max(0, total - terminal) : 0;
}

// `widths` with elastic columns narrowed as far as needed, but not below kNarrowest.
std::vector<int> Narrowed(const Listing& listing, std::vector<int> widths, int terminal) {
  int excess = ExcessOver(widths, terminal);
  for (std::size_t c = 0; c < widths.size() && excess > 0; ++c) {
    if (!listing.columns[c].elastic || widths[c] <= kNarrowest) continue;
    const int narrowed = std::max(kNarrowest, widths[c] - excess);
    excess -= widths[c] - narrowed;
    widths[c] = narrowed;
  }
  return widths;
}

// The excess over the terminal if each elastic column takes at most half of it.
int WantedExcess(const Listing& listing, std::vector<int> widths, int terminal) {
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (!listing.columns[c].elastic) continue;
    widths[c] = std::min(widths[c], std::max(kNarrowest, terminal / 2));
  }
  return ExcessOver(widths, terminal);
}

// The column to leave out next; columns.size() when none may be.
std::size_t LeastColumn(const Listing& listing, const std::vector<int>& widths) {
  std::size_t least = widths.size();
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (widths[c] < 0 || listing.columns[c].drop == 0) continue;
    if (least == widths.size() || listing.columns[c].drop > listing.columns[least].drop) least = c;
  }
  return least;
}

// First drops columns of at least kSpare until the others fit, with elastic ones at up to half of
// the terminal; then narrows elastic columns; then drops any column in order of `drop`.
std::vector<int> ColumnWidths(const Listing& listing, int terminal) {
  std::vector<int> natural = NaturalWidths(listing);
  while (terminal > 0 && WantedExcess(listing, natural, terminal) > 0) {
    const std::size_t least = LeastColumn(listing, natural);
    if (least == natural.size()) break;
    if (listing.columns[least].elastic || listing.columns[least].drop < kSpare) break;
    natural[least] = -kGap;
  }
  while (true) {
    const std::vector<int> widths = Narrowed(listing, natural, terminal);
    if (ExcessOver(widths, terminal) == 0) return widths;
    const std::size_t least = LeastColumn(listing, natural);
    if (least == natural.size()) return widths;
    natural[least] = -kGap;
  }
}

void PrintTable(const Listing& listing, int terminal, std::ostream& out) {
  if (listing.rows.empty()) {
    if (!listing.empty.empty()) out << listing.empty << '\n';
    return;
  }
  const std::vector<int> widths = ColumnWidths(listing, terminal);
  const auto print_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (widths[c] < 0) continue;
      if (!line.empty()) line += std::string(kGap, ' ');
      const Cell cell = cell_of(c);
      const std::string text = Truncate(Printable(cell.text), widths[c]);
      const std::string blanks = Pad("", widths[c] - DisplayWidth(text));
      const std::string shown = listing.color ? WithStyle(cell.style, text) : text;
      line += listing.columns[c].align_right ? blanks + shown : shown + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_line([&](std::size_t c) { return Cell{listing.columns[c].title, nullptr}; });
  for (const auto& row : listing.rows) print_line([&](std::size_t c) { return row[c]; });
}

// The keys of a column whose values are objects: hyperparameters, measures.
std::vector<std::string> InnerNames(const Listing& listing, std::size_t column) {
  std::set<std::string> names;
  for (const auto& row : listing.rows) {
    if (!row[column].value.is_object()) continue;
    for (const auto& [name, value] : row[column].value.items()) names.insert(name);
  }
  return {names.begin(), names.end()};
}

// True when all values of the column are objects, so CSV has only their entries as columns.
bool AllObjects(const Listing& listing, std::size_t column) {
  return !listing.rows.empty() &&
         std::all_of(listing.rows.begin(), listing.rows.end(),
                     [&](const auto& row) { return row[column].value.is_object(); });
}

// The rows as written to CSV.
std::vector<FlatRow> FlatRows(const Listing& listing) {
  const std::vector<std::string> keys = ListingKeys(listing);
  std::vector<FlatRow> rows(listing.rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < listing.columns.size(); ++c) {
      const std::string& key = listing.columns[c].key;
      if (key.empty()) continue;
      AddFlat(key, listing.rows[r][c].value, keys, &rows[r]);
    }
  }
  return rows;
}

void PrintCsv(const Listing& listing, std::ostream& out) {
  const std::vector<std::string> keys = ListingKeys(listing);
  const std::vector<FlatRow> rows = FlatRows(listing);
  std::vector<std::string> header;
  for (std::size_t c = 0; c < listing.columns.size(); ++c) {
    const std::string& key = listing.columns[c].key;
    if (key.empty()) continue;
    const std::vector<std::string> names = InnerNames(listing, c);
    if (names.empty() && !AllObjects(listing, c)) header.push_back(key);
    for (std::string& name : FlatColumns(key, names, keys)) header.push_back(std::move(name));
  }
  for (std::size_t c = 0; c < header.size(); ++c) out << (c ? "," : "") << CsvField(header[c]);
  out << '\n';
  for (const FlatRow& row : rows) {
    for (std::size_t c = 0; c < header.size(); ++c) {
      const auto cell = row.find(header[c]);
      out << (c ? "," : "") << (cell == row.end() ? "" : CsvField(cell->second));
    }
    out << '\n';
  }
}

std::string Title(std::string text) {
  for (char& c : text) {
    c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string CellText(const std::string& name, const Json& value) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::optional<MeasureField> field = ParseMeasureField(name, {});
  return MeasureText(field ? field->measure : name, value.get<double>());
}

// Adds a column by its key, for tables too.
void ChooseKey(const Listing& listing, std::size_t column, Listing* chosen) {
  chosen->columns.push_back(listing.columns[column]);
  Listing::Column& added = chosen->columns.back();
  added.in_table = true;
  added.drop = 0;
  if (added.title.empty()) added.title = Title(added.key);
  for (std::size_t r = 0; r < listing.rows.size(); ++r) {
    Cell cell = listing.rows[r][column];
    if (cell.value.is_number()) added.align_right = true;
    if (cell.text.empty() && cell.value.is_number_integer()) {
      cell.text = WithSeparators(cell.value.get<std::int64_t>());
    } else if (cell.text.empty()) {
      cell.text = CellText(added.key, cell.value);
    }
    chosen->rows[r].push_back(std::move(cell));
  }
}

void ChooseFlat(const std::vector<FlatRow>& rows, const std::string& title, const std::string& name,
                Listing* chosen) {
  chosen->columns.push_back({title, name, true});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto cell = rows[r].find(name);
    const Json value = cell == rows[r].end() ? Json(nullptr) : cell->second;
    if (value.is_string()) chosen->columns.back().align_right = false;
    chosen->rows[r].push_back({CellText(name, value), value});
  }
}

constexpr char kMeasures[] = "measures";
constexpr std::pair<const char*, MeasureField::Part> kParts[] = {
    {"last", MeasureField::Part::kLast},
    {"low", MeasureField::Part::kLow},
    {"high", MeasureField::Part::kHigh}};

// The flat row's name for a part of a measure that has several names: "last.val/f1".
std::optional<std::string> FlatMeasure(const std::string& name,
                                       const std::vector<Objective>& goals) {
  const std::optional<MeasureField> field = ParseMeasureField(name, goals);
  if (!field) return std::nullopt;
  for (const auto& [word, part] : kParts) {
    if (part == field->part) return std::string(word) + "." + field->measure;
  }
  return std::nullopt;
}

// Finds columns by the names that people use.
class ColumnChooser {
 public:
  ColumnChooser(const Listing& listing, const std::vector<Objective>& goals)
      : listing_(listing), goals_(goals), rows_(FlatRows(listing)) {
    const std::vector<std::string> keys = ListingKeys(listing);
    for (std::size_t c = 0; c < listing.columns.size(); ++c) {
      const std::string& key = listing.columns[c].key;
      if (key.empty()) continue;
      const std::vector<std::string> inner = InnerNames(listing, c);
      known_.push_back(key);
      if (!inner.empty()) objects_.push_back(key);
      has_measures_ = has_measures_ || key == kMeasures;
      const std::vector<std::string> flat = FlatColumns(key, inner, keys);
      flat_.insert(flat.begin(), flat.end());
      // A measure alone is no column, but its last value is.
      for (const std::string& name : inner) {
        known_.push_back(key == kMeasures ? "last." + name : name);
      }
    }
  }

  absl::Status Choose(const std::string& wanted, Listing* chosen) const {
    for (std::size_t c = 0; c < listing_.columns.size(); ++c) {
      if (listing_.columns[c].key != wanted) continue;
      ChooseKey(listing_, c, chosen);
      return absl::OkStatus();
    }
    std::vector<std::string> names = {wanted, std::string(CanonicalMeasure(wanted))};
    for (const std::string& object : objects_) names.push_back(object + "." + wanted);
    const std::optional<std::string> measure =
        has_measures_ ? FlatMeasure(wanted, goals_) : std::nullopt;
    if (measure) names.push_back(*measure);
    const auto found = std::find_if(names.begin(), names.end(), [this](const std::string& name) {
      return flat_.contains(name);
    });
    if (found != names.end()) {
      const bool is_inner = wanted.starts_with(kParameters);
      ChooseFlat(rows_, is_inner ? wanted.substr(kParameters.size()) : wanted, *found, chosen);
    } else if (measure) {  // no trial has reported it yet
      ChooseFlat(rows_, wanted, *measure, chosen);
    } else if (listing_.rows.empty()) {  // without rows the hyperparameters are unknown
      chosen->columns.push_back({wanted, wanted});
    } else {
      return absl::InvalidArgumentError("--columns: there is no column '" + wanted + "'" +
                                        DidYouMean(wanted, known_));
    }
    return absl::OkStatus();
  }

 private:
  static constexpr std::string_view kParameters = "parameters.";
  const Listing& listing_;
  const std::vector<Objective>& goals_;
  const std::vector<FlatRow> rows_;
  std::vector<std::string> known_;    // for a hint
  std::vector<std::string> objects_;  // keys of objects
  std::set<std::string> flat_;        // their columns
  bool has_measures_ = false;
};

}  // namespace

std::string CsvField(const Json& value) {
  const bool unknown = value.is_number_float() && !std::isfinite(value.get<double>());
  if (value.is_null() || unknown) return "";
  // Dumping and parsing replaces bytes that are not UTF-8, as in JSON.
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (value.is_string()) text = Json::parse(text).get<std::string>();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::vector<std::string> FlatColumns(const std::string& key, const std::vector<std::string>& names,
                                     const std::vector<std::string>& row_keys) {
  std::vector<std::string> columns;
  for (const std::string& name : names) {
    const bool is_free = std::find(row_keys.begin(), row_keys.end(), name) == row_keys.end();
    if (key == kMeasures) {
      for (const auto& [word, part] : kParts) columns.push_back(std::string(word) + "." + name);
    } else {
      columns.push_back(key == "values" && is_free ? name : key + "." + name);
    }
  }
  return columns;
}

void AddFlat(const std::string& key, const Json& value, const std::vector<std::string>& row_keys,
             FlatRow* row) {
  if (!value.is_object()) {
    (*row)[key] = value;
    return;
  }
  for (const auto& [name, entry] : value.items()) {
    const std::vector<std::string> columns = FlatColumns(key, {name}, row_keys);
    if (key != kMeasures) {
      (*row)[columns.front()] = entry;
      continue;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) (*row)[columns[i]] = entry[kParts[i].first];
  }
}

absl::StatusOr<Listing> ChooseColumns(const Listing& listing, const std::string& names,
                                      const std::vector<Objective>& goals) {
  if (names.empty()) return listing;
  Listing chosen{.columns = {},
                 .rows = std::vector<std::vector<Cell>>(listing.rows.size()),
                 .empty = listing.empty,
                 .color = listing.color};
  const ColumnChooser chooser(listing, goals);
  std::vector<std::string> wanted = absl::StrSplit(names, ',', absl::SkipWhitespace());
  for (std::string& name : wanted) {
    absl::StripAsciiWhitespace(&name);
    if (absl::Status status = chooser.Choose(name, &chosen); !status.ok()) return status;
  }
  return chosen;
}

std::vector<std::string> ListingKeys(const Listing& listing) {
  std::vector<std::string> keys;
  for (const Listing::Column& column : listing.columns) {
    if (!column.key.empty()) keys.push_back(column.key);
  }
  return keys;
}

void SetValues(const std::vector<std::string>& keys, std::vector<Json> documents,
               Listing* listing) {
  std::size_t end = 0;  // of the columns of the keys so far
  for (const std::string& key : keys) {
    auto& columns = listing->columns;
    auto column = std::find_if(columns.begin(), columns.end(),
                               [&](const Listing::Column& each) { return each.key == key; });
    if (column == columns.end()) {
      const auto at = static_cast<std::ptrdiff_t>(end);
      column = columns.insert(columns.begin() + at, {.title = "", .key = key, .in_table = false});
      for (auto& row : listing->rows) row.insert(row.begin() + at, Cell());
    }
    const auto place = static_cast<std::size_t>(column - columns.begin());
    for (std::size_t r = 0; r < documents.size(); ++r) {
      listing->rows[r][place].value = std::move(documents[r][key]);
    }
    end = std::max(end, place + 1);
  }
}

void PrintJson(const Json& value, std::ostream& out) {
  out << value.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json ListingJson(const Listing& listing) {
  Json array = Json::array();
  for (const auto& row : listing.rows) {
    Json object = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (!listing.columns[c].key.empty()) object[listing.columns[c].key] = row[c].value;
    }
    array.push_back(std::move(object));
  }
  return array;
}

void PrintListing(const Listing& listing, Format format, int width, std::ostream& out) {
  switch (format) {
    case Format::kTable:
      PrintTable(listing, width, out);
      return;
    case Format::kCsv:
      PrintCsv(listing, out);
      return;
    case Format::kJson:
      PrintJson(ListingJson(listing), out);
      return;
  }
}

}  // namespace sweep::cli
