#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/diagnostic.h"
#include "common/base/value.h"
#include "common/expr/expression.h"
#include "common/network/network_file.h"
#include "common/protocol/trial_spec.h"
#include "common/spec/early_terminate.h"
#include "common/spec/parameter.h"
#include "common/spec/pbt_settings.h"
#include "common/spec/replicate_race.h"
#include "common/spec/search_methods.h"
#include "common/spec/worker_requirements.h"
#include "common/trial/measures.h"

namespace sweep {

// The value that is compared with gates on measures: the best epoch, the last one, the mean of the
// replicates' last ones, or each of the last `gate_epochs`.
enum class GateOn { kBest, kLast, kMean, kLastK };

// A sweep file's declaration of a measure that its program reports.
struct DeclaredMeasure {
  std::string name;
  std::optional<bool> maximize;
  std::string unit;  // for people: "ms", "MB"; may be empty
  std::optional<double> min, max;
};

// A stored sweep keeps the meaning with which it was submitted:
//   1  ReadPlainScalarAsStored reads scalars; a program gets the built-in trainer's defaults;
//      `seed` is 1 by default
//   2  YAML 1.2's core schema reads scalars; a program gets only the file's values; `seed` is
//      derived from the name by default; slips that edition 1 took as text are refused
//   3  `method` is auto by default, and random before
//   4  auto and bayes take cmaes for numbers alone where gp would be too slow, and bayes takes no
//      model of the first of several metrics
//   5  no point is tried twice where only parameters under a condition have uncounted values, or a
//      range has few doubles (TriesNoPointTwice)
// Of every edition, searches that draw q_log_uniform_values between ends that are no multiples of
// q, and tpe with lists, go on with other points than builds before edition 3 would have; so do
// cmaes with more trials at once than a generation had, and in rare ties tpe, before edition 4.
inline constexpr int kSweepEdition = 5;

// The texts of a submitted sweep: the sweep file and, by their names in it, each network file that
// is not built in and each of `files`. The client sends this to the coordinator, which stores it.
struct SweepSource {
  std::string file;  // for messages
  std::string text;
  std::map<std::string, std::string> network_files;
  std::map<std::string, std::string> program_files;  // for a sweep with `program`
  int edition = kSweepEdition;                       // selects the rules for reading it
};

// One complete point of the search space: contains every hyperparameter that the trainer needs.
struct Configuration {
  std::int64_t number = 0;  // 1-based within its sweep
  ParameterMap parameters;  // chosen by the search; shown to the user
  // With recipe and defaults, as the trainer gets them. A program gets only the values of its sweep
  // file, `epochs`, and those that the layers of its network refer to.
  ParameterMap resolved;
  Network network;  // without layers when the sweep has no model
};

// Returns true once nobody waits for the result of long work.
using IsCancelled = std::function<bool()>;

// A parsed and validated sweep file. Immutable.
struct SweepSpec {
  int edition = kSweepEdition;
  std::string name;
  std::string description;
  // Names as written; several when the sweep varies the model; none for a `program` without a
  // network.
  std::vector<std::string> models;
  std::map<std::string, NetworkFile> networks;  // by those names
  std::string recipe = "seed";
  bool recipe_is_written = false;
  DatasetSpec dataset;
  const SearchMethod* method = FindSearchMethod("random");  // never null
  std::string method_reason;  // why this one, when the file leaves the choice; else ""
  PbtSettings pbt;            // of method pbt
  // At least one. With several, configurations that no other dominates rank first.
  std::vector<Objective> objectives = {Objective{}};
  std::vector<DeclaredMeasure> measures;  // declared for a program
  std::vector<Parameter> parameters;  // in the file's order; with several models, "model" is first
  int epochs = 19;
  bool epochs_by_recipe = false;  // the file sets none: each network's recipe overrides `epochs`
  int holdout = 0;  // training images kept for evaluation; 0 evaluates on the test set
  std::vector<Gate> require;
  GateOn gate_on = GateOn::kBest;
  int gate_epochs = 1;  // for GateOn::kLastK
  // With GateOn::kMean, gates on measures are held against the end of the one-sided interval of the
  // mean at this confidence that is the worse one; 0: against the mean.
  double confidence = 0;
  std::optional<EarlyTerminate> early_terminate;
  std::optional<StopWhen> stop_when;
  std::vector<Expression> constraints;
  // Points that are tried first, complete, each with the parameters that exist there. They satisfy
  // the constraints, and no two are the same without `repeat_points`.
  std::vector<ParameterMap> try_first;
  // Earlier sweeps of the same coordinator whose results the search knows from the start.
  std::vector<std::string> warm_start;
  std::int64_t run_cap = 0;  // configurations; 0: all of a grid
  // The search may try a point again. Each configuration then has seeds of its own, since a second
  // training with the same seed would only repeat the first.
  bool repeat_points = false;
  // Distinct points that satisfy the constraints, when the space is finite and small enough to be
  // counted (always so for a grid).
  std::optional<std::int64_t> points;
  int replicates = 1;  // of a configuration; with `race` the most that it can get
  std::optional<ReplicateRace> race;
  std::uint64_t seed = 1;
  int max_failures = 3;                    // failed attempts before a trial is failed
  WorkerRequirements requires_of_workers;  // not part of the digest
  std::int64_t priority = 0;               // trials of the highest go first; not part of the digest
  double share = 1;                        // of the slots of its user; not part of the digest
  bool keep_going = false;  // do not pause when the first trials fail alike; not part of the digest
  // The command of the sweep's own trainer; empty for the workers' trainer.
  std::vector<std::string> program;
  // No worker trains the sweep: programs with their own loop ask for its trials.
  bool trained_by_callers = false;
  // SHA-256 of the names and texts of `files`; "" without files.
  std::string program_digest;
  std::map<std::string, std::string> labels;
  // SHA-256 of what the sweep trains and how it is judged. Ignores comments, spacing, the order of
  // keys, name, description and labels.
  std::string digest;
  // The digest that earlier builds wrote for the same content; "" when none could have read it.
  std::string earlier_digest;

