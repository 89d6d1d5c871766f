// A sweep that trains the best of another one again, beside what these were chosen by.

#include <algorithm>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "common/spec/confirmation_labels.h"
#include "common/stats/confirmation.h"
#include "coordinator/specs/planned_trials.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// A configuration's row of a ranking, and its runs.
struct Scored {
  RankedRow row;
  MeanRuns runs;
};

struct Found {
  std::optional<SweepRow> selection;         // nullopt: it was deleted
  std::vector<SweepRow> confirmations;       // of the selection
  std::map<std::int64_t, Scored> chosen;     // of the selection, by the finalist's trial
  std::map<std::int64_t, Scored> confirmed;  // by configuration here
};

// The selection may have been renamed, and another sweep may have its name.
absl::StatusOr<std::optional<SweepRow>> FindSelection(Database& database,
                                                      const ConfirmationLabels& labels) {
  absl::Time submitted;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, labels.submitted, &submitted, &error)) {
    absl::StatusOr<SweepRow> named = FindSweep(database, labels.selection);
    if (absl::IsNotFound(named.status())) return std::nullopt;
    if (!named.ok()) return named.status();
    return *std::move(named);
  }
  absl::StatusOr<std::vector<SweepRow>> sweeps = SelectSweepsSubmitted(database, submitted);
  if (!sweeps.ok()) return sweeps.status();
  if (sweeps->empty()) return std::nullopt;
  const auto named = std::find_if(sweeps->begin(), sweeps->end(), [&](const SweepRow& one) {
    return one.name == labels.selection;
  });
  return named == sweeps->end() ? std::move(sweeps->front()) : std::move(*named);
}

absl::StatusOr<std::vector<Scored>> ReadScored(Database& database, std::vector<RankedRow> rows) {
  std::vector<Scored> scored;
  for (RankedRow& row : rows) {
    absl::StatusOr<std::vector<ReplicateResult>> runs = SelectRuns(database, row.trial);
    if (!runs.ok()) return runs.status();
    const MeanRuns mean = {
        .runs = *std::move(runs), .epochs = row.trial.epochs, .is_segment = row.trial.member > 0};
    scored.push_back({.row = std::move(row), .runs = mean});
  }
  return scored;
}

using ScoredByNumber = std::map<std::int64_t, Scored>;

// What the selection has of the finalists, by their trials.
absl::StatusOr<ScoredByNumber> ReadChosen(Database& database, const SweepRow& selection,
                                          const std::vector<std::int64_t>& trials) {
  ScoredByNumber chosen;
  for (const std::int64_t number : trials) {
    const absl::StatusOr<TrialRow> trial = FindTrial(database, selection.name, number);
    if (absl::IsNotFound(trial.status())) continue;
    if (!trial.ok()) return trial.status();
    absl::StatusOr<std::vector<RankedRow>> rows =
        SelectRankedRows(database, selection.id, {trial->configuration});
    if (!rows.ok()) return rows.status();
    absl::StatusOr<std::vector<Scored>> scored = ReadScored(database, *std::move(rows));
    if (!scored.ok()) return scored.status();
    if (!scored->empty()) chosen.emplace(number, std::move(scored->front()));
  }
  return chosen;
}

absl::StatusOr<Found> Read(const ViewContext& context, const SweepRow& sweep, const SweepSpec& spec,
                           const ConfirmationLabels& labels) {
  Store* const store = context.options.store;
  Found found;
  absl::StatusOr<std::optional<SweepRow>> selection = store->Read(FindSelection, labels);
  if (!selection.ok()) return selection.status();
  found.selection = *std::move(selection);
  if (found.selection) {
    absl::StatusOr<ScoredByNumber> chosen =
        store->Read(ReadChosen, *found.selection, labels.finalists);
    if (!chosen.ok()) return chosen.status();
    found.chosen = *std::move(chosen);
    absl::StatusOr<std::vector<SweepRow>> confirmations =
        store->Read(SelectLabelledSweeps, std::string(kConfirmsSubmittedLabel), labels.submitted);
    if (!confirmations.ok()) return confirmations.status();
    found.confirmations = *std::move(confirmations);
  }
  std::vector<std::int64_t> configurations;
  for (std::size_t i = 0; i < spec.try_first.size(); ++i) {
    configurations.push_back(static_cast<std::int64_t>(i) + 1);
  }
  using ScoredRows = absl::StatusOr<std::vector<Scored>>;
  ScoredRows scored = store->Read([&](Database& database) -> ScoredRows {
    absl::StatusOr<std::vector<RankedRow>> rows =
        SelectRankedRows(database, sweep.id, configurations);
    if (rows.ok()) rows = WithStatistics(database, spec, sweep.id, *std::move(rows));
    if (!rows.ok()) return rows.status();
    return ReadScored(database, *std::move(rows));
  });
  if (!scored.ok()) return scored.status();
  for (Scored& one : *scored) {
    const std::int64_t configuration = one.row.trial.configuration;
    found.confirmed.emplace(configuration, std::move(one));
  }
  return found;
}

void SetInterval(const std::optional<Interval>& interval, documents::Interval* made) {
  made->set_low(interval->low);
  made->set_high(interval->high);
}

