#include "cli/present/answers.h"

#include "absl/strings/str_join.h"
#include "cli/present/cells.h"
#include "cli/present/copy_facts.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "common/stats/ranking.h"
#include "proto/documents/print_json.h"
#include "proto/documents/values.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

void AddInterval(const v1::Sweep& sweep, const v1::RankedConfiguration& row,
                 documents::RankingFacts* facts) {
  if (row.has_interval_low()) {
    facts->mutable_interval()->set_low(row.interval_low());
    facts->mutable_interval()->set_high(row.interval_high());
  }
  if (const auto mean = MeanInterval(ObjectiveOf(sweep), row.mean_last(), row.mean_half_width(),
                                     row.replicates())) {
    facts->mutable_mean_interval()->set_low(mean->low);
    facts->mutable_mean_interval()->set_high(mean->high);
  }
}

documents::WorkerRow::State WorkerState(const v1::Worker& worker) {
  if (!worker.connected()) return documents::WorkerRow::STATE_LOST;
  if (worker.draining()) return documents::WorkerRow::STATE_DRAINING;
  return worker.has_put_aside() ? documents::WorkerRow::STATE_PUT_ASIDE
                                : documents::WorkerRow::STATE_CONNECTED;
}

void AddSweep(const v1::Sweep& sweep, documents::SweepFacts* facts) {
  facts->set_name(ShortName(sweep.name()));
  if (const auto left = TimeLeft(sweep)) facts->set_seconds_left(absl::ToDoubleSeconds(*left));
}

}  // namespace

documents::ListedSweep ToListed(const v1::Sweep& sweep) {
  documents::ListedSweep made;
  CopyFacts(sweep, &made);
  AddSweep(sweep, made.mutable_facts());
  CopyFacts(sweep.counts(), &made);
  made.set_ended(EndedTrials(sweep.counts()));
  made.set_planned(sweep.planned_trials());
  if (sweep.best_trial().empty()) made.clear_best_trial();
  made.set_status(StatusText(sweep));
  return made;
}

documents::ShownSweep ToShown(const v1::Sweep& sweep) {
  documents::ShownSweep made;
  CopyFacts(sweep, &made);
  AddSweep(sweep, made.mutable_facts());
  documents::SweepDetails& details = *made.mutable_details();
  CopyFacts(sweep.counts(), details.mutable_trials());
  if (details.objectives().empty()) {  // a coordinator of an earlier version
    details.add_objectives()->set_name(sweep.metric());
    details.mutable_objectives(0)->set_maximize(sweep.maximize());
  }
  made.set_status(StatusText(sweep));
  return made;
}

documents::ListedTrial ToListed(const v1::Sweep& sweep, const v1::Trial& trial) {
  const Objective objective = ObjectiveOf(sweep);
  documents::ListedTrial made;
  made.set_trial(ShortName(trial.name()));
  documents::TrialFacts& facts = *made.mutable_facts();
  CopyFacts(trial, &facts);
  if (const auto best = BestOf(trial, objective)) facts.set_best(*best);
  if (const auto last = LastOf(trial, objective.name)) facts.set_last(*last);
  if (trial.attempt() > 0) {
    facts.set_attempt_seconds(absl::ToDoubleSeconds(cells::ToDuration(trial.attempt_duration())));
  }
  facts.set_worker(ShortName(trial.worker()));
  return made;
}

documents::DescribedTrial ToDescribed(const v1::Sweep& sweep, const v1::Trial& trial) {
  documents::DescribedTrial made;
  *made.mutable_listed() = ToListed(sweep, trial);
  CopyFacts(trial, made.mutable_details());
  // A program's own model is unknown.
  if (trial.network_parameters() == 0) made.mutable_details()->clear_fully_connected();
  return made;
}

documents::SavedTrial ToSaved(const v1::Sweep& sweep, const v1::Trial& trial,
                              const std::vector<v1::Epoch>& epochs, const std::string& spec_json) {
  documents::SavedTrial made;
  *made.mutable_described() = ToDescribed(sweep, trial);
  for (const v1::Epoch& epoch : epochs) *made.add_epoch_rows() = ToDocument(epoch);
  if (Json::accept(spec_json)) made.set_spec(spec_json);
  return made;
}

documents::RankedTrial ToRanked(const v1::Sweep& sweep, const v1::RankedConfiguration& row) {
  const v1::Trial& trial = row.trial();
  documents::RankedTrial made;
  CopyFacts(trial, made.mutable_facts());
  CopyFacts(row, &made);
  made.set_trial(ShortName(trial.name()));
  documents::RankingFacts& facts = *made.mutable_facts();
  if (const auto last = LastOf(trial, ObjectiveOf(sweep).name)) facts.set_last(*last);
  if (row.replicates() == 0) facts.clear_mean_last();
  if (row.replicates() < 2) facts.clear_mean_half_width();
  AddInterval(sweep, row, &facts);
  if (row.group() == 0) {
    facts.clear_group();
    facts.clear_group_size();
  }
  if (row.has_ended_runs()) {
    facts.set_qualifying_runs(row.qualifying_runs());  // 0 is a count here, and not unknown
    const Interval interval =
        QualifyingInterval({.ended = row.ended_runs(), .qualifying = row.qualifying_runs()});
    facts.mutable_qualifying_interval()->set_low(interval.low);
    facts.mutable_qualifying_interval()->set_high(interval.high);
  }
  return made;
}

documents::Attempt ToDocument(const v1::Attempt& attempt) {
  documents::Attempt made;
  CopyFacts(attempt, &made);
  made.set_worker(ShortName(attempt.worker()));
  if (attempt.outcome().empty()) made.set_outcome("running");
  return made;
}

documents::EpochRow ToDocument(const v1::Epoch& epoch) {
  documents::EpochRow made;
  CopyFacts(epoch, &made);
  *made.mutable_values() = NamedNumbers(FromProto(epoch).values);
  return made;
}

documents::WorkerRow ToDocument(const v1::Worker& worker) {
  documents::WorkerRow made;
  CopyFacts(worker, &made);
  made.set_worker(ShortName(worker.name()));
  made.set_state(WorkerState(worker));
  made.set_device(absl::StrJoin(worker.devices(), ", "));
  return made;
}

Json ToJson(const google::protobuf::Message& message) {
  return Json::parse(sweep::PrintJson(message, /*rounds=*/false));
}

}  // namespace sweep::cli
