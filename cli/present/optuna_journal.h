#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/present/listing.h"
#include "common/spec/sweep_spec.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// Writes a sweep as a study of Optuna: the file of its JournalFileBackend, as Optuna 4.9 writes and
// reads it (optuna/storages/journal/_storage.py), one operation in JSON per line. Writes the study
// at once and trials one at a time, so that memory holds one trial only. `out` must outlive the
// writer; the caller checks that it took everything. Used by one thread.
//
// The study has the sweep's name and the directions of its metrics. A trial has its parameters
// (with distributions from the search space, widened to include a value outside), the metric after
// each epoch, its best value, its state and times in UTC. Values that are not finite are omitted:
// JSON cannot express them. With several metrics, a trial has those of the epoch that the ranking
// uses and no intermediate values, which such studies do not support. Parameters with a single
// value, which Optuna does not search, are an attribute of the study.
class OptunaJournal {
 public:
  OptunaJournal(const SweepSpec& spec, const v1::Sweep& sweep, std::ostream* out);
  // `epochs` are the counted ones, in order. Trials must come in the order of their numbers, from
  // 1; Optuna counts from 0.
  void Write(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs);

 private:
  void WriteOperation(int code, Json fields);
  void AddParameters(const v1::Trial& trial, Json* record) const;
  void AddValues(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs, Json* record) const;

  const std::vector<Objective> objectives_;
  const std::vector<Parameter> parameters_;
  std::ostream* const out_;
};

}  // namespace sweep::cli
