#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/present/output_file.h"
#include "cli/present/present.h"
#include "cli/report/report.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "common/base/printable.h"
#include "coordinator/http/gzip.h"
#include "coordinator/http/web_files.h"
#include "proto/documents/print_json.h"
#include "sweep/documents/documents.pb.h"

namespace sweep::cli {
namespace {

struct Options {
  ReportOptions report;
  std::string output;  // "": NAME.html
};

// The page that receives the documents; built with the dashboard.
absl::StatusOr<std::string> ReportPage() {
  const WebFile* const file = FindWebFile(WebFiles(), "/report.html");
  if (file == nullptr) {
    return absl::FailedPreconditionError(
        "this client was built without the pages of the dashboard, which reports are made of: "
        "install Node.js 18 or newer and npm, and build it again");
  }
  return Gunzip(file->gzipped);
}

// Sets the newest sweep in `*options` when they name none.
absl::StatusOr<std::string> MakeReport(Options* options, const Session& session) {
  const absl::StatusOr<std::string> page = ReportPage();
  if (!page.ok()) return page.status();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return connection.status();
  absl::StatusOr<std::string> name = NamedOrNewest(**connection, options->report.sweep);
  if (!name.ok()) return name.status();
  options->report.sweep = *std::move(name);
  absl::StatusOr<nlohmann::json> documents = CollectReport(**connection, options->report);
  if (!documents.ok()) return documents.status();
  documents::ReportInfo info;
  info.set_time(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()));
  info.set_version(SWEEP_VERSION);
  (*documents)["/api/report"] = nlohmann::json::parse(sweep::PrintJson(info));
  return FillReport(*page, *documents);
}

int Report(Options options, const Session& session) {
  InstallSignals();
  const absl::StatusOr<std::string> report = MakeReport(&options, session);
  const std::string path = options.output.empty() ? options.report.sweep + ".html" : options.output;
  if (absl::IsCancelled(report.status())) {
    std::cerr << "interrupted; nothing was written\n";
    return kExitInterrupted;
  }
  if (!report.ok()) return Fail(report.status());
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  absl::Status status = file.status();
  if (status.ok()) {
    (*file)->stream() << *report;
    status = (*file)->Commit();
  }
  if (!status.ok()) {
    std::cerr << "error: " << status.message() << '\n';
    return kExitFailed;
  }
  if (!session.quiet && session.format != Format::kJson) {
    std::cerr << fmt::format("wrote the report of {} to {} ({:.1f} MB)\n", options.report.sweep,
                             Printable(path), static_cast<double>(report->size()) / 1e6);
  }
  if (session.format == Format::kJson) {
    PrintJson({{"name", options.report.sweep}, {"file", path}, {"size_bytes", report->size()}},
              std::cout);
  }
  return kExitOk;
}

}  // namespace

void AddReportCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "report",
      "Write a page to share\n"
      "One HTML file that needs no network and no coordinator: the sweep's learning curves, "
      "history, parallel coordinates, importance of hyperparameters, what the search has learned, "
      "ranking under the criteria, trials, every attempt, and the commands that train the best "
      "trial again. The best trials have a "
      "page each, with their network, confusion matrix and the digits they get wrong. The file is "
      "there whole or not at all.");
  command->group("Look into and tidy up");
  command->footer(
      "Examples:\n"
      "  sweep report seed-000 -o report.html\n"
      "  sweep report seed-000 --details 50");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->report.sweep, "the sweep; without it, the newest");
  command->add_option("-o,--output", options->output, "file to write (default: NAME.html)")
      ->type_name("FILE");
  command->add_option("--details", options->report.details, "best trials that have a page each")
      ->type_name("N")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  command->add_option("--rows", options->report.rows, "rows of the ranking, trials and attempts")
      ->type_name("N")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->callback([=] { session->exit_code = Report(*options, *session); });
}

}  // namespace sweep::cli