  // True when a sweep stored with this digest is the same one.
  bool IsStoredAs(std::string_view stored) const {
    return stored == digest || (!earlier_digest.empty() && stored == earlier_digest);
  }

  // Parses and validates. Adds every error to `diagnostics` and then returns InvalidArgument. A
  // large search space takes seconds: `is_cancelled`, if set, is asked now and then, and true ends
  // the call with Cancelled. A good file may have warnings. Never throws.
  static absl::StatusOr<SweepSpec> Parse(const SweepSource& source, Diagnostics* diagnostics,
                                         const IsCancelled& is_cancelled = {});

  // As Parse, for a sweep that was stored with `digest`: uses the newest edition that gives this
  // digest. The spec keeps the stored digest.
  static absl::StatusOr<SweepSpec> ParseStored(SweepSource source, std::string_view digest,
                                               Diagnostics* diagnostics);

  // Completes a point of the search space: applies `when`, recipe and defaults, builds the network.
  // `chosen` overrides the network's recipe, which overrides the defaults of the network file and
  // then the built-in ones. InvalidArgument when a name is no parameter of the sweep, a value is
  // out of range or the network does not fit.
  absl::StatusOr<Configuration> Complete(std::int64_t number, const ParameterMap& chosen) const;

  // As Complete, but nullopt for a point that some constraint excludes. A point that constraints on
  // hyperparameters alone exclude need not fit. InvalidArgument when no constraint excludes the
  // point and one cannot be evaluated at it. For many points use PointCompleter.
  absl::StatusOr<std::optional<Configuration>> CompleteIfAllowed(std::int64_t number,
                                                                 const ParameterMap& chosen) const;

  // The first objective, which compares single trials.
  const Objective& objective() const { return objectives.front(); }
  // The objectives, then the goals that `measures` declares for others.
  std::vector<Objective> Goals() const;
  // The names of the measures in objectives and gates, canonical, each once.
  std::vector<std::string> JudgedMeasures() const;

  // Who trains it, as the file says it.
  std::string_view TrainedBy() const { return trained_by_callers ? "callers" : "workers"; }
  // True when the workers' trainer does not train the sweep: hyperparameters and measures have the
  // names that its own program or its callers know.
  bool HasOwnTrainer() const { return trained_by_callers || !program.empty(); }
  // True when the program's own defaults apply to hyperparameters that no file mentions.
  bool LeavesDefaultsToProgram() const { return HasOwnTrainer() && edition >= 2; }

  // The trainer's spec for replicate `replicate` (0-based), without the trial's name. The seed
  // depends only on the sweep's seed and the replicate, so that configurations are compared with
  // the same seeds, and with `repeat_points` also on the configuration's number; it is below 2^63.
  TrialSpec MakeTrialSpec(const Configuration& configuration, int replicate) const;

  // The runs that every configuration gets.
  int FirstReplicates() const { return race ? race->min : replicates; }
  // The trials of a run of so many configurations, as far as they are certain, and at most.
  std::int64_t FirstTrials(std::int64_t configurations) const {
    return configurations * FirstReplicates();
  }
  std::int64_t MostTrials(std::int64_t configurations) const {
    return FirstTrials(configurations) + (race ? race->MostExtra(configurations, replicates) : 0);
  }

  // True when its configurations are segments of the members of a population.
  bool HasPopulation() const { return method->has_population; }
  // Number of configurations of a full run: run_cap, or fewer when the space has fewer distinct
  // points and none is to be tried twice, or a population has fewer segments.
  std::int64_t PlannedConfigurations() const;
};

// `replicates` as a file says it: "5", "{min: 1, max: 10}".
std::string ReplicatesText(const SweepSpec& spec);

// Looks up a name of `constraints` and `--where` for a configuration: its hyperparameters, also
// with kParametersPrefix, "model", and the facts of its network, if it has one: "parameters",
// "fully_connected", "train_mflop", "forward_mflop", "receptive_field", "layers".
std::optional<Value> LookUpConfiguration(const Configuration& configuration, std::string_view name);

// Resolves a data set's relative folder against the sweep file, as for networks and programs'
// files, if `file` is an absolute path. Otherwise the folder is relative to each worker.
void PlaceDataset(std::string_view file, SweepSpec* spec);

// "accuracy >= 0.994", or "accuracy >= 0.994 at 95 % confidence".
std::string GateText(const SweepSpec& spec, const Gate& gate);

// True for a gate on a reported measure, false for one on the number of epochs or a fact of the
// network.
bool IsMeasureGate(const Gate& gate);

// The names of the network facts.
const std::vector<std::string>& NetworkFactNames();

// Number of images that measure accuracy; 0 when the file does not tell (IDX data sets, programs).
std::int64_t EvaluationImages(const SweepSpec& spec);

// Reads FILE and every network file and program file that it names (relative to FILE). Diagnostics
// as for Parse.
absl::StatusOr<SweepSource> LoadSweepSource(const std::string& path, Diagnostics* diagnostics);

}  // namespace sweep
