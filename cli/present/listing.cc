#include "cli/present/listing.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "cli/present/text.h"
#include "common/base/nearest.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

constexpr int kGap = 2;
constexpr int kNarrowest = 12;
constexpr int kSpare = 2;  // columns of this `drop` and above go before an elastic one is cut short

// The width that each column needs; -kGap for one that is not shown.
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

// `widths` with elastic columns as much narrower as needed, but none below kNarrowest.
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

// The width that the table is content with: an elastic column asks for at most half of the
// terminal.
int WantedExcess(const Listing& listing, std::vector<int> widths, int terminal) {
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (!listing.columns[c].elastic) continue;
    widths[c] = std::min(widths[c], std::max(kNarrowest, terminal / 2));
  }
  return ExcessOver(widths, terminal);
}

// The column that is left out next; columns.size() when none may be.
std::size_t LeastColumn(const Listing& listing, const std::vector<int>& widths) {
  std::size_t least = widths.size();
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (widths[c] < 0 || listing.columns[c].drop == 0) continue;
    if (least == widths.size() || listing.columns[c].drop > listing.columns[least].drop) least = c;
  }
  return least;
}

// Columns that can be spared go until the table fits with what elastic ones ask for; these are cut
// to what is left, and then everything goes by its `drop`.
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

std::string CsvField(const nlohmann::json& value) {
  const bool unknown = value.is_number_float() && !std::isfinite(value.get<double>());
  if (value.is_null() || unknown) return "";
  std::string text = value.is_string()
                         ? value.get<std::string>()
                         : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

// An object (the hyperparameters, say) becomes one column per key, "parameters.lr", so that
// spreadsheets and pandas see numbers.
using FlatRow = std::map<std::string, json>;

void PrintCsv(const Listing& listing, std::ostream& out) {
  std::vector<std::string> header;
  std::vector<FlatRow> rows(listing.rows.size());
  for (std::size_t c = 0; c < listing.columns.size(); ++c) {
    const std::string& key = listing.columns[c].key;
    if (key.empty()) continue;
    std::set<std::string> names;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const json& value = listing.rows[r][c].value;
      if (!value.is_object()) {
        names.insert(key);
        rows[r][key] = value;
        continue;
      }
      for (const auto& [inner, inner_value] : value.items()) {
        names.insert(key + "." + inner);
        rows[r][key + "." + inner] = inner_value;
      }
    }
    if (rows.empty()) names.insert(key);
    header.insert(header.end(), names.begin(), names.end());
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

}  // namespace

namespace {

// The hyperparameters and other keys within a column whose values are objects.
std::set<std::string> InnerNames(const Listing& listing, std::size_t column) {
  std::set<std::string> names;
  for (const auto& row : listing.rows) {
    if (!row[column].value.is_object()) continue;
    for (const auto& [name, value] : row[column].value.items()) names.insert(name);
  }
  return names;
}

std::string Title(std::string text) {
  for (char& c : text) {
    c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string CellText(const json& value) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return ShortNumber(value.get<double>());
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<Listing> ChooseColumns(const Listing& listing,
                                      const std::vector<std::string>& names) {
  Listing chosen{.columns = {},
                 .rows = std::vector<std::vector<Cell>>(listing.rows.size()),
                 .empty = listing.empty,
                 .color = listing.color};
  std::vector<std::string> known;
  for (const std::string& wanted : names) {
    const bool is_inner = wanted.starts_with("parameters.");
    const std::string name = is_inner ? wanted.substr(std::string("parameters.").size()) : wanted;
    bool found = false;
    for (std::size_t c = 0; c < listing.columns.size() && !found; ++c) {
      const Listing::Column& column = listing.columns[c];
      if (column.key.empty()) continue;
      known.push_back(column.key);
      if (!is_inner && column.key == name) {
        chosen.columns.push_back(column);
        chosen.columns.back().in_table = true;
        chosen.columns.back().drop = 0;
        if (column.title.empty()) chosen.columns.back().title = Title(column.key);
        for (std::size_t r = 0; r < listing.rows.size(); ++r) {
          Cell cell = listing.rows[r][c];
          if (cell.text.empty()) cell.text = CellText(cell.value);
          chosen.rows[r].push_back(std::move(cell));
        }
        found = true;
        continue;
      }
      const std::set<std::string> inner = InnerNames(listing, c);
      known.insert(known.end(), inner.begin(), inner.end());
      if (!inner.contains(name)) continue;
      chosen.columns.push_back({name, column.key + "." + name, true});
      for (std::size_t r = 0; r < listing.rows.size(); ++r) {
        const json& object = listing.rows[r][c].value;
        const json value = object.contains(name) ? object[name] : json(nullptr);
        if (value.is_string()) chosen.columns.back().align_right = false;
        chosen.rows[r].push_back({CellText(value), value});
      }
      found = true;
    }
    // A table without rows does not know the hyperparameters.
    if (!found && listing.rows.empty()) {
      chosen.columns.push_back({wanted, wanted});
    } else if (!found) {
      return absl::InvalidArgumentError("--columns: there is no column '" + wanted + "'" +
                                        DidYouMean(name, known));
    }
  }
  return chosen;
}

absl::StatusOr<Listing> ChooseColumns(const Listing& listing, const std::string& names) {
  if (names.empty()) return listing;
  std::vector<std::string> wanted = absl::StrSplit(names, ',', absl::SkipWhitespace());
  for (std::string& name : wanted) absl::StripAsciiWhitespace(&name);
  return ChooseColumns(listing, wanted);
}

void PrintJson(const nlohmann::json& value, std::ostream& out) {
  out << value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

json ListingJson(const Listing& listing) {
  json array = json::array();
  for (const auto& row : listing.rows) {
    json object = json::object();
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
