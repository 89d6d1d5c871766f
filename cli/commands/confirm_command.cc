// Trains the best configurations of a sweep again, with seeds that had no part in choosing them.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/calls.h"
#include "cli/commands/waiting.h"
#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/measure_text.h"
#include "cli/present/output_file.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "cli/submission.h"
#include "common/base/counted.h"
#include "common/command_line/options.h"
#include "common/spec/kept_keys.h"
#include "common/spec/parameters_parser.h"
#include "common/stats/confirmation.h"
#include "common/stats/ranking.h"
#include "proto/documents/values.h"
#include "sweep/documents/answers.pb.h"

namespace sweep::cli {
namespace {

// Labels of a sweep that confirms another one: the name that it had, when it was submitted (another
// sweep may have its name by then), how many finalists were asked for, and the numbers of their
// trials in it, "17 4 9", in the order of the configurations here.
constexpr char kConfirms[] = "confirms";
constexpr char kSubmitted[] = "confirms_submitted";
constexpr char kTop[] = "confirms_top";
constexpr char kFinalists[] = "finalists";
constexpr int kMostRows = 1000;     // of a ranking
constexpr int kMostFinalists = 30;  // whose numbers a label has room for

struct ConfirmFlags {
  int top = 3;
  int replicates = 20;
  bool top_is_given = false, replicates_are_given = false;
  bool anew = false;
  bool wait = false;
  std::string output;  // a file to write instead of submitting; "" submits
};

// A sweep with its parsed file.
struct KnownSweep {
  v1::Sweep sweep;
  SweepInput input;
};

absl::StatusOr<KnownSweep> FindSweep(Connection& connection, const std::string& name) {
  absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok()) return sweep.status();
  absl::StatusOr<SweepInput> input = StoredInput(*sweep);
  if (!input.ok()) return input.status();
  return KnownSweep{*std::move(sweep), *std::move(input)};
}

std::string LabelOf(const v1::Sweep& sweep, const std::string& key) {
  const auto found = sweep.labels().find(key);
  return found == sweep.labels().end() ? "" : found->second;
}

// The sweeps that confirm it, the newest first.
absl::StatusOr<std::vector<v1::Sweep>> ConfirmationsOf(Connection& connection,
                                                       const v1::Sweep& selection) {
  const std::string submitted = TimeText(cells::ToTime(selection.create_time()));
  absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection, /*archived=*/true);
  if (!sweeps.ok()) return sweeps;
  std::erase_if(*sweeps,
                [&](const v1::Sweep& sweep) { return LabelOf(sweep, kSubmitted) != submitted; });
  return sweeps;
}

// "seed-000/17" as "17".
std::string NumberOf(const v1::Trial& trial) {
  const std::string name = ShortName(trial.name());
  return name.substr(name.rfind('/') + 1);
}

// The file of the sweep that confirms the rows: the selection's networks, data, space and criteria,
// with the rows as its only points. Its seed follows from its name.
absl::StatusOr<SweepInput> ConfirmationInput(const KnownSweep& selection,
                                             const v1::RankSweepResponse& ranking,
                                             const ConfirmFlags& flags) {
  const std::string name = ShortName(selection.sweep.name());
  const SweepSpec& chosen = selection.input.spec;
  for (const Gate& gate : chosen.require) {
    if (gate.name != "epochs" || FindParameter(chosen, "epochs") != nullptr ||
        gate.Holds(Value(std::int64_t{chosen.epochs}))) {
      continue;
    }
    return absl::FailedPreconditionError(fmt::format(
        "{} cannot be confirmed: its trials train for {}, its criteria ask for epochs {}, and a "
        "confirmation judges the last epoch; sweep as many epochs as the criteria permit",
        name, Counted(chosen.epochs, "epoch"), gate.ToString()));
  }
  Json labels = Json::object();
  for (const auto& [key, value] : selection.input.spec.labels) labels[key] = value;
  Json points = Json::array();
  std::vector<std::string> numbers;
  for (const v1::RankedConfiguration& row : ranking.rows()) {
    Json point = Json::object();
    for (const auto& [key, value] : row.trial().parameters()) point[key] = ValueJson(value);
    points.push_back(std::move(point));
    numbers.push_back(NumberOf(row.trial()));
  }
  labels[kConfirms] = name;
  labels[kSubmitted] = TimeText(cells::ToTime(selection.sweep.create_time()));
  labels[kTop] = std::to_string(flags.top);
  labels[kFinalists] = absl::StrJoin(numbers, " ");
  constexpr std::size_t kLongest = 55;  // of 63, leaving room for "-confirm"
  const absl::StatusOr<std::string> text = WithKeptKeys(
      selection.input.source.text,
      {"model", "recipe", "program", "files", "trained_by", "dataset", "parameters", "constraints",
       "epochs", "require", "metric", "measures", "max_failures", "keep_going"},
      {{"name", Json(name.substr(0, kLongest) + "-confirm").dump()},
       {"description", Json(fmt::format("the best of {} with fresh seeds", name)).dump()},
       {"labels", labels.dump()},
       {"method", "random"},
       {"run_cap", std::to_string(points.size())},
       {"replicates", std::to_string(flags.replicates)},
       {"gate_on", "mean"},
       {"try_first", points.dump()}});
  if (!text.ok()) return text.status();
  SweepInput input{.source = selection.input.source, .spec = {}};
  input.source.text = *text;
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(input.source, &diagnostics);
  if (!spec.ok()) {
    return absl::FailedPreconditionError(
        fmt::format("{} cannot be confirmed: {}", name, FormatDiagnostics(diagnostics)));
  }
  input.spec = *std::move(spec);
  return input;
}

