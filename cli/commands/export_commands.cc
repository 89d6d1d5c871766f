#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/calls.h"
#include "cli/present/curves.h"
#include "cli/present/export.h"
#include "cli/present/measure_text.h"
#include "cli/present/optuna_journal.h"
#include "cli/present/output_file.h"
#include "cli/present/present.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "common/base/counted.h"
#include "common/base/printable.h"
#include "common/command_line/options.h"
#include "common/spec/sweep_spec.h"

namespace sweep::cli {
namespace {

struct ExportOptions {
  std::string sweep;
  std::string format;  // "": as the global setting says
  std::string output;  // "": standard output
  bool epochs = false;
};

constexpr char kOptuna[] = "optuna";

// The spec from the coordinator's copy of the sweep's file.
absl::StatusOr<SweepSpec> SpecOf(const v1::Sweep& sweep) {
  if (!sweep.file_refusal().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("sweep '", ShortName(sweep.name()),
                     "': the search space is not known, since the coordinator does not accept its "
                     "file: ",
                     sweep.file_refusal(), "; csv and json go without it"));
  }
  SweepSource source{.file = sweep.source().file(), .text = sweep.source().text()};
  for (const auto& [name, text] : sweep.source().network_files()) {
    source.network_files[name] = text;
  }
  for (const auto& [name, text] : sweep.source().program_files()) {
    source.program_files[name] = text;
  }
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec =
      SweepSpec::ParseStored(std::move(source), sweep.digest(), &diagnostics);
  if (!spec.ok()) {
    return absl::InternalError(absl::StrCat("the coordinator's copy of sweep ", sweep.name(),
                                            " cannot be read: ", FormatDiagnostics(diagnostics)));
  }
  return spec;
}

// The trial's epochs, one counted row for each.
absl::StatusOr<std::vector<v1::Epoch>> EpochsOf(Connection& connection, const v1::Trial& trial) {
  if (trial.epoch() == 0 && trial.attempt() == 0) return std::vector<v1::Epoch>();
  absl::StatusOr<std::vector<v1::Epoch>> all = ListEpochs(connection, ShortName(trial.name()));
  if (!all.ok()) return all.status();
  return CountedEpochs(*all);
}

using TakeTrial = std::function<absl::Status(const v1::Trial& trial)>;

absl::Status ForEachTrial(Connection& connection, const std::string& sweep, std::ostream& out,
                          const TakeTrial& take) {
  return ForEachTrialPage(
      connection, sweep, {}, [&](const std::vector<v1::Trial>& page) -> absl::Status {
        for (const v1::Trial& trial : page) {
          if (SignalCount() > 0) return absl::CancelledError("interrupted");
          if (absl::Status status = take(trial); !status.ok()) return status;
        }
        return out ? absl::OkStatus() : absl::DataLossError("the output could not be written");
      });
}

// All hyperparameters and measures of the trials so far: hyperparameters in the file's order if the
// coordinator accepts the file, else by name; measures in the usual order.
absl::StatusOr<ExportWriter::Names> NamesOf(Connection& connection, const v1::Sweep& sweep,
                                            std::ostream& out) {
  std::set<std::string> parameters;
  EpochMetrics all;
  const absl::Status status =
      ForEachTrial(connection, ShortName(sweep.name()), out, [&](const v1::Trial& trial) {
        for (const auto& [name, value] : trial.parameters()) parameters.insert(name);
        for (const auto& [name, summary] : trial.measures()) all.values.Set(name, summary.last());
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  ExportWriter::Names names{.measures = ReportedMeasures({all})};
  if (!sweep.file_refusal().empty()) {
    names.parameters.assign(parameters.begin(), parameters.end());
    return names;
  }
  const absl::StatusOr<SweepSpec> spec = SpecOf(sweep);
  if (!spec.ok()) return spec.status();
  for (const Parameter& parameter : spec->parameters) names.parameters.push_back(parameter.name);
  return names;
}

absl::Status WriteRows(Connection& connection, const v1::Sweep& sweep, const ExportOptions& options,
                       Format format, std::ostream& out, std::int64_t* rows) {
  // The header needs all names before the first row, and a single trial may lack some.
  const std::string name = ShortName(sweep.name());
  ExportWriter::Names names;
  if (format == Format::kCsv) {
    absl::StatusOr<ExportWriter::Names> found = NamesOf(connection, sweep, out);
    if (!found.ok()) return found.status();
    names = *std::move(found);
  }
  const ExportRow empty = TrialExportRow(sweep, {});
  ExportWriter writer(format, options.epochs ? EpochExportRow(empty, {}) : empty, names, &out);
  absl::Status status =
      ForEachTrial(connection, name, out, [&](const v1::Trial& trial) -> absl::Status {
        const ExportRow row = TrialExportRow(sweep, trial);
        if (!options.epochs) {
          writer.Write(row);
          ++*rows;
          return absl::OkStatus();
        }
        const absl::StatusOr<std::vector<v1::Epoch>> epochs = EpochsOf(connection, trial);
        if (!epochs.ok()) return epochs.status();
        for (const v1::Epoch& epoch : *epochs) writer.Write(EpochExportRow(row, epoch));
        *rows += std::ssize(*epochs);
        return absl::OkStatus();
      });
  if (status.ok()) writer.Finish();
  return status;
}

absl::Status WriteJournal(Connection& connection, const v1::Sweep& sweep, std::ostream& out,
                          std::int64_t* rows) {
  const absl::StatusOr<SweepSpec> spec = SpecOf(sweep);
  if (!spec.ok()) return spec.status();
  OptunaJournal journal(*spec, sweep, &out);
  return ForEachTrial(
      connection, ShortName(sweep.name()), out, [&](const v1::Trial& trial) -> absl::Status {
        const absl::StatusOr<std::vector<v1::Epoch>> epochs = EpochsOf(connection, trial);
        if (!epochs.ok()) return epochs.status();
        journal.Write(trial, *epochs);
        ++*rows;
        return absl::OkStatus();
      });
}

// Writes everything to `out`; sets `*rows` to the number of rows.
absl::Status WriteExport(Connection& connection, const ExportOptions& options, Format format,
                         std::ostream& out, std::int64_t* rows) {
  const absl::StatusOr<std::string> name = NamedOrNewest(connection, options.sweep);
  if (!name.ok()) return name.status();
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, *name);
  if (!sweep.ok()) return sweep.status();
  const absl::Status status = options.format == kOptuna
                                  ? WriteJournal(connection, *sweep, out, rows)
                                  : WriteRows(connection, *sweep, options, format, out, rows);
  if (!status.ok()) return status;
  out.flush();
  return out ? absl::OkStatus() : absl::DataLossError("the output could not be written");
}

int Ended(const absl::Status& status) {
  if (!absl::IsCancelled(status)) return Fail(status);
  std::cerr << "interrupted; nothing was changed\n";
  return kExitInterrupted;
}

// The format that the file's name implies; used when nothing else sets it.
std::string FormatOf(const std::string& output) {
  for (const char* const format : {"csv", "json"}) {
    if (output.ends_with(std::string(".") + format)) return format;
  }
  return "";
}

int Export(ExportOptions options, const Session& session) {
  Format format = session.format;
  const std::string named = FormatOf(options.output);
  if (options.format.empty() && format == Format::kTable) options.format = named;
  if (options.format == "csv") format = Format::kCsv;
  if (options.format == "json") format = Format::kJson;
  if (!named.empty() && !options.format.empty() && named != options.format) {
    std::cerr << fmt::format("warning: {} is written as {}, which its name does not say\n",
                             Printable(options.output), options.format);
  }
  if (options.format.empty() && format == Format::kTable) {
    return Fail(absl::InvalidArgumentError("choose a format: --format csv, json or optuna"));
  }
  if (options.format == kOptuna && options.epochs) {
    return Fail(absl::InvalidArgumentError(
        "--format optuna has every epoch without being told: leave --epochs out"));
  }
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  std::int64_t rows = 0;
  if (options.output.empty()) {
    const absl::Status status = WriteExport(**connection, options, format, std::cout, &rows);
    // RunCommandLine reports incomplete standard output, and knows when its reader has exited.
    return status.ok() || !std::cout.good() ? static_cast<int>(kExitOk) : Ended(status);
  }
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(options.output);
  if (!file.ok()) {
    std::cerr << "error: " << file.status().message() << '\n';
    return kExitFailed;
  }
  absl::Status status = WriteExport(**connection, options, format, (*file)->stream(), &rows);
  if (status.ok()) status = (*file)->Commit();
  if (!status.ok()) return Ended(status);
  if (!session.quiet) {
    std::cerr << fmt::format("wrote {} to {}\n", Counted(rows, options.epochs ? "epoch" : "trial"),
                             Printable(options.output));
  }
  return kExitOk;
}

}  // namespace

void AddExportCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "export",
      "Write all trials as data\n"
      "One row per trial, or with --epochs one row per epoch: the one that was acknowledged first, "
      "by which the trial is ranked; column attempt says which attempt that was. CSV has a column "
      "parameters.x for every hyperparameter x, and for every measure m that was reported last.m, "
      "low.m and high.m, with --epochs m itself (values.m where another column has its name); JSON "
      "is an array of objects, one to a line. Numbers are raw, shares from 0 to 1, times RFC 3339 "
      "in UTC; what is not known or not finite is empty or null, and a measure that was not "
      "reported is not among the measures and values of JSON. JSON is the way into pandas, whose "
      "read_csv takes the words None, NA and null for "
      "missing values and 01 for 1, unless it is told keep_default_na=False and a dtype. Trials "
      "are read and written page by page. With -o the "
      "file is there whole or not at all.\n"
      "--format optuna writes a study for Optuna 4.9 and 5.0 and optuna-dashboard, the file of its "
      "JournalFileBackend: the search space, each trial's parameters, its metric after every epoch "
      "(finite values), best value and state, and as attributes its name, seed and network. A "
      "sweep "
      "with several metrics is a study with as many values, and without those of single epochs. "
      "Stopped trials are PRUNED, failed and cancelled ones FAIL, pending ones WAITING; times are "
      "in UTC and say so; parameters of one value are an attribute of the study, and so are steps "
      "that Optuna does not have (on a logarithmic scale).");
  command->group("Look into and tidy up");
  command->footer(
      "Examples:\n"
      "  sweep export seed-000 -o trials.csv\n"
      "  sweep export seed-000 --format csv --epochs | gzip > epochs.csv.gz\n"
      "  sweep export seed-000 --format optuna -o seed-000.journal\n"
      "  sweep export seed-000 --format json -o trials.json\n"
      "  python3 -c 'import json, pandas as p; "
      "print(p.json_normalize(json.load(open(\"trials.json\"))))'");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("NAME", options->sweep, "the sweep; without it, the newest");
  // Takes precedence over the global option, which lacks the formats of exports.
  command
      ->add_option("--format", options->format,
                   "how they are written; without it, as the file's name ends")
      ->check(OneOf({"csv", "json", kOptuna}));
  command->add_option("-o,--output", options->output, "file to write (default: standard output)")
      ->type_name("FILE");
  command->add_flag("--epochs", options->epochs, "one row per epoch");
  command->callback([=] {
    session->raw = true;
    session->exit_code = Export(*options, *session);
  });
}

}  // namespace sweep::cli
