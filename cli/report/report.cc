#include "cli/report/report.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/calls.h"
#include "cli/signals.h"
#include "fmt/format.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kPageRows = 200;  // the coordinator's limit per call
constexpr std::string_view kPlace =
    R"(<script type="application/json" id="sweep-report">{}</script>)";
// If a program reports hundreds of measures, those that do not judge it come last.
constexpr std::size_t kMostMeasures = 16;
// The coordinator summarises a large sweep's curves, and computes its model and its region, on the
// first request.
constexpr absl::Duration kReportPatience = absl::Minutes(2);

class Collector {
 public:
  explicit Collector(Connection& connection) : connection_(connection) {}

  // Adds the document at `path` under that path.
  absl::Status Add(const std::string& path, const std::string& query = "") {
    absl::StatusOr<json> document = Get(path, query);
    if (!document.ok()) return document.status();
    Keep(path, *std::move(document));
    return absl::OkStatus();
  }

  // Waits until the coordinator has computed it.
  absl::Status AddWhenReady(const std::string& path) {
    absl::StatusOr<json> document = GetWhenReady(path, "");
    if (!document.ok()) return document.status();
    Keep(path, *std::move(document));
    return absl::OkStatus();
  }

  // As Add, but tolerates documents that a trial lacks, or that a program wrote in its own form.
  absl::Status AddIfReadable(const std::string& path) {
    const absl::Status status = Add(path);
    return absl::IsNotFound(status) || absl::IsDataLoss(status) ? absl::OkStatus() : status;
  }

  // Adds a whole list, up to `most` rows, without a query: the report makes its own pages.
  absl::Status AddRows(const std::string& path, std::int64_t most) {
    json whole;
    std::int64_t count = 0;
    do {
      const std::int64_t limit = std::min(kPageRows, most - count);
      absl::StatusOr<json> page = Get(path, fmt::format("offset={}&limit={}", count, limit));
      if (!page.ok()) return page.status();
      const std::int64_t rows = std::ssize((*page)["rows"]);
      if (whole.is_null()) {
        whole = *std::move(page);
      } else {
        for (json& row : (*page)["rows"]) whole["rows"].push_back(std::move(row));
      }
      count += rows;
      if (rows == 0) break;
    } while (count < most && count < whole["total"].get<std::int64_t>());
    Keep(path, std::move(whole));
    return absl::OkStatus();
  }

  // Adds curves and points of every measure that the page offers, the objectives first.
  absl::Status AddMeasures(const std::string& base) {
    const absl::StatusOr<json> any = Curves(base, "");
    if (!any.ok()) return any.status();
    const json measures = any->at("measures");
    for (std::size_t i = 0; i < std::min(measures.size(), kMostMeasures); ++i) {
      const std::string query = "metric=" + measures[i].at("name").get<std::string>();
      absl::StatusOr<json> curves = Curves(base, query);
      if (!curves.ok()) return curves.status();
      absl::StatusOr<json> points = Get(base + "/points", query);
      if (!points.ok()) return points.status();
      Keep(base + "/curves?" + query, *std::move(curves));
      Keep(base + "/points?" + query, *std::move(points));
      if (At(base).value("method", "") != "pbt") continue;
      absl::StatusOr<json> population = Get(base + "/population", query);
      if (!population.ok()) return population.status();
      Keep(base + "/population?" + query, *std::move(population));
    }
    return absl::OkStatus();
  }

  const json& At(const std::string& path) const { return documents_.at("/api" + path); }
  json Take() { return std::move(documents_); }

 private:
  absl::StatusOr<json> Curves(const std::string& base, const std::string& query) {
    return GetWhenReady(base + "/curves", query);
  }

  absl::StatusOr<json> GetWhenReady(const std::string& path, const std::string& query) {
    const absl::Time give_up = absl::Now() + kReportPatience;
    while (true) {
      absl::StatusOr<json> document = Get(path, query);
      if (!document.ok() || document->value("ready", true) || absl::Now() > give_up) {
        return document;
      }
      absl::SleepFor(absl::Milliseconds(200));
    }
  }

  absl::StatusOr<json> Get(const std::string& path, const std::string& query) {
    if (SignalCount() > 0) return absl::CancelledError("interrupted");
    absl::StatusOr<std::string> text = GetView(connection_, path, query);
    if (!text.ok()) return text.status();
    json document = json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (document.is_discarded()) {
      return absl::InternalError("the coordinator's document " + path + " is no JSON");
    }
    return document;
  }

  void Keep(const std::string& path, json document) {
    documents_["/api" + path] = std::move(document);
  }

  Connection& connection_;
  json documents_ = json::object();
};

// The trials with their own page: the best of the ranking.
std::vector<std::int64_t> DetailedTrials(const json& ranking, std::int64_t most) {
  std::vector<std::int64_t> numbers;
  for (const json& row : ranking["rows"]) {
    if (std::ssize(numbers) == most) break;
    numbers.push_back(row["trial"].get<std::int64_t>());
  }
  return numbers;
}

absl::Status Collect(const ReportOptions& options, Collector* collector) {
  const std::string base = "/sweeps/" + options.sweep;
  absl::Status status = collector->Add(base);
  if (status.ok()) status = collector->AddMeasures(base);
  if (status.ok()) status = collector->Add(base + "/importance");
  if (status.ok()) status = collector->AddWhenReady(base + "/model");
  if (status.ok()) status = collector->AddWhenReady(base + "/region");
  if (status.ok() && collector->At(base)["labels"].contains("confirms")) {
    status = collector->Add(base + "/confirmation");
  }
  for (const char* list : {"/ranking", "/trials", "/attempts"}) {
    if (status.ok()) status = collector->AddRows(base + list, options.rows);
  }
  if (!status.ok()) return status;
  for (const std::int64_t number :
       DetailedTrials(collector->At(base + "/ranking"), options.details)) {
    const std::string trial = fmt::format("{}/trials/{}", base, number);
    status = collector->Add(trial);
    if (status.ok()) status = collector->AddIfReadable(trial + "/predictions");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<json> CollectReport(Connection& connection, const ReportOptions& options) {
  // Its error for an unknown name suggests the nearest one.
  if (const auto sweep = GetSweep(connection, options.sweep); !sweep.ok()) return sweep.status();
  Collector collector(connection);
  try {
    if (absl::Status status = Collect(options, &collector); !status.ok()) return status;
  } catch (const json::exception& error) {  // a key that another version lacks
    return absl::InternalError(std::string("the coordinator's documents are not understood: ") +
                               error.what());
  }
  return collector.Take();
}

absl::StatusOr<std::string> FillReport(std::string_view page, const json& documents) {
  const std::size_t place = page.find(kPlace);
  if (place == std::string_view::npos) {
    return absl::FailedPreconditionError("the page of reports has no place for documents");
  }
  const std::size_t braces = place + kPlace.find("{}");
  std::string report(page.substr(0, braces));
  // In JSON "<" occurs only within strings; escaping it keeps them from ending the element.
  for (const char letter : documents.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (letter == '<') {
      report += "\\u003c";
    } else {
      report += letter;
    }
  }
  report += page.substr(braces + 2);
  return report;
}

}  // namespace sweep::cli
