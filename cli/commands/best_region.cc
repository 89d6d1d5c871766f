#include "cli/commands/best_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/calls.h"
#include "cli/present/cells.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "common/expr/expression.h"

namespace sweep::cli {
namespace {

// For the first answer, and from then on for one that knows the newest results: of a sweep that
// runs there may always be newer ones.
constexpr absl::Duration kPatience = absl::Minutes(2), kPatienceForNews = absl::Seconds(10);
constexpr absl::Duration kPause = absl::Milliseconds(200);

absl::StatusOr<double> ShareOf(const std::string& text) {
  const absl::StatusOr<Gate> read = Gate::Parse("share", text);
  const bool is_number = read.ok() && read->op == Gate::Op::kEqual && IsNumber(read->bound);
  if (!is_number || !(AsDouble(read->bound) >= 0.5 && AsDouble(read->bound) <= 0.99)) {
    return absl::InvalidArgumentError(
        fmt::format("--share must be from 50% to 99%, such as 90% or 0.9, not '{}'", text));
  }
  return AsDouble(read->bound);
}

absl::StatusOr<Json> GetRegion(Connection& connection, const std::string& sweep, double share) {
  const absl::Time began = absl::Now();
  while (true) {
    const absl::StatusOr<std::string> text =
        GetView(connection, "/sweeps/" + sweep + "/region", fmt::format("share={}", share));
    if (!text.ok()) return text.status();
    Json document = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!document.is_object()) {
      return absl::InternalError("the coordinator's document of the region is no JSON");
    }
    const bool is_there = document["answer"] != "computing";
    const absl::Duration waited = absl::Now() - began;
    if (is_there && (document["ready"] == true || waited > kPatienceForNews)) return document;
    if (waited > kPatience) {
      return absl::DeadlineExceededError(
          fmt::format("the region of {} is still being computed; ask again", sweep));
    }
    absl::SleepFor(kPause);
  }
}

std::string WordOf(const Json& value) {
  if (value.is_string()) return Printable(value.get<std::string>());
  if (value.is_number()) return fmt::format("{:g}", value.get<double>());
  return cells::Dump(value);
}

std::string WordsOf(const Json& low, const Json& high, const Json& values) {
  std::string words;
  for (const Json& value : values) words += (words.empty() ? "" : ", ") + WordOf(value);
  if (!values.empty()) return words;
  if (low == high) return WordOf(low);
  return fmt::format("{} to {}", WordOf(low), WordOf(high));
}

std::string PercentOf(const Json& share) {
  return fmt::format("{:.1f} %", 100 * share.get<double>());
}

std::string BetweenOf(const Json& interval) {
  return fmt::format("{} to {}", PercentOf(interval[0]), PercentOf(interval[1]));
}

Listing RangesOf(const Json& document) {
  Listing listing;
  listing.columns = {{"HYPERPARAMETER", "name"},
                     {"REGION", "", false, true, true},
                     {"TRIED", "", false, true, true}};
  for (const char* const key : {"low", "high", "values", "tried_low", "tried_high", "tried"}) {
    listing.columns.push_back({.title = "", .key = key, .in_table = false});
  }
  for (const Json& range : document["ranges"]) {
    std::vector<Cell> row = {cells::Text(range["name"].get<std::string>()),
                             {WordsOf(range["low"], range["high"], range["values"])},
                             {WordsOf(range["tried_low"], range["tried_high"], range["tried"])}};
    for (std::size_t i = 3; i < listing.columns.size(); ++i) {
      row.push_back({"", range[listing.columns[i].key]});
    }
    listing.rows.push_back(std::move(row));
  }
  return listing;
}

// Whose box it is: of the sweep, or of one of its networks.
std::string OwnerOf(const std::string& sweep, const Json& region) {
  if (!region.contains("model")) return sweep;
  return fmt::format("{} of {}", Printable(region["model"].get<std::string>()), sweep);
}

void PrintRegion(const std::string& sweep, const Json& region, double share,
                 const Session& session) {
  Say(session, fmt::format("at least {:g} % of the runs in this region of {} are expected to meet "
                           "all criteria; it lies around {}/{}",
                           100 * share, OwnerOf(sweep, region), sweep,
                           region["around"].get<std::int64_t>()));
  PrintListing(RangesOf(region), session, std::cout);
  const auto inside = region["runs_inside"].get<std::int64_t>();
  std::string trained = "trained in it: no run";
  if (inside > 0) {
    const auto met = region["qualifying_inside"].get<std::int64_t>();
    trained = fmt::format("trained in it: {} of {} met them, {:.1f} % (95 % interval {})", met,
                          Counted(inside, "run"),
                          100 * static_cast<double>(met) / static_cast<double>(inside),
                          BetweenOf(region["qualifying_interval"]));
  }
  Say(session, fmt::format("expected: {} of runs (95 % interval {}), by a model of {} of {}\n{}\n"
                           "size: {:.3g} % of the search space",
                           PercentOf(region["expected"]), BetweenOf(region["expected_interval"]),
                           Counted(region["runs"].get<std::int64_t>(), "run"),
                           Counted(region["configurations"].get<std::int64_t>(), "configuration"),
                           trained, 100 * region["volume"].get<double>()));
}

bool IsFound(const Json& region) { return region["answer"] == "found"; }

// That of each network where there are several, else that of the sweep.
std::vector<Json> BoxesOf(const Json& document) {
  // An older coordinator says nothing of networks.
  const Json networks = document.value("networks", Json::array());
  std::vector<Json> boxes(networks.begin(), networks.end());
  if (boxes.empty()) return {document};
  for (Json& box : boxes) {  // the model has learned from those of all
    for (const char* const key : {"runs", "configurations"}) box[key] = document[key];
  }
  return boxes;
}

void PrintBoxes(const std::string& sweep, const Json& document, const std::vector<Json>& boxes,
                const Session& session) {
  for (const Json& box : boxes) {
    if (IsFound(box)) {
      PrintRegion(sweep, box, document["share"].get<double>(), session);
    } else {
      std::cerr << fmt::format("no region of {}: {}\n", OwnerOf(sweep, box),
                               Printable(box["note"].get<std::string>()));
    }
  }
  if (document["ready"] == false) Say(session, "it does not know the newest results yet");
}

// A row for each parameter of each box, with the network where there are several.
Listing TableOf(const std::vector<Json>& boxes) {
  Listing all;
  for (const Json& box : boxes) {
    Listing one = RangesOf(box);
    if (box.contains("model")) {
      one.columns.insert(one.columns.begin(), Listing::Column{"NETWORK", "model"});
      for (std::vector<Cell>& row : one.rows) {
        row.insert(row.begin(), cells::Text(box["model"].get<std::string>()));
      }
    }
    all.columns = one.columns;
    for (std::vector<Cell>& row : one.rows) all.rows.push_back(std::move(row));
  }
  return all;
}

}  // namespace

