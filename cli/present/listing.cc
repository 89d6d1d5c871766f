#include "cli/present/listing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

constexpr int kGap = 2;
constexpr int kNarrowest = 12;

// The width that each column needs; -kGap for one that is not shown.
std::vector<int> NaturalWidths(const Listing& listing) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < listing.columns.size(); ++c) {
    int width = DisplayWidth(listing.columns[c].title);
    for (const auto& row : listing.rows) width = std::max(width, DisplayWidth(row[c].text));
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

// First elastic columns are cut, then the least important ones go, until the table fits.
std::vector<int> ColumnWidths(const Listing& listing, int terminal) {
  std::vector<int> natural = NaturalWidths(listing);
  while (true) {
    const std::vector<int> widths = Narrowed(listing, natural, terminal);
    if (ExcessOver(widths, terminal) == 0) return widths;
    std::size_t least = listing.columns.size();
    for (std::size_t c = 0; c < natural.size(); ++c) {
      if (natural[c] < 0 || listing.columns[c].drop == 0) continue;
      if (least == natural.size() || listing.columns[c].drop > listing.columns[least].drop)
        least = c;
    }
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
  const auto print_line = [&](const auto& text_of) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (widths[c] < 0) continue;
      if (!line.empty()) line += std::string(kGap, ' ');
      line += Pad(Truncate(text_of(c), widths[c]), widths[c], listing.columns[c].align_right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_line([&](std::size_t c) { return listing.columns[c].title; });
  for (const auto& row : listing.rows) {
    print_line([&](std::size_t c) { return Printable(row[c].text); });
  }
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
