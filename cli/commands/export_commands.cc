#include <fmt/format.h>

#include <iostream>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/calls.h"
#include "cli/present/export.h"
#include "cli/present/output_file.h"
#include "cli/present/present.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "common/spec/sweep_spec.h"

namespace sweep::cli {
namespace {

struct ExportOptions {
  std::string sweep;
  std::string output;  // "": standard output
  bool epochs = false;
};

// The sweep's hyperparameters in the order of its file. The header needs them before the first
// trial is read, and no single trial need have all of them.
absl::StatusOr<std::vector<std::string>> ParameterNames(const v1::Sweep& sweep) {
  SweepSource source{.file = sweep.source().file(), .text = sweep.source().text()};
  for (const auto& [name, text] : sweep.source().network_files()) {
    source.network_files[name] = text;
  }
  for (const auto& [name, text] : sweep.source().program_files()) {
    source.program_files[name] = text;
  }
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  if (!spec.ok()) {
    return absl::InternalError(absl::StrCat("the coordinator's copy of sweep ", sweep.name(),
                                            " cannot be read: ", FormatDiagnostics(diagnostics)));
  }
  std::vector<std::string> names;
  for (const Parameter& parameter : spec->parameters) names.push_back(parameter.name);
  return names;
}

// The trial's epochs, of each the row of the latest attempt.
absl::Status WriteEpochs(Connection& connection, const v1::Trial& trial, ExportWriter* writer,
                         std::int64_t* rows) {
  if (trial.epoch() == 0 && trial.attempt() == 0) return absl::OkStatus();
  const absl::StatusOr<std::vector<v1::Epoch>> all =
      ListEpochs(connection, ShortName(trial.name()));
  if (!all.ok()) return all.status();
  std::map<int, const v1::Epoch*> latest;
  for (const v1::Epoch& epoch : *all) latest[epoch.epoch()] = &epoch;  // in order of attempt
  for (const auto& [number, epoch] : latest) writer->Write(EpochExportRow(trial, *epoch));
  *rows += static_cast<std::int64_t>(latest.size());
  return absl::OkStatus();
}

// Writes everything to `out`; `*rows` counts the rows.
absl::Status WriteExport(Connection& connection, const ExportOptions& options, Format format,
                         std::ostream& out, std::int64_t* rows) {
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, options.sweep);
  if (!sweep.ok()) return sweep.status();
  const absl::StatusOr<std::vector<std::string>> names = ParameterNames(*sweep);
  if (!names.ok()) return names.status();
  const ExportRow shape = options.epochs ? EpochExportRow({}, {}) : TrialExportRow({});
  ExportWriter writer(format, shape, *names, &out);
  const auto take = [&](const std::vector<v1::Trial>& page) -> absl::Status {
    for (const v1::Trial& trial : page) {
      if (SignalCount() > 0) return absl::CancelledError("interrupted");
      if (!options.epochs) {
        writer.Write(TrialExportRow(trial));
        ++*rows;
      } else if (absl::Status status = WriteEpochs(connection, trial, &writer, rows);
                 !status.ok()) {
        return status;
      }
    }
    return out ? absl::OkStatus() : absl::DataLossError("the output could not be written");
  };
  absl::Status status = ForEachTrialPage(connection, options.sweep, {}, take);
  if (!status.ok()) return status;
  writer.Finish();
  out.flush();
  return out ? absl::OkStatus() : absl::DataLossError("the output could not be written");
}

int Ended(const absl::Status& status) {
  if (!absl::IsCancelled(status)) return Fail(status);
  std::cerr << "interrupted; nothing was changed\n";
  return kExitInterrupted;
}

int Export(const ExportOptions& options, const Session& session) {
  if (session.format == Format::kTable) {
    return Fail(absl::InvalidArgumentError(
        "an export is for programs and has no table: choose --format csv or --format json"));
  }
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  std::int64_t rows = 0;
  if (options.output.empty()) {
    const absl::Status status =
        WriteExport(**connection, options, session.format, std::cout, &rows);
    return status.ok() ? static_cast<int>(kExitOk) : Ended(status);
  }
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(options.output);
  if (!file.ok()) {
    std::cerr << "error: " << file.status().message() << '\n';
    return kExitFailed;
  }
  absl::Status status =
      WriteExport(**connection, options, session.format, (*file)->stream(), &rows);
  if (status.ok()) status = (*file)->Commit();
  if (!status.ok()) return Ended(status);
  if (!session.quiet) {
    std::cerr << fmt::format("wrote {} {}{} to {}\n", rows, options.epochs ? "epoch" : "trial",
                             rows == 1 ? "" : "s", options.output);
  }
  return kExitOk;
}

}  // namespace

void AddExportCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "export",
      "Write all trials as data\n"
      "One row per trial, or with --epochs one row per epoch (of the latest attempt that measured "
      "it). CSV has a column parameters.x for every hyperparameter x; JSON is an array of objects, "
      "one to a line. Numbers are raw, shares from 0 to 1, times RFC 3339 in UTC; what is not "
      "known or not finite is empty or null. Trials are read and written page by page. With -o "
      "the file is there whole or not at all.");
  command->group("Look into trials");
  command->footer(
      "Examples:\n"
      "  sweep export seed-000 --format csv -o trials.csv\n"
      "  sweep export seed-000 --format csv --epochs | gzip > epochs.csv.gz\n"
      "  python3 -c 'import pandas; print(pandas.read_csv(\"trials.csv\").describe())'");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("NAME", options->sweep, "sweep")->required();
  command->add_option("-o,--output", options->output, "file to write (default: standard output)")
      ->type_name("FILE");
  command->add_flag("--epochs", options->epochs, "one row per epoch");
  command->callback([=] { session->exit_code = Export(*options, *session); });
}

}  // namespace sweep::cli