int BestRegion(Connection& connection, const std::string& sweep, const std::string& share_text,
               const Session& session) {
  const absl::StatusOr<double> share = ShareOf(share_text);
  if (!share.ok()) return Fail(share.status());
  const absl::StatusOr<Json> document = GetRegion(connection, sweep, *share);
  if (!document.ok()) return Fail(document.status());
  const std::vector<Json> boxes = BoxesOf(*document);
  const bool is_found = std::any_of(boxes.begin(), boxes.end(), IsFound);
  if (session.format == Format::kJson) {
    PrintJson(*document, std::cout);
  } else if (session.format == Format::kCsv) {
    PrintListing(TableOf(boxes), session, std::cout);
  } else if (is_found || boxes.size() > 1) {
    PrintBoxes(sweep, *document, boxes, session);
  }
  if (is_found) return kExitOk;
  // Of such a sweep it is wrong to ask.
  const std::string answer = (*document)["answer"].get<std::string>();
  const bool never = answer == "no_gates" || answer == "nothing_varies";
  const bool is_told = session.format == Format::kTable && boxes.size() > 1;
  if (session.format != Format::kJson && !is_told) {
    std::cerr << fmt::format("no region of {}: {}\n", sweep,
                             Printable((*document)["note"].get<std::string>()));
  }
  return never ? kExitBadInput : kExitNothingQualified;
}

}  // namespace sweep::cli
