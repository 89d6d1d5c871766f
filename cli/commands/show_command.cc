#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>

#include "cli/calls.h"
#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/curves.h"
#include "cli/present/measure_text.h"
#include "cli/present/origins.h"
#include "cli/present/present.h"
#include "cli/present/source_diff.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "common/base/counted.h"
#include "common/base/utf8.h"
#include "proto/documents/values.h"

namespace sweep::cli {
namespace {

struct ShowOptions {
  std::string name;
  bool revisions = false;
  PlotFlags plot;
};

// "34 of 60 trials ended, 2 running, 1 failed, about 12 min 3 s left"
std::string TrialsLine(const v1::Sweep& sweep) {
  const v1::TrialCounts& counts = sweep.counts();
  std::string line =
      fmt::format("{} of {} ended", EndedTrials(counts),
                  sweep.planned_trials() > 0 ? PlannedText(sweep) : "an unknown number of trials");
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) line += fmt::format(", {} {}", count, what);
  };
  add(counts.running(), "running");
  add(counts.on_hold(), "on hold");
  add(counts.stopped(), "stopped early");
  add(counts.failed(), "failed");
  add(counts.diverged(), "diverged");
  add(counts.cancelled(), "cancelled");
  if (const std::optional<absl::Duration> left = TimeLeft(sweep)) {
    return line + ", about " + HumanDuration(*left) + " left";
  }
  if (sweep.state() == v1::SWEEP_STATE_ACTIVE && counts.running() == 0) {
    const char* const whom =
        sweep.trained_by() == "callers" ? ", waiting for a caller" : ", waiting for a worker";
    line += sweep.file_refusal().empty() ? whom : ", the others do not run";
  }
  return line;
}

void PrintFacts(const v1::Sweep& sweep, const OriginCounts& origins, const Session& session) {
  const auto fact = [](const std::string& key, const std::string& value) {
    std::cout << fmt::format("{:<8} {}\n", key, value);
  };
  std::cout << Styled(session, Style::kBold, ShortName(sweep.name())) << "  "
            << StyledStatus(sweep, session) << (sweep.archived() ? ", archived" : "") << '\n';
  if (!sweep.pause_reason().empty()) {
    fact("paused", Printable(OneLine(sweep.pause_reason(), 500)));
    if (sweep.file_refusal().empty()) {
      fact("", "go on with: " + Command(session, {"resume", ShortName(sweep.name())}));
    }
  }
  if (!sweep.file_refusal().empty()) {
    fact("file", "not accepted by this build of the coordinator: " +
                     Printable(OneLine(sweep.file_refusal(), 500)));
  }
  fact("trials", TrialsLine(sweep));
  std::string wanted;
  for (const Objective& objective : ObjectivesOf(sweep)) {
    wanted += fmt::format("{}the {} {}", wanted.empty() ? "" : " and ",
                          objective.maximize ? "highest" : "lowest", objective.name);
  }
  fact("search", sweep.method().empty() ? "for " + wanted
                                        : fmt::format("{} for {}, {} a trial", sweep.method(),
                                                      wanted, Counted(sweep.epochs(), "epoch")));
  if (!sweep.method_reason().empty()) fact("method", "by " + Printable(sweep.method_reason()));
  if (const std::string chosen = origins.Text(); !chosen.empty()) {
    fact("chosen", Printable(chosen));
    fact("", "each: " + Command(session, {"trials", ShortName(sweep.name()), "--columns",
                                          "configuration,chosen_by,chosen_source,"
                                          "expected_improvement,seen_results"}));
  }
  if (sweep.trained_by() == "callers") {
    fact("trained", "by callers: " + Command(session, {"ask", ShortName(sweep.name())}));
  }
  if (!sweep.early_terminate().empty()) fact("stops", "by " + Printable(sweep.early_terminate()));
  if (!sweep.search_reason().empty()) fact("ended", Printable(sweep.search_reason()));
  if (sweep.revision() > 1) {
    fact("edited", fmt::format("the file is revision {}; all of them: {}", sweep.revision(),
                               Command(session, {"show", ShortName(sweep.name()), "--revisions"})));
  }
  for (const v1::WarmStart& start : sweep.warm_starts()) {
    std::string text =
        fmt::format("{} of {}", Counted(start.taken(), "configuration"), Printable(start.source()));
    if (start.left_out() > 0) {
      text += fmt::format(", {} left out{} because {}", start.left_out(),
                          start.left_out() > 1 ? ", the first" : "",
                          Printable(OneLine(start.reason(), 200)));
    }
    fact("knows", text);
  }
  std::string gates;
  for (const std::string& gate : sweep.gates())
    gates += (gates.empty() ? "" : ", ") + Printable(gate);
  if (!gates.empty()) {
    fact("criteria",
         fmt::format("{}: {} {} all", gates, Counted(sweep.qualifying(), "configuration"),
                     sweep.qualifying() == 1 ? "meets" : "meet"));
  }
  if (!sweep.best_trial().empty()) {
    fact("best", fmt::format("{} ({})", BestValueText(sweep), ShortName(sweep.best_trial())));
  }
  for (const auto& [key, value] : sweep.labels()) {
    fact("label", Printable(key) + " = " + Printable(value));
  }
  if (!sweep.data_sha256().empty()) fact("data", "SHA-256 " + Printable(sweep.data_sha256()));
  if (!sweep.principal().empty()) fact("by", Printable(sweep.principal()));
  fact("disk", "about " + BytesText(sweep.disk_bytes()));
}

