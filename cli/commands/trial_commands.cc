#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>

#include "cli/calls.h"
#include "cli/help/suggestions.h"
#include "cli/present/answers.h"
#include "cli/present/curves.h"
#include "cli/present/measure_text.h"
#include "cli/present/origins.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "common/command_line/options.h"
#include "common/lifecycle/trial_state.h"
#include "common/spec/suggestion_origin.h"

namespace sweep::cli {
namespace {

struct TrialsOptions {
  std::string sweep;
  std::string state;
  std::string where;
  std::string sort;
  std::string columns;
  int limit = 0;
};

v1::TrialState ParseState(const std::string& name) {
  for (int value = v1::TrialState_MIN; value <= v1::TrialState_MAX; ++value) {
    const auto state = static_cast<v1::TrialState>(value);
    if (StateName(state) == name) return state;
  }
  return v1::TRIAL_STATE_UNSPECIFIED;
}

int Trials(const TrialsOptions& options, const Session& session) {
  TrialFilter filter{.where = options.where, .order_by = options.sort, .limit = options.limit};
  if (!options.state.empty()) filter.state = ParseState(options.state);
  // Accepts "-lr" for descending, as other tools do.
  if (filter.order_by.starts_with("-")) filter.order_by = filter.order_by.substr(1) + " desc";
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<std::vector<v1::Trial>> trials =
      ListTrials(**connection, options.sweep, filter);
  if (!trials.ok()) {
    return Fail(WithNearestSortKey(**connection, trials.status(), options.sweep, options.sort));
  }
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, options.sweep);
  if (!sweep.ok()) return Fail(sweep.status());
  const absl::StatusOr<Listing> listing =
      ChooseColumns(TrialListing(*sweep, *trials), options.columns, ObjectivesOf(*sweep));
  if (!listing.ok()) return Fail(listing.status());
  PrintListing(*listing, session, std::cout);
  return kExitOk;
}

struct TrialOptions {
  std::string name;
  PlotFlags plot;
};

// Empty when it is not known how the trial's values were chosen.
std::string ChosenText(const v1::Trial& trial) {
  const std::optional<SuggestionOrigin> origin = OriginOf(trial);
  return origin ? SuggestionOriginText(*origin) : "";
}

// What tells it from other trials of its configuration or its population.
std::string PlaceText(const v1::Trial& trial) {
  if (!trial.has_member()) return fmt::format("replicate {}", trial.replicate());
  const int last = trial.has_target_epoch() ? trial.target_epoch() : trial.epochs();
  return fmt::format("member {}, epochs {} to {} of {}", trial.member(), trial.start_epoch() + 1,
                     last, trial.epochs());
}

int ShowTrial(const TrialOptions& options, const Session& session) {
  const std::string& name = options.name;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::GetTrialResponse> response = GetTrial(**connection, name);
  if (!response.ok()) return Fail(response.status());
  const absl::StatusOr<std::vector<v1::Epoch>> epochs = ListEpochs(**connection, name);
  if (!epochs.ok()) return Fail(epochs.status());
  const absl::StatusOr<std::vector<v1::Attempt>> attempts = ListAttempts(**connection, name);
  if (!attempts.ok()) return Fail(attempts.status());
  const v1::Trial& trial = response->trial();
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, SweepOf(trial));
  if (!sweep.ok()) return Fail(sweep.status());

