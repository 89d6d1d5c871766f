#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// Writes a sweep as a study of Optuna: the file of its JournalFileBackend, as Optuna 4.9 writes and
// reads it (optuna/storages/journal/_storage.py), one operation in JSON to a line. The study is
// written at once, trials as they come, so that any number of them costs the memory of one. `out`
// outlives the writer; whether it took everything is for the caller to check. Used by one thread.
//
// The study has the sweep's name and the directions of its metrics. Of a trial there are the
// parameters that it has (their distributions come from the search space, widened where a value
// lies outside), the metric after each epoch, its best value, its state and times in UTC. Values
// that are not finite are left out: JSON has no words for them. Of several metrics there are those
// of the epoch that the ranking takes, and none after each epoch: such studies have no intermediate
// values. Parameters of one value, which Optuna does not search, are an attribute of the study.
class OptunaJournal {
 public:
  OptunaJournal(const SweepSpec& spec, const v1::Sweep& sweep, std::ostream* out);
  // `epochs` are those that count, in order. Trials come in the order of their numbers, from 1 on;
  // Optuna counts from 0.
  void Write(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs);

 private:
  using Json = nlohmann::ordered_json;
  void WriteOperation(int code, Json fields);
  void AddParameters(const v1::Trial& trial, Json* record) const;
  void AddValues(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs, Json* record) const;

  const std::vector<Objective> objectives_;
  const std::vector<Parameter> parameters_;
  std::ostream* const out_;
};

}  // namespace sweep::cli