absl::StatusOr<SweepInput> MakeConfirmation(Connection& connection, const KnownSweep& selection,
                                            const ConfirmFlags& flags) {
  const std::string name = ShortName(selection.sweep.name());
  const absl::StatusOr<v1::RankSweepResponse> ranking = RankSweep(connection, name, flags.top);
  if (!ranking.ok()) return ranking.status();
  if (ranking->rows().empty()) {
    return absl::FailedPreconditionError(
        fmt::format("{} has nothing to confirm: no trial has a result yet", name));
  }
  return ConfirmationInput(selection, *ranking, flags);
}

int WriteConfirmation(Connection& connection, const KnownSweep& selection,
                      const ConfirmFlags& flags, const Session& session) {
  const absl::StatusOr<SweepInput> input = MakeConfirmation(connection, selection, flags);
  if (!input.ok()) return Fail(input.status());
  const absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(flags.output);
  absl::Status status = file.status();
  if (status.ok()) {
    (*file)->stream() << input->source.text;
    status = (*file)->Commit();
  }
  if (!status.ok()) return Fail(status);
  Say(session, fmt::format("wrote {}; train it with: {}", Printable(flags.output),
                           Command(session, {"run", FileWord(flags.output)})));
  std::vector<std::string> beside;
  for (const auto& [file, text] : input->source.network_files) beside.push_back(Printable(file));
  for (const auto& [file, text] : input->source.program_files) beside.push_back(Printable(file));
  if (!beside.empty()) {
    Say(session,
        fmt::format("it needs beside it, as the sweep had them: {}", absl::StrJoin(beside, ", ")));
  }
  return kExitOk;
}

absl::StatusOr<std::string> SubmitConfirmation(Connection& connection, const KnownSweep& selection,
                                               const ConfirmFlags& flags, const Session& session) {
  const std::string name = ShortName(selection.sweep.name());
  if (connection.embedded()) {
    const std::string file = name + "-confirm.yaml";
    return absl::FailedPreconditionError(fmt::format(
        "no coordinator is there that would train it; write its file, and train that:\n  {}\n  {}",
        Command(session, {"confirm", name, fmt::format("--top={}", flags.top),
                          fmt::format("--replicates={}", flags.replicates), "-o", FileWord(file)}),
        Command(session, {"run", FileWord(file)})));
  }
  absl::StatusOr<SweepInput> input = MakeConfirmation(connection, selection, flags);
  if (!input.ok()) return input.status();
  const absl::StatusOr<v1::CreateSweepResponse> created =
      Submit(connection, {.command = Command(session, {"confirm", name}), .new_name = true},
             session, &*input);
  if (!created.ok()) return created.status();
  const std::string made = ShortName(created->sweep().name());
  if (!HasEnded(selection.sweep)) {
    Say(session, fmt::format("{} has not ended: others may come to be its best", name));
  }
  Say(session, fmt::format("submitted {} ({}): the best {} of {}, each with {} fresh seeds", made,
                           Counted(created->sweep().planned_trials(), "trial"),
                           input->spec.try_first.size(), name, flags.replicates));
  return made;
}