  if (session.format == Format::kCsv) {
    PrintListing(EpochListing(*epochs), session, std::cout);
    return kExitOk;
  }
  if (session.format == Format::kJson) {
    documents::ShownTrial shown;
    *shown.mutable_saved() = ToSaved(*sweep, trial, *epochs, response->spec_json());
    for (const v1::Attempt& attempt : *attempts) *shown.add_attempts() = ToDocument(attempt);
    Json document = ToJson(shown);
    // A string, as everywhere in this JSON; the trainer itself gets a number.
    if (document["spec"].is_object()) document["spec"]["seed"] = std::to_string(trial.seed());
    PrintJson(document, std::cout);
    return kExitOk;
  }
  const std::vector<EpochMetrics> metrics = CountedMetrics(*epochs);
  const absl::StatusOr<std::vector<Curves>> curves =
      ChosenCurves(options.plot, ObjectivesOf(*sweep), metrics);
  if (!curves.ok()) return Fail(curves.status());
  // A sweep with its own program need not name a network.
  const std::string network = trial.model().empty()
                                  ? ""
                                  : fmt::format("  {} ({} parameters)", Printable(trial.model()),
                                                WithSeparators(trial.network_parameters()));
  std::cout << fmt::format("{}  {}{}  {}  seed {}\n{}\n",
                           Styled(session, Style::kBold, ShortName(trial.name())),
                           StateName(trial.state()), network, PlaceText(trial), trial.seed(),
                           Printable(ParametersText(trial)));
  if (trial.defaults_size() > 0) {
    std::cout << "by default: " << Printable(ValuesText(trial.defaults())) << '\n';
  }
  if (const std::string chosen = ChosenText(trial); !chosen.empty()) {
    std::cout << "chosen " << Printable(chosen) << '\n';
  }
  if (!trial.reason().empty()) {
    std::string_view mark = "reason: ";
    std::istringstream lines(trial.reason());
    for (std::string line; std::getline(lines, line); mark = "        ") {
      std::cout << Styled(session, Style::kRed, std::string(mark)) << Printable(line) << '\n';
    }
  }
  if (trial.epochs_to_target() > 0 && sweep->gates_size() > 0) {
    std::cout << Styled(session, Style::kGreen,
                        fmt::format("meets all criteria from epoch {}", trial.epochs_to_target()))
              << '\n';
  }
  // Of a first segment it says nothing.
  if (trial.lineage_size() > 1) {
    std::cout << '\n';
    PrintListing(LineageListing(*sweep, trial), session, std::cout);
  }
  if (!options.plot.hide && !epochs->empty()) {
    PrintPlots(*curves, metrics, {sweep->gates().begin(), sweep->gates().end()}, options.plot,
               session);
  }
  std::cout << '\n';
  PrintListing(EpochListing(*epochs), session, std::cout);
  std::cout << '\n';
  PrintListing(AttemptListing(*attempts), session, std::cout);
  for (const v1::Artifact& artifact : trial.artifacts()) {
    const std::string line = fmt::format("{:<13} {:>9}  sha256 {}", Printable(artifact.role()),
                                         HumanBytes(artifact.size_bytes()), artifact.sha256());
    std::cout << (&artifact == &trial.artifacts(0) ? "\n" : "")
              << (session.width > 0 ? Truncate(line, session.width) : line) << '\n';
  }
  return kExitOk;
}

}  // namespace

void AddTrialCommands(CLI::App* app, Session* session) {
  CLI::App* trials = app->add_subcommand("trials", "List a sweep's trials");
  trials->group("Look into and tidy up");
  trials->footer(
      "Examples:\n"
      "  sweep trials seed-000 --sort -best --limit 5\n"
      "  sweep trials seed-000 --sort last.val/f1 --columns trial,last.val/f1,lr\n"
      "  sweep trials seed-000 --state failed --columns trial,reason\n"
      "  sweep trials seed-000 --where \"lr > 0.05 and best_accuracy >= 99.3%\" --format json");
  auto options = std::make_shared<TrialsOptions>();
  trials->add_option("NAME", options->sweep, "sweep")->required();
  trials->add_option("--state", options->state, "only this state")
      ->check(OneOf({"pending", "leased", "running", "on_hold", "completed", "stopped", "failed",
                     "diverged", "cancelled"}));
  trials->add_option("--where", options->where,
                     "only where this holds, as \"lr > 0.05 and best_accuracy >= 99.3%\"");
  trials
      ->add_option(
          "--sort", options->sort,
          "number, best (of the sweep's metric), best.M, last.M, low.M or high.M of a measure M, "
          "epochs_to_target or a hyperparameter; with a leading '-' descending")
      ->type_name("KEY");
  trials->add_option("--limit", options->limit, "at most this many")->check(Positive());
  trials
      ->add_option(
          "--columns", options->columns,
          "these columns, in this order: keys of the JSON, hyperparameters or measures, as "
          "trial,best,last.loss,lr")
      ->type_name("LIST");
  trials->callback([=] { session->exit_code = Trials(*options, *session); });

  CLI::App* trial =
      app->add_subcommand("trial",
                          "Show one trial\n"
                          "Its hyperparameters and how they were chosen, learning curves with the "
                          "lines of the sweep's criteria, epochs, attempts and files.");
  trial->group("Look into and tidy up");
  trial->footer(
      "Examples:\n"
      "  sweep trial seed-000/17\n"
      "  sweep trial seed-000/17 --no-plot\n"
      "  sweep trial seed-000/17 --metric train_loss,loss\n"
      "  sweep trial seed-000/17 --format csv > epochs.csv");
  auto trial_options = std::make_shared<TrialOptions>();
  trial->add_option("NAME/N", trial_options->name, "trial, as SWEEP/NUMBER")->required();
  AddPlotFlags(trial, &trial_options->plot);
  trial->callback([=] { session->exit_code = ShowTrial(*trial_options, *session); });
}

}  // namespace sweep::cli