// The search's history, and the learning curves of the best trial.
absl::StatusOr<std::string> PlotsText(Connection& connection, const v1::Sweep& sweep,
                                      const SweepHistory& history, const PlotFlags& flags,
                                      const Session& session) {
  if (flags.hide || sweep.best_trial().empty()) return std::string();
  const std::string best = ShortName(sweep.best_trial());
  const absl::StatusOr<std::vector<v1::Epoch>> rows = ListEpochs(connection, best);
  if (!rows.ok()) return rows.status();
  const std::vector<EpochMetrics> epochs = CountedMetrics(*rows);
  const absl::StatusOr<std::vector<Curves>> chosen =
      ChosenCurves(flags, ObjectivesOf(sweep), epochs);
  if (!chosen.ok()) return chosen.status();
  Plot curves = CurvesPlot(chosen->front(), epochs, {sweep.gates().begin(), sweep.gates().end()});
  curves.title = fmt::format("{}: {}", best, curves.title);
  return fmt::format("\n{}\n{}", RenderPlot(history.ToPlot(), StyleFor(flags, session, 12)),
                     RenderPlot(curves, StyleFor(flags, session, 12)));
}

// The first file, and how each later one differs from the one before.
void PrintRevisions(const v1::GetSweepResponse& whole, const Session& session) {
  const auto label = [](std::int64_t revision) { return fmt::format("revision {}", revision); };
  for (int i = 0; i < whole.revisions_size(); ++i) {
    const v1::SweepRevision& one = whole.revisions(i);
    std::cout << fmt::format("{}{}  {}, from configuration {}\n", i == 0 ? "" : "\n",
                             Styled(session, Style::kBold, label(one.revision())),
                             absl::FormatTime("%Y-%m-%d %H:%M:%S", cells::ToTime(one.start_time()),
                                              absl::LocalTimeZone()),
                             one.first_configuration());
    if (i == 0) {
      std::istringstream text(one.text());
      for (std::string line; std::getline(text, line);) {
        std::cout << PrintableLines(line) << '\n';
      }
    } else {
      std::cout << UnifiedDiff(whole.revisions(i - 1).text(), one.text(), label(one.revision() - 1),
                               label(one.revision()));
    }
  }
}

Json RevisionsJson(const v1::GetSweepResponse& whole) {
  Json revisions = Json::array();
  for (const v1::SweepRevision& one : whole.revisions()) {
    revisions.push_back({{"revision", one.revision()},
                         {"first_configuration", one.first_configuration()},
                         {"start_time", TimeText(cells::ToTime(one.start_time()))},
                         {"digest", one.digest()},
                         {"source", one.text()}});
  }
  return revisions;
}

int Show(const ShowOptions& options, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<std::string> name = NamedOrNewest(**connection, options.name);
  if (!name.ok()) return Fail(name.status());
  const absl::StatusOr<v1::GetSweepResponse> whole =
      GetWholeSweep(**connection, *name, options.revisions);
  if (!whole.ok()) return Fail(whole.status());
  const v1::Sweep* const sweep = &whole->sweep();
  if (session.format == Format::kJson) {
    Json document = ToJson(ToShown(*sweep));
    document["source"] = sweep->source().text();
    if (options.revisions) document["revisions"] = RevisionsJson(*whole);
    PrintJson(document, std::cout);
    return kExitOk;
  }
  if (session.format == Format::kCsv) {
    PrintListing(SweepListing({*sweep}), session, std::cout);
    return kExitOk;
  }
  if (options.revisions) {
    if (whole->revisions().empty()) {
      return Fail(absl::FailedPreconditionError(
          "the coordinator is of an earlier version, which keeps no replaced files"));
    }
    PrintRevisions(*whole, session);
    return kExitOk;
  }
  SweepHistory history(*sweep);
  OriginCounts origins;
  const absl::Status status =
      ForEachTrialPage(**connection, *name, {}, [&](const std::vector<v1::Trial>& page) {
        for (const v1::Trial& trial : page) {
          history.Add(trial);
          origins.Add(trial);
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return Fail(status);
  const absl::StatusOr<std::string> plots =
      PlotsText(**connection, *sweep, history, options.plot, session);
  if (!plots.ok()) return Fail(plots.status());
  PrintFacts(*sweep, origins, session);
  std::cout << *plots << '\n';
  std::istringstream source(sweep->source().text());
  for (std::string line; std::getline(source, line);) std::cout << PrintableLines(line) << '\n';
  return kExitOk;
}

}  // namespace

void AddShowCommand(CLI::App* app, Session* session) {
  CLI::App* show =
      app->add_subcommand("show",
                          "Show one sweep\n"
                          "Its state, time left, criteria and best trial, how its points were "
                          "chosen, how the search went, the\nbest trial's learning curves, and the "
                          "sweep file.");
  show->group("Run sweeps");
  show->footer(
      "Examples:\n"
      "  sweep show\n"
      "  sweep show seed-000\n"
      "  sweep show seed-000 --no-plot\n"
      "  sweep show seed-000 --metric train_loss,loss\n"
      "  sweep show seed-000 --format json | jq .qualifying");
  auto options = std::make_shared<ShowOptions>();
  show->add_option("NAME", options->name, "the sweep; without it, the newest");
  show->add_flag("--revisions", options->revisions,
                 "the files that the sweep has had, see sweep edit");
  AddPlotFlags(show, &options->plot);
  show->callback([=] { session->exit_code = Show(*options, *session); });
}

}  // namespace sweep::cli