// How many configurations of a sweep the test images have judged so far, about: those with a trial
// that has begun, and was not cancelled.
std::int64_t LooksOf(const v1::Sweep& sweep) {
  const v1::TrialCounts& counts = sweep.counts();
  const std::int64_t begun = MadeTrials(counts) - counts.pending() - counts.cancelled();
  // An earlier coordinator knows of no race.
  const std::int64_t each =
      std::max(sweep.min_replicates() > 0 ? sweep.min_replicates() : sweep.replicates(), 1);
  // A race adds runs of configurations that were judged before.
  const std::int64_t added = sweep.planned_trials() - sweep.planned_configurations() * each;
  return (std::max<std::int64_t>(begun - added, 0) + each - 1) / each;
}

// The same in a selection and all its confirmations; nullopt where a program has images of its own.
std::optional<std::int64_t> TestLooks(const KnownSweep& selection,
                                      const std::vector<v1::Sweep>& confirmations) {
  if (selection.input.spec.HasOwnTrainer()) return std::nullopt;
  std::int64_t looks = selection.input.spec.holdout > 0 ? 0 : LooksOf(selection.sweep);
  for (const v1::Sweep& sweep : confirmations) looks += LooksOf(sweep);
  return looks;
}

void SetInterval(const std::optional<Interval>& interval,
                 documents::Interval* (documents::Finalist::*of)(), documents::Finalist* finalist) {
  if (!interval) return;
  (finalist->*of)()->set_low(interval->low);
  (finalist->*of)()->set_high(interval->high);
}

// What the fresh runs gave. `row` is nullptr before the first has reported.
void AddConfirmed(const Objective& objective, const v1::RankedConfiguration* row,
                  documents::Finalist* finalist) {
  if (row == nullptr) return;
  finalist->set_qualifies(row->qualifies());
  finalist->set_ended_runs(row->ended_runs());
  finalist->set_qualifying_runs(row->qualifying_runs());
  if (row->ended_runs() == 0) return;
  SetInterval(
      QualifyingInterval({.ended = row->ended_runs(), .qualifying = row->qualifying_runs()}),
      &documents::Finalist::mutable_qualifying_interval, finalist);
  finalist->set_confirmed(row->mean_last());
  const std::optional<double> selected =
      finalist->has_selected_mean() ? std::optional(finalist->selected_mean()) : std::nullopt;
  const Confirmation made = ConfirmationOf(objective, selected, row->mean_last(),
                                           row->mean_half_width(), row->replicates());
  if (made.bound) finalist->set_confirmed_bound(*made.bound);
  if (made.optimism) finalist->set_optimism(*made.optimism);
  SetInterval(made.interval, &documents::Finalist::mutable_confirmed_interval, finalist);
  SetInterval(made.optimism_interval, &documents::Finalist::mutable_optimism_interval, finalist);
}

// The row of a ranking that `is_wanted`; nullptr when there is none.
template <typename Test>
const v1::RankedConfiguration* FindRow(const v1::RankSweepResponse& ranking, Test is_wanted) {
  const auto found = std::find_if(ranking.rows().begin(), ranking.rows().end(), is_wanted);
  return found == ranking.rows().end() ? nullptr : &*found;
}

absl::StatusOr<std::vector<documents::Finalist>> FinalistsOf(Connection& connection,
                                                             const KnownSweep& selection,
                                                             const KnownSweep& confirmation,
                                                             std::optional<std::int64_t> looks) {
  const std::string name = ShortName(selection.sweep.name());
  const std::string confirming = ShortName(confirmation.sweep.name());
  const absl::StatusOr<v1::RankSweepResponse> selected = RankSweep(connection, name, kMostRows);
  if (!selected.ok()) return selected.status();
  const absl::StatusOr<v1::RankSweepResponse> confirmed =
      RankSweep(connection, confirming, kMostRows);
  if (!confirmed.ok()) return confirmed.status();
  const std::vector<std::string> numbers =
      absl::StrSplit(LabelOf(confirmation.sweep, kFinalists), ' ', absl::SkipEmpty());
  std::vector<documents::Finalist> finalists;
  for (std::size_t i = 0; i < confirmation.input.spec.try_first.size(); ++i) {
    const auto configuration = static_cast<std::int64_t>(i) + 1;
    documents::Finalist& made = finalists.emplace_back();
    made.set_rank(configuration);
    made.set_confirmed_by(confirming);
    made.set_configuration(configuration);
    made.set_planned_runs(confirmation.sweep.replicates());
    if (looks) made.set_test_looks(*looks);
    *made.mutable_parameters() = NamedValues(confirmation.input.spec.try_first[i]);
    if (i < numbers.size()) {
      made.set_trial(name + "/" + numbers[i]);
      const v1::RankedConfiguration* const row =
          FindRow(*selected, [&](const auto& one) { return NumberOf(one.trial()) == numbers[i]; });
      if (row != nullptr) {
        made.set_selected(row->value());
        made.set_selected_mean(row->mean_last());
      }
    }
    AddConfirmed(
        ObjectiveOf(confirmation.sweep),
        FindRow(*confirmed, [&](const auto& one) { return one.configuration() == configuration; }),
        &made);
  }
  return finalists;
}