// What the fresh runs gave, beside what the selection did. `chosen` is nullptr when that is gone.
void AddConfirmed(const SweepSpec& spec, const Scored& fresh, const Scored* chosen,
                  documents::FinalistFacts* facts) {
  const ConfigurationScore& score = fresh.row.score;
  facts->set_qualifies(score.qualifies);
  *facts->mutable_gates() = DescribeGates(score.gates);
  const RunCount runs = CountQualifying(spec, score, fresh.runs.runs);
  facts->set_ended_runs(runs.ended);
  facts->set_qualifying_runs(runs.qualifying);
  if (fresh.row.group > 0) {
    facts->set_group(fresh.row.group);
    facts->set_group_size(fresh.row.group_size);
  }
  if (runs.ended == 0) return;
  SetInterval(QualifyingInterval(runs), facts->mutable_qualifying_interval());
  // Until then the mean is that of runs that still train.
  if (!HasEndedRun(spec.objective(), fresh.runs)) return;
  facts->set_confirmed(score.mean_last);
  std::optional<double> selected;
  if (chosen != nullptr) {
    facts->set_optimism_note(WhyNotAlike(spec.objective(), chosen->runs, fresh.runs));
    if (facts->optimism_note().empty()) selected = chosen->row.score.mean_last;
  }
  const Confirmation made = ConfirmationOf(spec.objective(), selected, score.mean_last,
                                           score.mean_half_width, score.replicates);
  if (made.bound) facts->set_confirmed_bound(*made.bound);
  if (made.optimism) facts->set_optimism(*made.optimism);
  if (made.interval) SetInterval(made.interval, facts->mutable_confirmed_interval());
  if (made.optimism_interval) {
    SetInterval(made.optimism_interval, facts->mutable_optimism_interval());
  }
}

void AddFinalists(const SweepSpec& spec, const ConfirmationLabels& labels, const Found& found,
                  documents::ConfirmationView* view) {
  for (std::size_t i = 0; i < spec.try_first.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i) + 1;
    documents::FinalistRow* const made = view->add_finalists();
    made->set_rank(number);
    documents::FinalistFacts* const facts = made->mutable_facts();
    facts->set_configuration(number);
    facts->set_planned_runs(spec.replicates);
    *facts->mutable_parameters() = NamedValues(spec.try_first[i]);
    const Scored* chosen = nullptr;
    if (i < labels.finalists.size()) {
      made->set_trial(labels.finalists[i]);
      const auto known = found.chosen.find(labels.finalists[i]);
      if (known != found.chosen.end()) chosen = &known->second;
    }
    if (chosen != nullptr) {
      facts->set_selected(chosen->row.score.metric);
      facts->set_selected_mean(chosen->row.score.mean_last);
    }
    const auto fresh = found.confirmed.find(number);
    if (fresh != found.confirmed.end()) AddConfirmed(spec, fresh->second, chosen, facts);
  }
}

// How many configurations of a sweep the test images have judged so far, about: those with a trial
// that has begun, and was not cancelled.
std::int64_t LooksOf(const SweepRow& sweep, const SweepSpec& spec) {
  const TrialCounts& counts = sweep.counts;
  const std::int64_t begun = counts.total() - counts.pending - counts.cancelled;
  const std::int64_t each = std::max(spec.FirstReplicates(), 1);
  // A race adds runs of configurations that were judged before.
  const std::int64_t added =
      PlannedTrialsOf(sweep, spec).known - sweep.planned_configurations * each;
  return (std::max<std::int64_t>(begun - added, 0) + each - 1) / each;
}

absl::Status AddLooks(const ViewContext& context, const Found& found,
                      documents::ConfirmationView* view) {
  view->set_confirmations(std::ssize(found.confirmations));
  const absl::StatusOr<StoredSpec> selection = context.options.specs->Show(*found.selection);
  if (!selection.ok()) return selection.status();
  if (selection->spec->HasOwnTrainer()) return absl::OkStatus();
  std::int64_t looks =
      selection->spec->holdout > 0 ? 0 : LooksOf(*found.selection, *selection->spec);
  view->set_selection_looks(looks);
  for (const SweepRow& sweep : found.confirmations) {
    const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(sweep);
    if (absl::IsNotFound(stored.status())) continue;  // deleted since it was read
    if (!stored.ok()) return stored.status();
    looks += LooksOf(sweep, *stored->spec);
  }
  view->set_test_looks(looks);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<documents::ConfirmationView> ConfirmationDocument(const ViewContext& context,
                                                                 const SweepRow& sweep,
                                                                 const SweepSpec& spec) {
  documents::ConfirmationView view;
  const std::optional<ConfirmationLabels> labels = ReadConfirmationLabels(sweep.labels);
  if (!labels) return view;
  const absl::StatusOr<Found> found = Read(context, sweep, spec, *labels);
  if (!found.ok()) return found.status();
  view.set_is_there(found->selection.has_value());
  view.set_selection(found->selection ? found->selection->name : labels->selection);
  AddFinalists(spec, *labels, *found, &view);
  if (found->selection) {
    if (absl::Status status = AddLooks(context, *found, &view); !status.ok()) return status;
  }
  return view;
}

}  // namespace sweep
