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
#include "common/spec/parameter.h"
#include "common/spec/search_methods.h"
#include "common/trial/measures.h"

namespace sweep {

// What is held against the gates on measures: the best epoch, the last one, the mean of the
// replicates' last ones, or each of the last `gate_epochs`.
enum class GateOn { kBest, kLast, kMean, kLastK };

// What a sweep file says of a measure that its program reports.
struct DeclaredMeasure {
  std::string name;
  std::optional<bool> maximize;
  std::string unit;  // for people: "ms", "MB"; may be empty
  std::optional<double> min, max;
};

// A stored sweep keeps the meaning with which it was submitted:
//   1  scalars as ReadPlainScalarAsStored reads them; a program gets the defaults of the built-in
//      trainer; without `seed` it is 1
//   2  scalars by YAML 1.2's core schema; a program gets what its file says; without `seed` it is
//      drawn from the name; slips that edition 1 took as text are refused
inline constexpr int kSweepEdition = 2;

// The texts of a submitted sweep: the sweep file and, by the name used in it, each network file
// that is not built in and each of `files`. This is what travels to the coordinator and is stored
// there.
struct SweepSource {
  std::string file;  // for messages
  std::string text;
  std::map<std::string, std::string> network_files;
  std::map<std::string, std::string> program_files;  // of a sweep with `program`
  int edition = kSweepEdition;                       // by which it is read
};

// One point of the search space, complete: every hyperparameter that the trainer needs is in it.
struct Configuration {
  std::int64_t number = 0;  // 1-based within its sweep
  ParameterMap parameters;  // what the search chose; what the user sees
  // With recipe and defaults: what the trainer gets. A program gets only what its sweep file says,
  // `epochs`, and what the layers of its network refer to.
  ParameterMap resolved;
  Network network;  // without layers when the sweep has no model
};

// When a trial is stopped early, see docs/stopping.md.
struct EarlyTerminate {
  std::string type;    // "median"
  int min_epochs = 3;  // no trial is judged before
  int min_trials = 4;  // nor at an epoch that fewer others have reached

  // In words: "the median rule, from epoch 3 on and against at least 4 others".
  std::string ToString() const;
};

// Whether nobody wants the result of long work any more.
using IsCancelled = std::function<bool()>;

// A parsed and validated sweep file. Immutable.
struct SweepSpec {
  int edition = kSweepEdition;
  std::string name;
  std::string description;
  // Names as written; more than one when swept over; none for a `program` that needs no network.
  std::vector<std::string> models;
  std::map<std::string, NetworkFile> networks;  // by those names
  std::string recipe = "seed";
  bool recipe_is_written = false;
  DatasetSpec dataset;
  const SearchMethod* method = DefaultSearchMethod();  // never null
  // At least one. Of several, those that no other beats in all of them rank first.
  std::vector<Objective> objectives = {Objective{}};
  std::vector<DeclaredMeasure> measures;  // of a program
  std::vector<Parameter> parameters;  // in the file's order; with several models, "model" is first
  int epochs = 19;
  bool epochs_by_recipe = false;  // the file is silent: each network's recipe overrules `epochs`
  int holdout = 0;  // training images kept for evaluation; 0 evaluates on the test set
  std::vector<Gate> require;
  GateOn gate_on = GateOn::kBest;
  int gate_epochs = 1;  // of GateOn::kLastK
  std::optional<EarlyTerminate> early_terminate;
  std::vector<Expression> constraints;
  std::int64_t run_cap = 0;  // configurations; 0: all of a grid
  // Distinct points that satisfy the constraints, when the space is finite and small enough to be
  // counted (always so for a grid).
  std::optional<std::int64_t> points;
  int replicates = 1;
  std::uint64_t seed = 1;
  int max_failures = 3;     // failed attempts before a trial is failed
  bool keep_going = false;  // not paused when the first trials fail alike; not part of the digest
  // The command of the sweep's own trainer; empty: the workers' trainer.
  std::vector<std::string> program;
  // SHA-256 of the names and texts of `files`; "" when there are none.
  std::string program_digest;
  std::map<std::string, std::string> labels;
  // SHA-256 of what the sweep trains and how it is judged. Comments, spacing, the order of keys,
  // name, description and labels do not count.
  std::string digest;
  // What earlier builds wrote for the same content; "" when none could have read it.
  std::string earlier_digest;