Cell OptimismCell(const std::string& metric, const documents::Finalist& finalist) {
  if (!finalist.has_optimism()) return cells::Missing();
  // A distance has no sign of its own.
  const auto signed_text = [&](double value) {
    return (value < 0 ? "-" : "") + DistanceText(metric, std::fabs(value));
  };
  std::string text = signed_text(finalist.optimism());
  if (finalist.has_optimism_interval()) {
    text += fmt::format(" ({} to {})", signed_text(finalist.optimism_interval().low()),
                        signed_text(finalist.optimism_interval().high()));
  }
  return {text};
}

Listing FinalistListing(const v1::Sweep& sweep, const std::vector<documents::Finalist>& finalists) {
  const Objective objective = ObjectiveOf(sweep);
  const std::string& metric = objective.name;
  const auto interval_cell = [&](bool has, const documents::Interval& interval) -> Cell {
    if (!has) return cells::Missing();
    return {IntervalText(metric, interval.low(), interval.high())};
  };
  const auto value = [](bool has, double number) {
    return has ? std::optional(number) : std::nullopt;
  };
  Listing listing;
  listing.columns = {
      {"#", "rank", true},
      {"FINALIST", "trial"},
      {"SELECTED BY", "selected", true, true, false, 3},
      {"OF LAST", "selected_mean", true},
      {"CONFIRMED", "confirmed", true},
      {"95 % INTERVAL", "confirmed_interval", true},
      {objective.maximize ? "LOWER BOUND" : "UPPER BOUND", "confirmed_bound", true, true, false, 2},
      {"OPTIMISM", "optimism", true},
      {"RUNS", "ended_runs", true},
      {"THAT QUALIFY", "qualifying_runs", true, !sweep.gates().empty()},
      {"CRITERIA", "qualifies", false, !sweep.gates().empty()}};
  for (const documents::Finalist& one : finalists) {
    const Interval share = {.low = one.qualifying_interval().low(),
                            .high = one.qualifying_interval().high()};
    listing.rows.push_back(
        {cells::Count(one.rank()),
         cells::Text(one.trial()),
         MeasureCell(metric, value(one.has_selected(), one.selected())),
         MeasureCell(metric, value(one.has_selected_mean(), one.selected_mean())),
         MeasureCell(metric, value(one.has_confirmed(), one.confirmed())),
         interval_cell(one.has_confirmed_interval(), one.confirmed_interval()),
         MeasureCell(metric, value(one.has_confirmed_bound(), one.confirmed_bound())),
         OptimismCell(metric, one),
         {fmt::format("{} of {}", one.ended_runs(), one.planned_runs())},
         one.ended_runs() == 0 ? cells::Missing()
                               : Cell{fmt::format("{} ({:.0f}–{:.0f} %)", one.qualifying_runs(),
                                                  100 * share.low, 100 * share.high)},
         cells::Text(one.qualifies() ? "✓" : "✗")});
  }
  AddDocuments(finalists, &listing);
  return listing;
}

int Report(Connection& connection, const KnownSweep& selection, const std::string& confirming,
           const Session& session) {
  const absl::StatusOr<KnownSweep> confirmation = FindSweep(connection, confirming);
  if (!confirmation.ok()) return Fail(confirmation.status());
  const absl::StatusOr<std::vector<v1::Sweep>> all = ConfirmationsOf(connection, selection.sweep);
  if (!all.ok()) return Fail(all.status());
  const std::optional<std::int64_t> looks = TestLooks(selection, *all);
  const absl::StatusOr<std::vector<documents::Finalist>> finalists =
      FinalistsOf(connection, selection, *confirmation, looks);
  if (!finalists.ok()) return Fail(finalists.status());
  PrintListing(FinalistListing(confirmation->sweep, *finalists), session, std::cout);
  if (looks) {
    Say(session,
        fmt::format("the test images have judged {}: {} in the selection{}, the others here{}",
                    Counted(*looks, "configuration"),
                    selection.input.spec.holdout > 0 ? 0 : LooksOf(selection.sweep),
                    selection.input.spec.holdout > 0 ? ", by its hold-out" : "",
                    all->size() > 1 ? " and in earlier confirmations" : ""));
  }
  if (!HasEnded(confirmation->sweep)) {
    Say(session, fmt::format("{} has not ended ({} of {}); follow it with: {}", confirming,
                             EndedTrials(confirmation->sweep.counts()),
                             Counted(confirmation->sweep.planned_trials(), "trial"),
                             Command(session, {"watch", confirming})));
    return kExitOk;
  }
  const bool qualifies = std::any_of(finalists->begin(), finalists->end(),
                                     [](const auto& one) { return one.qualifies(); });
  return qualifies ? kExitOk : kExitNothingQualified;
}

