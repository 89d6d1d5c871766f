// Trains the best configurations of a sweep again, with seeds that had no part in choosing them.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "cli/calls.h"
#include "cli/commands/confirm_files.h"
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
#include "common/spec/confirmation_labels.h"
#include "common/spec/kept_keys.h"
#include "common/spec/parameters_parser.h"
#include "proto/documents/values.h"
#include "sweep/documents/answers.pb.h"

namespace sweep::cli {
namespace {

constexpr int kMostFinalists = 30;  // whose numbers a label has room for
// Rows among which finalists with different points are looked for.
constexpr int kMostRanked = 1000;

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
  std::erase_if(*sweeps, [&](const v1::Sweep& sweep) {
    return LabelOf(sweep, kConfirmsSubmittedLabel) != submitted;
  });
  return sweeps;
}

// "seed-000/17" as "17".
std::string NumberOf(const v1::Trial& trial) {
  const std::string name = ShortName(trial.name());
  return name.substr(name.rfind('/') + 1);
}

// Criteria that end at an epoch before a finalist's last one would be missed by what is judged
// here.
absl::Status CheckEpochs(const std::string& name, const SweepSpec& chosen,
                         const v1::RankSweepResponse& ranking) {
  for (const Gate& gate : chosen.require) {
    if (gate.name != "epochs") continue;
    for (const v1::RankedConfiguration& row : ranking.rows()) {
      if (gate.Holds(Value(std::int64_t{row.trial().epochs()}))) continue;
      return absl::FailedPreconditionError(fmt::format(
          "{} cannot be confirmed: {} trains for {}, its criteria ask for epochs {}, and a "
          "confirmation judges the last epoch; sweep as many epochs as the criteria permit",
          name, ShortName(row.trial().name()), Counted(row.trial().epochs(), "epoch"),
          gate.ToString()));
    }
  }
  return absl::OkStatus();
}

std::string LabelsOf(const KnownSweep& selection, const v1::RankSweepResponse& ranking, int top) {
  Json labels = Json::object();
  for (const auto& [key, value] : selection.input.spec.labels) labels[key] = value;
  std::vector<std::string> numbers;
  for (const v1::RankedConfiguration& row : ranking.rows())
    numbers.push_back(NumberOf(row.trial()));
  labels[kConfirmsLabel] = ShortName(selection.sweep.name());
  labels[kConfirmsSubmittedLabel] = TimeText(cells::ToTime(selection.sweep.create_time()));
  labels[kConfirmsTopLabel] = std::to_string(top);
  labels[kFinalistsLabel] = absl::StrJoin(numbers, " ");
  return labels.dump();
}

// Names of network files, by those that they have in the selection's file.
using NewNames = std::map<std::string, std::string>;

std::string NewName(const NewNames& names, const std::string& model) {
  const auto found = names.find(model);
  return found == names.end() ? model : found->second;
}

std::string PointsOf(const v1::RankSweepResponse& ranking, const NewNames& names) {
  Json points = Json::array();
  for (const v1::RankedConfiguration& row : ranking.rows()) {
    Json point = Json::object();
    for (const auto& [key, value] : row.trial().parameters()) point[key] = ValueJson(value);
    if (const auto model = point.find("model"); model != point.end() && model->is_string()) {
      *model = NewName(names, model->get<std::string>());
    }
    points.push_back(std::move(point));
  }
  return points.dump();
}

// Keys that depend on where the file lies: networks that it cannot name as the selection's file
// did, and the folder of the data.
std::vector<std::pair<std::string, std::string>> PlacedKeys(const SweepSpec& spec,
                                                            const NewNames& names,
                                                            bool is_elsewhere) {
  std::vector<std::pair<std::string, std::string>> keys;
  if (!names.empty()) {
    Json models = Json::array();
    for (const std::string& model : spec.models) models.push_back(NewName(names, model));
    keys.emplace_back("model",
                      models.size() == 1 ? models[0].dump() : Json{{"values", models}}.dump());
  }
  if (is_elsewhere && spec.dataset.name == "idx") {
    Json data = {{"format", "idx"}, {"path", spec.dataset.path}};
    if (spec.dataset.train_size > 0) data["train"] = spec.dataset.train_size;
    if (spec.dataset.test_size > 0) data["test"] = spec.dataset.test_size;
    keys.emplace_back("dataset", data.dump());
  }
  return keys;
}

// Gives the network files their new names. Expressions name networks too, and cannot be written
// anew.
absl::Status Rename(const std::string& name, const NewNames& names, SweepSource* source) {
  for (const auto& [old, inside] : names) {
    if (absl::StrContains(source->text, old)) {
      return absl::FailedPreconditionError(fmt::format(
          "{} cannot be confirmed by a file in another folder: its parameters or constraints name "
          "the network file '{}'; write it to where that is the same file",
          name, Printable(old)));
    }
    auto file = source->network_files.extract(old);
    file.key() = inside;
    source->network_files.insert(std::move(file));
  }
  return absl::OkStatus();
}

// The file of the sweep that confirms the rows: the selection's networks, data, space and criteria,
// with the rows as its only points. Its seed follows from its name.
absl::StatusOr<SweepInput> ConfirmationInput(const KnownSweep& selection,
                                             const v1::RankSweepResponse& ranking,
                                             const ConfirmFlags& flags) {
  const std::string name = ShortName(selection.sweep.name());
  const SweepSpec& chosen = selection.input.spec;
  if (absl::Status status = CheckEpochs(name, chosen, ranking); !status.ok()) return status;
  const bool is_elsewhere = !flags.output.empty() && HasFolder(flags.output);
  const NewNames names =
      is_elsewhere ? NamesInside(flags.output, selection.input.source) : NewNames();
  constexpr std::size_t kLongest = 55;  // of 63, leaving room for "-confirm"
  std::vector<std::pair<std::string, std::string>> added = {
      {"name", Json(name.substr(0, kLongest) + "-confirm").dump()},
      {"description", Json(fmt::format("the best of {} with fresh seeds", name)).dump()},
      {"labels", LabelsOf(selection, ranking, flags.top)},
      {"method", "random"},
      {"run_cap", std::to_string(ranking.rows_size())},
      {"replicates", std::to_string(flags.replicates)},
      {"gate_on", "mean"},
      {"try_first", PointsOf(ranking, names)}};
  std::set<std::string> kept = {"model",   "recipe",     "program",      "files",     "trained_by",
                                "dataset", "parameters", "constraints",  "epochs",    "require",
                                "metric",  "measures",   "max_failures", "keep_going"};
  for (auto& [key, value] : PlacedKeys(chosen, names, is_elsewhere)) {
    kept.erase(key);
    added.emplace_back(key, value);
  }
  const absl::StatusOr<std::string> text = WithKeptKeys(selection.input.source.text, kept, added);
  if (!text.ok()) return text.status();
  SweepInput input{.source = selection.input.source, .spec = {}};
  input.source.text = *text;
  if (absl::Status status = Rename(name, names, &input.source); !status.ok()) return status;
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(input.source, &diagnostics);
  if (!spec.ok()) {
    return absl::FailedPreconditionError(
        fmt::format("{} cannot be confirmed: {}", name, FormatDiagnostics(diagnostics)));
  }
  input.spec = *std::move(spec);
  return input;
}

// The best rows of which no two have the same point.
void KeepDistinct(int top, v1::RankSweepResponse* ranking) {
  std::set<std::string> points;
  v1::RankSweepResponse kept;
  for (v1::RankedConfiguration& row : *ranking->mutable_rows()) {
    Json point = Json::object();
    for (const auto& [key, value] : row.trial().parameters()) point[key] = ValueJson(value);
    if (kept.rows_size() == top || !points.insert(point.dump()).second) continue;
    *kept.add_rows() = std::move(row);
  }
  ranking->mutable_rows()->Swap(kept.mutable_rows());
}

absl::StatusOr<SweepInput> MakeConfirmation(Connection& connection, const KnownSweep& selection,
                                            const ConfirmFlags& flags) {
  const std::string name = ShortName(selection.sweep.name());
  const bool may_repeat = selection.input.spec.repeat_points;
  absl::StatusOr<v1::RankSweepResponse> ranking =
      RankSweep(connection, name, may_repeat ? kMostRanked : flags.top);
  if (!ranking.ok()) return ranking.status();
  if (may_repeat) KeepDistinct(flags.top, &*ranking);
  if (ranking->rows().empty()) {
    return absl::FailedPreconditionError(
        fmt::format("{} has nothing to confirm: no trial has a result yet", name));
  }
  return ConfirmationInput(selection, *ranking, flags);
}

// Says which files it has written beside it, or for a pipe which it needs.
absl::Status PlaceBeside(const std::string& file, const SweepSource& source,
                         const Session& session) {
  if (HasFolder(file)) {
    const absl::StatusOr<std::vector<std::string>> written = WriteFilesBeside(file, source);
    if (!written.ok()) return written.status();
    for (const std::string& path : *written) {
      Say(session, fmt::format("wrote {}, which {} needs", Printable(path), Printable(file)));
    }
    return absl::OkStatus();
  }
  std::vector<std::string> beside;
  for (const auto& [name, text] : source.network_files) beside.push_back(Printable(name));
  for (const auto& [name, text] : source.program_files) beside.push_back(Printable(name));
  if (!beside.empty()) {
    Say(session,
        fmt::format("it needs beside it, as the sweep had them: {}", absl::StrJoin(beside, ", ")));
  }
  return absl::OkStatus();
}

int WriteConfirmation(Connection& connection, const KnownSweep& selection,
                      const ConfirmFlags& flags, const Session& session) {
  const absl::StatusOr<SweepInput> input = MakeConfirmation(connection, selection, flags);
  if (!input.ok()) return Fail(input.status());
  const absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(flags.output);
  absl::Status status = file.status();
  if (status.ok()) status = PlaceBeside(flags.output, input->source, session);
  if (status.ok()) {
    (*file)->stream() << input->source.text;
    status = (*file)->Commit();
  }
  if (!status.ok()) return Fail(status);
  Say(session, fmt::format("wrote {}; train it with: {}", Printable(flags.output),
                           Command(session, {"run", FileWord(flags.output)})));
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

// What the coordinator says of a confirmation, and a row for programs of each finalist.
struct ConfirmedSweep {
  Json view;
  std::vector<Json> finalists;
};

absl::StatusOr<ConfirmedSweep> GetConfirmed(Connection& connection, const std::string& confirming) {
  const absl::StatusOr<std::string> text =
      GetView(connection, "/sweeps/" + confirming + "/confirmation", "");
  if (absl::IsNotFound(text.status())) {
    return absl::FailedPreconditionError(fmt::format(
        "the coordinator does not show confirmations: it is older than this client, or {} "
        "was deleted",
        confirming));
  }
  if (!text.ok()) return text.status();
  ConfirmedSweep made{.view = Json::parse(*text, nullptr, /*allow_exceptions=*/false),
                      .finalists = {}};
  if (!made.view.is_object() || !made.view["finalists"].is_array()) {
    return absl::InternalError("the coordinator's document of the confirmation is no JSON");
  }
  const std::string selection = made.view["selection"].get<std::string>();
  for (Json row : made.view["finalists"]) {
    const Json& trial = row["trial"];
    row["trial"] =
        trial.is_null() ? "" : fmt::format("{}/{}", selection, trial.get<std::int64_t>());
    row["confirmed_by"] = confirming;
    row["test_looks"] = made.view["test_looks"];
    made.finalists.push_back(std::move(row));
  }
  return made;
}

std::optional<double> NumberIn(const Json& row, const char* key) {
  return row[key].is_number() ? std::optional(row[key].get<double>()) : std::nullopt;
}

Cell OptimismCell(const std::string& metric, const Json& finalist) {
  const std::optional<double> optimism = NumberIn(finalist, "optimism");
  if (!optimism) return cells::Missing();
  // A distance has no sign of its own.
  const auto signed_text = [&](double value) {
    return (value < 0 ? "-" : "") + DistanceText(metric, std::fabs(value));
  };
  std::string text = signed_text(*optimism);
  if (const Json& ends = finalist["optimism_interval"]; ends.is_array()) {
    text += fmt::format(" ({} to {})", signed_text(ends[0].get<double>()),
                        signed_text(ends[1].get<double>()));
  }
  return {text};
}

Cell QualifyingCell(const Json& finalist) {
  const Json& share = finalist["qualifying_interval"];
  if (!share.is_array()) return cells::Missing();
  return {fmt::format("{} ({:.0f}–{:.0f} %)", finalist["qualifying_runs"].get<std::int64_t>(),
                      100 * share[0].get<double>(), 100 * share[1].get<double>())};
}

Listing FinalistListing(const v1::Sweep& sweep, const std::vector<Json>& finalists) {
  const Objective objective = ObjectiveOf(sweep);
  const std::string& metric = objective.name;
  const bool has_groups = std::any_of(finalists.begin(), finalists.end(),
                                      [](const Json& one) { return one["group"].is_number(); });
  Listing listing;
  listing.columns = {
      {"#", "rank", true},
      {"FINALIST", "trial"},
      {"SELECTED BY", "selected", true, true, false, 4},
      {"OF LAST", "selected_mean", true},
      {"CONFIRMED", "confirmed", true},
      {"GROUP", "group", true, has_groups, false, 2},
      {"95 % INTERVAL", "confirmed_interval", true},
      {objective.maximize ? "LOWER BOUND" : "UPPER BOUND", "confirmed_bound", true, true, false, 3},
      {"OPTIMISM", "optimism", true},
      {"RUNS", "ended_runs", true},
      {"THAT QUALIFY", "qualifying_runs", true, !sweep.gates().empty()},
      {"CRITERIA", "qualifies", false, !sweep.gates().empty()}};
  for (const Json& one : finalists) {
    const Json& ends = one["confirmed_interval"];
    listing.rows.push_back(
        {cells::Count(one["rank"].get<std::int64_t>()),
         cells::Text(one["trial"].get<std::string>()),
         MeasureCell(metric, NumberIn(one, "selected")),
         MeasureCell(metric, NumberIn(one, "selected_mean")),
         MeasureCell(metric, NumberIn(one, "confirmed")),
         one["group"].is_number() ? cells::Count(one["group"].get<std::int64_t>())
                                  : cells::Missing(),
         ends.is_array() ? Cell{IntervalText(metric, ends[0].get<double>(), ends[1].get<double>())}
                         : cells::Missing(),
         MeasureCell(metric, NumberIn(one, "confirmed_bound")),
         OptimismCell(metric, one),
         {fmt::format("{} of {}", one["ended_runs"].get<std::int64_t>(),
                      one["planned_runs"].get<std::int64_t>())},
         QualifyingCell(one),
         cells::Text(one["qualifies"].get<bool>() ? "✓" : "✗")});
  }
  SetValues(DocumentKeys(*documents::Finalist::descriptor()), finalists, &listing);
  return listing;
}

// "luck/1 and luck/2"
std::string Enumerated(const std::vector<std::string>& names) {
  if (names.size() < 2) return absl::StrJoin(names, "");
  const std::vector<std::string> first(names.begin(), names.end() - 1);
  return fmt::format("{} and {}", absl::StrJoin(first, ", "), names.back());
}

// What a table has no room for: who cannot be told apart, and what has no optimism.
void SayMore(const ConfirmedSweep& confirmed, const Session& session) {
  std::map<std::int64_t, std::vector<std::string>> groups;
  for (const Json& one : confirmed.finalists) {
    if (!one["group"].is_number()) continue;
    groups[one["group"].get<std::int64_t>()].push_back(one["trial"].get<std::string>());
  }
  for (const auto& [group, names] : groups) {
    if (names.size() < 2) continue;
    Say(session, fmt::format("{} cannot be told apart by their fresh runs", Enumerated(names)));
  }
  for (const Json& one : confirmed.finalists) {
    const std::string note = one["optimism_note"].get<std::string>();
    if (note.empty()) continue;
    Say(session,
        fmt::format("the optimism of {} is not known: {}", one["trial"].get<std::string>(), note));
  }
  if (!confirmed.view["test_looks"].is_number()) return;
  const auto selection = confirmed.view["selection_looks"].get<std::int64_t>();
  Say(session,
      fmt::format("the test images have judged {}: {} in the selection{}, the others here{}",
                  Counted(confirmed.view["test_looks"].get<std::int64_t>(), "configuration"),
                  selection, selection == 0 ? ", by its hold-out" : "",
                  confirmed.view["confirmations"].get<std::int64_t>() > 1
                      ? " and in other confirmations"
                      : ""));
}

int Report(Connection& connection, const std::string& confirming, const Session& session) {
  const absl::StatusOr<v1::Sweep> confirmation = GetSweep(connection, confirming);
  if (!confirmation.ok()) return Fail(confirmation.status());
  const absl::StatusOr<ConfirmedSweep> confirmed = GetConfirmed(connection, confirming);
  if (!confirmed.ok()) return Fail(confirmed.status());
  PrintListing(FinalistListing(*confirmation, confirmed->finalists), session, std::cout);
  SayMore(*confirmed, session);
  if (!HasEnded(*confirmation)) {
    Say(session, fmt::format("{} has not ended ({} of {}); follow it with: {}", confirming,
                             EndedTrials(confirmation->counts()),
                             Counted(confirmation->planned_trials(), "trial"),
                             Command(session, {"watch", confirming})));
    return kExitOk;
  }
  const bool qualifies = std::any_of(confirmed->finalists.begin(), confirmed->finalists.end(),
                                     [](const Json& one) { return one["qualifies"].get<bool>(); });
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
             (flags.top_is_given &&
              LabelOf(latest, kConfirmsTopLabel) != std::to_string(flags.top)) ||
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
  return Report(connection, confirming, session);
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