  // Whether a sweep that was stored with this digest is the same one.
  bool IsStoredAs(std::string_view stored) const {
    return stored == digest || (!earlier_digest.empty() && stored == earlier_digest);
  }

  // Parses and validates. Reports every error into `diagnostics` and returns InvalidArgument then.
  // A large search space takes seconds: `is_cancelled`, if there is one, is asked now and then, and
  // Cancelled is the answer when it says so. A good file may have
  // warnings. Never throws.
  static absl::StatusOr<SweepSpec> Parse(const SweepSource& source, Diagnostics* diagnostics,
                                         const IsCancelled& is_cancelled = {});

  // As Parse, of a sweep that was stored with `digest`, which tells the edition: the newest that
  // gives this digest counts. The spec keeps the digest under which it is stored.
  static absl::StatusOr<SweepSpec> ParseStored(SweepSource source, std::string_view digest,
                                               Diagnostics* diagnostics);

  // Completes a point of the search space: applies `when`, recipe and defaults, builds the network.
  // What `chosen` says counts most, then the network's recipe, the defaults of the network file,
  // and the built-in ones. InvalidArgument when a name is none of the sweep's parameters, a value
  // is out of range or the network does not fit.
  absl::StatusOr<Configuration> Complete(std::int64_t number, const ParameterMap& chosen) const;

  // As Complete, but nullopt for a point that some constraint excludes. What they exclude by
  // hyperparameters alone need not fit. InvalidArgument for one that none excludes and that some
  // constraint cannot be evaluated at. For many points: PointCompleter.
  absl::StatusOr<std::optional<Configuration>> CompleteIfAllowed(std::int64_t number,
                                                                 const ParameterMap& chosen) const;

  // The first one, by which single trials are compared.
  const Objective& objective() const { return objectives.front(); }
  // Objectives, and what `measures` says of the goals of others.
  std::vector<Objective> Goals() const;
  // The names of the measures that objectives and gates ask for, canonical, each once.
  std::vector<std::string> JudgedMeasures() const;

  // Whether a hyperparameter that no file mentions is left to the program's own defaults.
  bool LeavesDefaultsToProgram() const { return !program.empty() && edition >= 2; }

  // What the trainer gets for replicate `replicate` (0-based), without the trial's name. The seed
  // is a function of the sweep's seed and the replicate alone, so that configurations are compared
  // with the same seeds; it is below 2^63.
  TrialSpec MakeTrialSpec(const Configuration& configuration, int replicate) const;

  // Configurations a full run makes: run_cap, or fewer when the space has fewer distinct points.
  std::int64_t PlannedConfigurations() const;
};

// Names usable in `constraints` and `--where` for a configuration: its hyperparameters, also with
// kParametersPrefix, "model",
// and the facts of its network, if it has one: "parameters", "fully_connected", "train_mflop",
// "forward_mflop", "receptive_field", "layers".
std::optional<Value> LookUpConfiguration(const Configuration& configuration, std::string_view name);

// A relative folder of a data set lies beside the sweep file, as networks and files of programs do,
// if `file` is an absolute path. Elsewhere it is one of each worker.
void PlaceDataset(std::string_view file, SweepSpec* spec);

// Whether a gate of that name is held against a number that epochs report, rather than against the
// number of epochs or a fact of the network.
bool IsMeasureGate(const Gate& gate);

// The names of those facts.
const std::vector<std::string>& NetworkFactNames();

// Images that accuracy is measured on; 0 when that is not known from the file (IDX data sets,
// programs).
std::int64_t EvaluationImages(const SweepSpec& spec);

// Reads FILE, every network file and every program file that it names (relative to FILE).
// Diagnostics as Parse.
absl::StatusOr<SweepSource> LoadSweepSource(const std::string& path, Diagnostics* diagnostics);

}  // namespace sweep