int Confirm(Connection& connection, const std::string& name, const ConfirmFlags& flags,
            const Session& session) {
  const absl::StatusOr<KnownSweep> selection = FindSweep(connection, name);
  if (!selection.ok()) return Fail(selection.status());
  if (!flags.output.empty()) return WriteConfirmation(connection, *selection, flags, session);
  const absl::StatusOr<std::vector<v1::Sweep>> there =
      ConfirmationsOf(connection, selection->sweep);
  if (!there.ok()) return Fail(there.status());
  std::string confirming = there->empty() ? "" : ShortName(there->front().name());
  if (confirming.empty() || flags.anew) {
    const absl::StatusOr<std::string> made =
        SubmitConfirmation(connection, *selection, flags, session);
    if (!made.ok()) return Fail(made.status());
    confirming = *made;
  } else if (const v1::Sweep& latest = there->front();
             (flags.top_is_given && LabelOf(latest, kTop) != std::to_string(flags.top)) ||
             (flags.replicates_are_given && latest.replicates() != flags.replicates)) {
    return Fail(absl::AlreadyExistsError(fmt::format(
        "{} confirms {} of {} with {} seeds each already; another one besides: {}", confirming,
        latest.planned_configurations(), name, latest.replicates(),
        Command(session, {"confirm", name, fmt::format("--top={}", flags.top),
                          fmt::format("--replicates={}", flags.replicates), "--new"}))));
  }
  if (flags.wait) {
    const absl::Status ended = WaitUntil([&]() -> absl::StatusOr<bool> {
      const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, confirming);
      if (!sweep.ok()) return sweep.status();
      return HasEnded(*sweep);
    });
    if (!ended.ok()) return AfterWaiting(ended, session, confirming + " goes on");
  }
  return Report(connection, *selection, confirming, session);
}

}  // namespace

void AddConfirmCommand(CLI::App* app, Session* session) {
  CLI::App* confirm =
      app->add_subcommand("confirm",
                          "Train the best again\n"
                          "The best configurations of a sweep, with seeds that had no part in "
                          "choosing them, as a sweep "
                          "of its own:\nNAME-confirm, judged by the mean of the last epochs, on "
                          "the test images if NAME "
                          "has a hold-out. Shows its\nresults apart from the selection's, and by "
                          "how much the last epochs "
                          "of these were too good. The same command again shows\nwhat there is by "
                          "then. Exit code 3: none meets the "
                          "criteria.");
  confirm->group("Run sweeps");
  auto name = std::make_shared<std::string>();
  auto flags = std::make_shared<ConfirmFlags>();
  confirm->add_option("NAME", *name, "the sweep")->required();
  CLI::Option* const top = confirm->add_option("--top", flags->top, "how many of its best")
                               ->check(CLI::Range(1, kMostFinalists))
                               ->capture_default_str();
  CLI::Option* const replicates =
      confirm->add_option("--replicates", flags->replicates, "fresh seeds for each")
          ->check(CLI::Range(2, 1000))
          ->capture_default_str();
  confirm->add_flag("--new", flags->anew, "another one, besides those that there are");
  confirm->add_flag("--wait", flags->wait, "return when it has ended");
  confirm
      ->add_option("-o,--output", flags->output,
                   "write the sweep file there, for `sweep run`, instead of submitting it")
      ->type_name("FILE");
  confirm->footer(
      "Examples:\n"
      "  sweep confirm seed-000\n"
      "  sweep confirm seed-000 --top 3 --replicates 20 --wait\n"
      "  sweep confirm seed-000 --format json | jq '.[].optimism'");
  confirm->callback([=] {
    flags->top_is_given = top->count() > 0;
    flags->replicates_are_given = replicates->count() > 0;
    session->exit_code = WithConnection(*session, flags->wait, [&](Connection& connection) {
      return Confirm(connection, *name, *flags, *session);
    });
  });
}

}  // namespace sweep::cli
