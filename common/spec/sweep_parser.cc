#include "common/spec/sweep_parser.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/nearest.h"
#include "common/base/sha256.h"
#include "common/protocol/uploaded_data.h"
#include "common/spec/criteria_parser.h"
#include "common/spec/dimensions.h"
#include "common/spec/foreign_file.h"
#include "common/spec/method_choice.h"
#include "common/spec/models_parser.h"
#include "common/spec/other_words.h"
#include "common/spec/parameters_parser.h"
#include "common/spec/pbt_parser.h"
#include "common/spec/program_parser.h"
#include "common/spec/replicates_parser.h"
#include "common/spec/requirements_parser.h"
#include "common/spec/stopping_parser.h"
#include "common/spec/sweep_checks.h"
#include "common/spec/sweep_digest.h"
#include "common/spec/sweep_document.h"
#include "common/spec/sweep_file.h"
#include "common/spec/try_first_parser.h"
#include "common/yaml/shown.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

constexpr std::int64_t kMaxRunCap = 1'000'000;
constexpr std::int64_t kMnistTrainSize = 60'000;
constexpr std::int64_t kMnistTestSize = 10'000;
constexpr std::int64_t kMaxImages = 1'000'000;
constexpr int kSyntheticTrainSize = 4096;
constexpr int kSyntheticTestSize = 1000;
constexpr std::size_t kMaxTextLength = 4096;
constexpr std::int64_t kMaxPriority = 1000;
constexpr double kMaxShare = 1000;
constexpr std::size_t kMaxWarmStarts = 16;

const std::vector<std::string>& TopLevelKeys() {
  static const auto& keys =
      *new std::vector<std::string>{"name",          "description", "labels",     "model",
                                    "recipe",        "program",     "files",      "trained_by",
                                    "dataset",       "method",      "metric",     "parameters",
                                    "constraints",   "try_first",   "warm_start", "epochs",
                                    "evaluate",      "require",     "gate_on",    "run_cap",
                                    "repeat_points", "replicates",  "seed",       "max_failures",
                                    "keep_going",    "measures",    "k",          "early_terminate",
                                    "stop_when",     "pbt",         "requires",   "priority",
                                    "share"};
  return keys;
}

// Parses one sweep file; one object per file.
class SweepParser {
 public:
  SweepParser(const SweepSource& source, const ReportedFiles& reported, Diagnostics* diagnostics,
              const IsCancelled& is_cancelled, const SweepDocument* document)
      : source_(source),
        document_(document),
        reported_(reported),
        diagnostics_(diagnostics),
        is_cancelled_(is_cancelled),
        reader_(source.file, diagnostics,
                source.edition < 2 ? ScalarRules::kAsStored : ScalarRules::kCoreSchema) {
    spec_.edition = source.edition;
  }

  void Run() {
    const std::optional<YAML::Node> document = Load();
    if (!document || !document->IsMap()) {
      const std::string foreign = DescribeForeignText(source_.text);
      if (!foreign.empty()) {
        diagnostics_->clear();  // the YAML reader's errors
        return reader_.Error(1, absl::StrCat("this looks like ", foreign));
      }
    }
    if (!document) return;
    std::vector<std::string> known = TopLevelKeys();
    if (const auto foreign = FindForeignFile(*document)) {
      reader_.Error(LineOf(*document), foreign->message);
      if (!foreign->shares_keys) return;
      known.insert(known.end(), foreign->keys.begin(), foreign->keys.end());
    }
    keys_ = reader_.Keys(*document, LineOf(*document), "the sweep file", known, {}, MeantKeys());
    if (!document->IsMap()) return;
    ReadIdentity();
    ReadProgram();
    ReadRequirements();
    ReadPlaceInQueue();
    ReadModels();
    ReadDataset();
    ReadEvaluate();
    ReadMethod();
    ParseCriteria({.keys = keys_, .has_network = HasModel(), .has_program = HasOwnTrainer()},
                  &reader_, &spec_);
    ReadNumbers();
    ReadEarlyTerminate();
    ReadStopWhen();
    ReadParameters();
    ReadEpochs();
    CheckEarlyTerminate();
    ReadPbt();
    ReadConstraints();
    ReadTryFirst();
    ReadWarmStart();
    Check();
  }

  SweepSpec TakeSpec() { return std::move(spec_); }

 private:
  std::optional<YAML::Node> Load() {
    if (document_ == nullptr) return reader_.Load(source_.text);
    const Diagnostics& complaints = document_->complaints();
    diagnostics_->insert(diagnostics_->end(), complaints.begin(), complaints.end());
    return document_->root();
  }

  // nullptr when the file has no such key.
  const YamlEntry* Find(const std::string& key) const {
    const auto it = keys_.find(key);
    return it == keys_.end() ? nullptr : &it->second;
  }

  // The line for errors about a key that may be missing; 0 then.
  int LineOfKey(const std::string& key) const {
    const YamlEntry* entry = Find(key);
    return entry == nullptr ? 0 : entry->line;
  }

  void ReadIdentity() {
    if (const YamlEntry* entry = Find("name")) {
      const std::optional<std::string> name = reader_.Text(*entry);
      if (name && !IsValidName(*name)) {
        reader_.Error(entry->line,
                      absl::StrCat("'name' is ", Shown(*name),
                                   "; it must be 1 to 63 letters, digits, '.', '_' or '-', "
                                   "starting with a letter or digit"));
      } else if (name) {
        spec_.name = *name;
      }
    } else if (!MisspeltKey("name")) {
      reader_.Error(0, "'name' is missing: the sweep's name, such as name: my-sweep");
    }
    if (const YamlEntry* entry = Find("description")) ReadDescription(*entry);
    if (const YamlEntry* entry = Find("labels")) ReadLabels(*entry);
  }

  // True when a misspelling of `key` was reported, so it is not reported as missing.
  bool MisspeltKey(const std::string& key) const {
    return std::any_of(diagnostics_->begin(), diagnostics_->end(), [&](const Diagnostic& d) {
      return d.message.find(absl::StrCat("did you mean '", key, "'?")) != std::string::npos ||
             d.message == absl::StrCat("'", key, "' has no value");
    });
  }

  void ReadDescription(const YamlEntry& entry) {
    const std::optional<std::string> text = reader_.Text(entry);
    if (text && text->size() > kMaxTextLength) {
      reader_.Error(entry.line, absl::StrCat("'description' has ", text->size(),
                                             " bytes; the limit is ", kMaxTextLength));
    } else if (text) {
      spec_.description = *text;
    }
  }

  void ReadLabels(const YamlEntry& entry) {
    const std::vector<YamlEntry> labels = reader_.Entries(entry.value, entry.line, "'labels'");
    if (labels.size() > kMaxListed) {
      reader_.Error(entry.line, absl::StrCat("'labels' has ", labels.size(),
                                             " entries; the limit is ", kMaxListed));
    }
    for (const YamlEntry& label : labels) {
      const std::optional<std::string> text = reader_.Text(label);
      if (!text) continue;
      if (!IsValidName(label.key) || text->size() > 256) {
        reader_.Error(label.line, absl::StrCat("label ", Shown(label.key),
                                               " must be a name of letters, digits, '.', '_' and "
                                               "'-' with a text of at most 256 bytes"));
      }
      spec_.labels[label.key] = *text;
    }
  }

  void ReadProgram() {
    ReadCommandAndFiles();
    // A program with an error still is a program, which decides on its own parameters.
    if (Find("program") != nullptr && spec_.program.empty()) spec_.program = {"unknown"};
    ReadTrainedBy();
  }

  void ReadRequirements() {
    const YamlEntry* entry = Find("requires");
    if (entry == nullptr) return;
    spec_.requires_of_workers = ParseWorkerRequirements(*entry, &reader_);
    if (spec_.trained_by_callers) {
      reader_.Error(entry->line,
                    "'requires' says what a worker must have, and no worker trains a sweep with "
                    "trained_by: callers");
    }
  }

  // How the sweep stands among others that want the same workers.
  void ReadPlaceInQueue() {
    if (const YamlEntry* const entry = Find("priority")) {
      spec_.priority = reader_.Int(*entry, -kMaxPriority, kMaxPriority).value_or(0);
    }
    if (const YamlEntry* const entry = Find("share")) {
      const double share = reader_.Number(*entry).value_or(1);
      if (share >= 1 / kMaxShare && share <= kMaxShare) {
        spec_.share = share;
      } else {
        reader_.Error(entry->line, absl::StrCat("share is ", FormatDouble(share),
                                                "; it must lie in [", FormatDouble(1 / kMaxShare),
                                                ", ", FormatDouble(kMaxShare), "]"));
      }
    }
    for (const char* const key : {"priority", "share"}) {
      if (!spec_.trained_by_callers || Find(key) == nullptr) continue;
      reader_.Error(LineOfKey(key),
                    absl::StrCat("'", key,
                                 "' says which workers' slots the sweep gets, and no "
                                 "worker trains a sweep with trained_by: callers"));
    }
  }

  void ReadTrainedBy() {
    const YamlEntry* entry = Find("trained_by");
    if (entry == nullptr) return;
    const std::optional<std::string> word = reader_.Word(*entry, {"workers", "callers"});
    spec_.trained_by_callers = word == "callers";
    if (spec_.trained_by_callers && Find("program") != nullptr) {
      reader_.Error(entry->line,
                    "'trained_by: callers' does not go with 'program': no worker trains the sweep, "
                    "the programs that train it ask for its trials (sweep ask)");
    }
  }

  void ReadCommandAndFiles() {
    const YamlEntry* program = Find("program");
    if (program != nullptr) spec_.program = ParseProgram(*program, &reader_);
    const YamlEntry* files = Find("files");
    if (files == nullptr) {
      if (program != nullptr) CheckProgram(*program, spec_.program, nullptr, &reader_);
      return;
    }
    if (program == nullptr && !MisspeltKey("program")) {
      reader_.Error(files->line, "'files' goes with 'program', the command that uses them");
    }
    const std::size_t errors = reader_.error_count();
    const std::vector<ProgramFileName> names = ParseProgramFileNames(*files, &reader_);
    const ProgramFiles taken =
        TakeProgramFiles(source_, names, reported_.program, files->line, &reader_);
    spec_.program_digest = ProgramDigest(taken);
    if (program != nullptr && reader_.error_count() == errors && reported_.program.empty()) {
      CheckProgram(*program, spec_.program, &taken, &reader_);
    }
  }

  // True also when the value of 'program' has an error.
  bool HasOwnTrainer() const { return spec_.trained_by_callers || Find("program") != nullptr; }

  void ReadModels() {
    const YamlEntry* entry = Find("model");
    if (entry == nullptr) {
      if (HasOwnTrainer()) {
        if (const YamlEntry* recipe = Find("recipe")) {
          reader_.Error(recipe->line, "'recipe' goes with 'model', whose recipe it names");
        }
      } else if (!MisspeltKey("model") && !MisspeltKey("program") && !MisspeltKey("trained_by")) {
        reader_.Error(
            0, absl::StrCat("'model' is missing: a built-in network (",
                            absl::StrJoin(BuiltinNetworkNames(), ", "), ") or a network file"));
      }
      return;
    }
    spec_.models = ParseModels(*entry, &reader_);
    ParseNetworks(source_, reported_.networks, entry->line, &reader_, diagnostics_, &spec_);
    ReadRecipe();
  }

  void ReadRecipe() {
    const YamlEntry* entry = Find("recipe");
    if (entry == nullptr) return;
    const std::optional<std::string> recipe = reader_.Text(*entry);
    if (!recipe) return;
    spec_.recipe = *recipe;
    spec_.recipe_is_written = true;
    for (const auto& [model, network] : spec_.networks) {
      if (network.FindRecipe(*recipe) != nullptr) continue;
      std::vector<std::string> names;
      for (const Recipe& known : network.recipes()) names.push_back(known.name);
      reader_.Error(entry->line,
                    absl::StrCat("network ", Shown(model), " has no recipe ", Shown(*recipe),
                                 DidYouMean(*recipe, names), " (it has ",
                                 names.empty() ? "none" : absl::StrJoin(names, ", "), ")"));
    }
  }

  void ReadDataset() {
    const std::size_t errors = reader_.error_count();
    ReadDatasetKey();
    dataset_is_known_ = reader_.error_count() == errors;
  }

  void ReadDatasetKey() {
    const YamlEntry* entry = Find("dataset");
    if (entry == nullptr) {
      if (HasOwnTrainer()) spec_.dataset.name = "none";
      return;
    }
    if (!entry->value.IsMap()) {
      std::vector<std::string> names = {"mnist", "synthetic"};
      if (HasOwnTrainer()) names.push_back("none");
      if (const auto name = DatasetName(*entry, names)) spec_.dataset.name = *name;
    } else {
      ReadDatasetMapping(*entry);
    }
    if (spec_.dataset.name != "synthetic") return;
    if (spec_.dataset.train_size == 0) spec_.dataset.train_size = kSyntheticTrainSize;
    if (spec_.dataset.test_size == 0) spec_.dataset.test_size = kSyntheticTestSize;
  }

  std::optional<std::string> DatasetName(const YamlEntry& entry,
                                         const std::vector<std::string>& names) {
    const std::string hint = entry.value.IsScalar() ? DatasetHint(entry.value.Scalar()) : "";
    if (hint.empty()) return reader_.Word(entry, names);
    reader_.Error(entry.line,
                  absl::StrCat("'", entry.key, "' must be one of ", absl::StrJoin(names, ", "),
                               ", not ", Shown(entry.value.Scalar()), hint));
    return std::nullopt;
  }

  void ReadDatasetMapping(const YamlEntry& entry) {
    const auto keys = reader_.Keys(entry.value, entry.line, "'dataset'",
                                   {"name", "format", "path", "train", "test"});
    DatasetSpec& dataset = spec_.dataset;
    const auto name = keys.find("name");
    const auto format = keys.find("format");
    const auto path = keys.find("path");
    if ((name == keys.end()) == (format == keys.end())) {
      reader_.Error(entry.line, "'dataset' needs either 'name' (mnist, synthetic) or format: idx");
      return;
    }
    if (format != keys.end()) {
      dataset.name = "idx";
      reader_.Word(format->second, {"idx"});
      const auto folder = path == keys.end() ? std::nullopt : reader_.Text(path->second);
      if (folder) dataset.path = *folder;
      if (dataset.path.empty() && (folder || path == keys.end())) {
        reader_.Error(entry.line,
                      "'dataset' with format: idx needs 'path', the folder of its files");
      }
      if (IsUploaded(dataset) && !IsSha256Hex(ManifestOf(dataset))) {
        reader_.Error(path->second.line,
                      absl::StrCat("'path' ", Shown(dataset.path),
                                   " is neither a folder nor uploaded data: sha256: and 64 digits "
                                   "of 0-9a-f (a folder of this name is ./",
                                   dataset.path, ")"));
      }
    } else {
      if (const auto word = DatasetName(name->second, {"mnist", "synthetic"})) dataset.name = *word;
      if (path != keys.end()) {
        reader_.Error(path->second.line, "'path' goes with format: idx only");
      }
    }
    const bool mnist = dataset.name == "mnist";
    const auto size = [&](const char* key, std::int64_t max, int* out) {
      const auto it = keys.find(key);
      if (it == keys.end()) return;
      const auto count = reader_.Int(it->second, 1, mnist ? max : kMaxImages);
      if (count) *out = static_cast<int>(*count);
    };
    size("train", kMnistTrainSize, &dataset.train_size);
    size("test", kMnistTestSize, &dataset.test_size);
  }

  // Number of training images as far as the file says.
  std::int64_t TrainSize() const {
    if (!dataset_is_known_) return kMaxImages;
    if (spec_.dataset.train_size > 0) return spec_.dataset.train_size;
    return spec_.dataset.name == "mnist" ? kMnistTrainSize : kMaxImages;
  }

  void ReadEvaluate() {
    const YamlEntry* entry = Find("evaluate");
    if (entry == nullptr) return;
    if (!entry->value.IsMap()) {
      if (!entry->value.IsScalar() || entry->value.Scalar() != "test") {
        reader_.Error(entry->line, "'evaluate' is test or {holdout: N}");
      }
      return;
    }
    const auto keys = reader_.Keys(entry->value, entry->line, "'evaluate'", {"holdout"});
    const auto holdout = keys.find("holdout");
    if (holdout == keys.end()) {
      reader_.Error(entry->line, "'evaluate' is test or {holdout: N}");
    } else if (const auto count = reader_.Int(holdout->second, 1, TrainSize() - 1)) {
      spec_.holdout = static_cast<int>(*count);
    }
  }

  void ReadMethod() {
    const YamlEntry* entry = Find("method");
    if (entry == nullptr) {
      if (spec_.edition >= 3 && !MisspeltKey("method")) LeaveMethodOpen(OpenMethods().front().word);
      return;
    }
    const std::optional<std::string> method = reader_.Text(*entry);
    if (!method) return;
    method_is_known_ = false;
    if (const auto word = reader_.Word(*entry, MethodWords())) {
      if (IsOpenMethod(*word)) {
        LeaveMethodOpen(*word);
      } else {
        spec_.method = FindSearchMethod(*word);
        method_word_ = *word;
      }
      method_is_known_ = true;
    }
  }

  // Check chooses the method. Until then it is one that takes any space.
  void LeaveMethodOpen(std::string_view word) {
    method_word_ = word;
    spec_.method = FindSearchMethod("tpe");
  }

  // True also when its value has an error, or the key is misspelt.
  bool HasModel() const { return Find("model") != nullptr || !HasOwnTrainer(); }

  void ReadNumbers() {
    const auto read = [&](const char* key, std::int64_t min, std::int64_t max, auto* out) {
      const YamlEntry* entry = Find(key);
      if (entry == nullptr) return;
      const auto value = reader_.Int(*entry, min, max);
      if (value) *out = static_cast<std::remove_pointer_t<decltype(out)>>(*value);
    };
    read("run_cap", 1, kMaxRunCap, &spec_.run_cap);
    ReadReplicates();
    if (spec_.confidence > 0 && spec_.replicates == 1) {
      reader_.Warning(LineOfKey("require"),
                      "no configuration can meet the criteria: 'confidence' needs the spread of "
                      "several trainings; write replicates: 5, or more");
    }
    read("seed", 0, std::numeric_limits<std::int64_t>::max(), &spec_.seed);
    if (Find("seed") == nullptr && spec_.edition >= 2) spec_.seed = SeedOfName(spec_.name);
    read("max_failures", 1, 100, &spec_.max_failures);
    ReadFlag("keep_going", &spec_.keep_going);
    ReadRepeatPoints();
    if (spec_.method->needs_run_cap && method_is_known_ && Find("run_cap") == nullptr &&
        !MisspeltKey("run_cap")) {
      reader_.Error(LineOfKey("method"),
                    absl::StrCat("method ", method_word_,
                                 " needs 'run_cap': how many configurations to try"));
    }
  }

  void ReadFlag(const char* key, bool* flag) {
    const YamlEntry* entry = Find(key);
    if (entry == nullptr) return;
    const std::optional<Value> value = reader_.Scalar(*entry);
    if (!value) return;
    if (const bool* const given = std::get_if<bool>(&*value)) {
      *flag = *given;
    } else {
      reader_.Error(entry->line,
                    absl::StrCat("'", key, "' must be true or false, not ", Shown(*value)));
    }
  }

  void ReadRepeatPoints() {
    ReadFlag("repeat_points", &spec_.repeat_points);
    if (!spec_.repeat_points || !method_is_known_) return;
    if (!spec_.method->finite && !spec_.HasPopulation()) return;
    reader_.Error(LineOfKey("repeat_points"),
                  absl::StrCat("'repeat_points' does not go with method ", method_word_, ": ",
                               spec_.method->finite
                                   ? "a grid tries every point once; for several trainings of each "
                                     "write replicates: 3"
                                   : "whether a segment has the values of another one follows from "
                                     "who copies whom"));
  }

  void ReadReplicates() {
    const YamlEntry* entry = Find("replicates");
    if (entry == nullptr) return;
    ParseReplicates(*entry, &reader_, &spec_);
    if (!spec_.race) return;
    if (const YamlEntry* gate_on = Find("gate_on");
        gate_on != nullptr && spec_.gate_on != GateOn::kMean) {
      reader_.Error(gate_on->line,
                    absl::StrCat("gate_on is ", Shown(gate_on->value.Scalar()),
                                 ", but 'replicates: auto' compares means, since the best of many "
                                 "runs is better than the best of few: write gate_on: mean, or "
                                 "leave it out"));
    }
    spec_.gate_on = GateOn::kMean;
    if (spec_.objectives.size() > 1) {
      reader_.Error(entry->line, absl::StrCat("'replicates: auto' is a race by one metric, and "
                                              "'metric' has ",
                                              spec_.objectives.size()));
    }
  }

  void ReadEarlyTerminate() {
    const YamlEntry* entry = Find("early_terminate");
    if (entry != nullptr) spec_.early_terminate = ParseEarlyTerminate(*entry, &reader_);
  }

  void ReadStopWhen() {
    const YamlEntry* entry = Find("stop_when");
    if (entry == nullptr) return;
    spec_.stop_when = ParseStopWhen(*entry, &reader_);
    const bool last_decides = spec_.gate_on == GateOn::kLast || spec_.gate_on == GateOn::kMean;
    if (spec_.stop_when && spec_.stop_when->trial_qualifies && spec_.race) {
      reader_.Error(entry->line,
                    "'trial_qualifies' of 'stop_when' does not go with replicates: auto, which "
                    "compares the last epochs of whole runs; write {qualifying: N}");
    } else if (spec_.stop_when && spec_.stop_when->trial_qualifies && last_decides) {
      reader_.Error(entry->line,
                    absl::StrCat("'trial_qualifies' of 'stop_when' does not go with gate_on: ",
                                 spec_.gate_on == GateOn::kLast ? "last" : "mean",
                                 ": each trial would end at a lucky epoch, which would be its last "
                                 "one; write gate_on: best, or last_k"));
    }
    if (Find("require") != nullptr || MisspeltKey("require")) return;
    reader_.Error(entry->line, "'stop_when' goes with 'require', the criteria that are to be met");
  }

  void CheckEarlyTerminate() {
    const YamlEntry* entry = Find("early_terminate");
    if (entry == nullptr || !spec_.early_terminate) return;
    const EarlyTerminate& rule = *spec_.early_terminate;
    if (rule.type == EarlyTerminate::Type::kTarget &&
        std::none_of(spec_.require.begin(), spec_.require.end(),
                     [](const Gate& gate) { return IsMeasureGate(gate); })) {
      // A gate with an error has its own complaint.
      const YamlEntry* require = Find("require");
      if (MisspeltKey("require") || (require != nullptr && spec_.require.empty())) return;
      return reader_.Error(
          entry->line,
          "'early_terminate' of type target needs a gate on a measure in 'require', "
          "such as {accuracy: \">= 0.994\"}");
    }
    // Of a race it judges the first runs only.
    if (rule.HasRungs() && spec_.FirstReplicates() > 1 && spec_.gate_on == GateOn::kMean) {
      return reader_.Error(
          entry->line,
          absl::StrCat("'early_terminate' of type ", rule.word(),
                       " ends the replicates of a configuration at different epochs, and their "
                       "mean would compare unlike runs: with ",
                       spec_.race ? "min: " : "replicates: ", spec_.FirstReplicates(),
                       ", leave out ",
                       spec_.race             ? "'min' of 'replicates'"
                       : spec_.confidence > 0 ? "'confidence'"
                                              : "gate_on: mean"));
    }
    const bool is_fixed = !spec_.epochs_by_recipe && !IsParameter("epochs");
    const bool has_first_rung = rule.type == EarlyTerminate::Type::kAsha;
    if (!has_first_rung || !is_fixed || rule.min_epochs < spec_.epochs) return;
    reader_.Error(entry->line, absl::StrCat("'min_epochs' of 'early_terminate' is ",
                                            rule.min_epochs, " and 'epochs' ", spec_.epochs,
                                            ": no trial would be judged before its last epoch"));
  }

  void ReadParameters() {
    const std::size_t errors = reader_.error_count();
    if (const YamlEntry* entry = Find("parameters")) {
      parameters_are_known_ = entry->value.IsMap();
      spec_.parameters = ParseParameters(
          *entry, {.has_network = HasModel(), .has_program = HasOwnTrainer()}, &reader_);
    }
    if (spec_.models.size() > 1) {
      Parameter model{.name = "model", .distribution = Distribution::kCategorical};
      model.values.assign(spec_.models.begin(), spec_.models.end());
      model.line = LineOfKey("model");
      spec_.parameters.insert(spec_.parameters.begin(), std::move(model));
    }
    if (spec_.method->numbers_only && method_is_known_) {
      for (const Parameter& parameter : spec_.parameters) CheckNumbersOnly(parameter);
    }
    if (spec_.method->finite && method_is_known_) {
      for (const Parameter& parameter : spec_.parameters) {
        if (parameter.GridSize() > 0) continue;
        reader_.Error(parameter.line,
                      absl::StrCat("parameter '", parameter.name, "' has distribution ",
                                   DistributionName(parameter.distribution),
                                   ", which a grid cannot enumerate; a grid needs constant, "
                                   "categorical, int_uniform or q_uniform"));
      }
    }
    parameters_are_good_ = reader_.error_count() == errors;
  }

  // A method of numbers takes the values of a list for neighbours in the order of the file.
  void CheckNumbersOnly(const Parameter& parameter) {
    const std::string method(spec_.method->word);
    const auto complain = [&](const std::string& what) {
      reader_.Error(parameter.line, absl::StrCat("parameter '", parameter.name, "' ", what));
    };
    if (parameter.when) {
      return complain(absl::StrCat("has a 'when', but method ", method,
                                   " cannot search parameters that do not always exist; take tpe"));
    }
    if (!parameter.probabilities.empty()) {
      return complain(
          absl::StrCat("has 'probabilities', which method ", method, " does not know; take tpe"));
    }
    if (parameter.values.size() < 2 || DimensionOf(parameter).ordered) return;
    if (parameter.ordered == false) {
      return complain(absl::StrCat("is 'ordered: false', but method ", method,
                                   " takes neighbours in the list for similar; take tpe"));
    }
    for (const Value& value : parameter.values) {
      if (IsNumber(value)) continue;
      return complain(absl::StrCat(
          "lists ", Shown(value), ", but method ", method, " can search only numbers; take tpe",
          parameter.name == "model" ? "" : ", or write ordered: true if neighbours are similar"));
    }
    complain(absl::StrCat("lists its numbers in no order, but method ", method,
                          " takes neighbours in the list for similar; sort them, or write ordered: "
                          "true if they are"));
  }

  void ReadEpochs() {
    const YamlEntry* entry = Find("epochs");
    // Most callers report a single result.
    const bool is_single =
        entry == nullptr && spec_.trained_by_callers && !HasModel() && !IsParameter("epochs");
    spec_.epochs_by_recipe = entry == nullptr && !is_single;
    if (entry == nullptr) {
      spec_.epochs = is_single ? 1 : RecipeEpochs();
      return;
    }
    if (const auto epochs = reader_.Int(*entry, 1, 10'000)) {
      spec_.epochs = static_cast<int>(*epochs);
    }
    for (const Parameter& parameter : spec_.parameters) {
      if (parameter.name != "epochs") continue;
      reader_.Error(parameter.line,
                    absl::StrCat("parameter 'epochs' is given twice; first on line ", entry->line));
    }
  }

  // Whether everything else of the file goes with a population.
  void ReadPbt() {
    const YamlEntry* entry = Find("pbt");
    if (entry != nullptr) spec_.pbt = ParsePbt(*entry, &reader_);
    if (!method_is_known_) return;
    if (!spec_.HasPopulation()) {
      if (entry != nullptr && !MisspeltKey("method")) {
        reader_.Error(entry->line,
                      absl::StrCat("'pbt' goes with method: pbt, and 'method' is ", method_word_));
      }
      return;
    }
    const auto refuse = [&](const char* key, bool is_there, const char* why) {
      if (is_there) {
        reader_.Error(LineOfKey(key),
                      absl::StrCat("'", key, "' does not go with method pbt: ", why));
      }
    };
    refuse("replicates", spec_.replicates > 1,
           "each segment is trained once, from the one checkpoint that its parent has left");
    refuse("early_terminate", Find("early_terminate") != nullptr,
           "the method itself ends what is bad, by going on from something better");
    refuse("trained_by", spec_.trained_by_callers, "callers hand no checkpoint to the coordinator");
    refuse("metric", spec_.objectives.size() > 1, "one metric says which members are the best");
    refuse("stop_when", spec_.stop_when && spec_.stop_when->trial_qualifies,
           "a member that is stopped would be replaced; write {qualifying: 1}");
    refuse("model", spec_.models.size() > 1,
           "a checkpoint of one network cannot be taken over by another");
    for (const Parameter& parameter : spec_.parameters) {
      if (parameter.name != "epochs" || Find("epochs") != nullptr) continue;
      reader_.Error(
          parameter.line,
          "'epochs' cannot be a parameter of method pbt: a segment goes on where its "
          "parent has stopped, in a training of the same length; write it beside 'method'");
    }
    CheckPbtLength();
  }

  void CheckPbtLength() {
    const int line = std::max(LineOfKey("pbt"), LineOfKey("method"));
    if (spec_.pbt.segment_epochs >= spec_.epochs) {
      reader_.Error(line, absl::StrCat("'segment_epochs' of 'pbt' is ", spec_.pbt.segment_epochs,
                                       " and 'epochs' ", spec_.epochs,
                                       ": no member would ever copy another"));
    }
    if (spec_.run_cap > 0 && spec_.run_cap < spec_.pbt.population) {
      reader_.Error(LineOfKey("run_cap"),
                    absl::StrCat("'run_cap' is ", spec_.run_cap, " and the population ",
                                 spec_.pbt.population, ": not every member would be trained"));
    }
    const int rest = spec_.epochs % spec_.pbt.segment_epochs;
    const int shortest = rest > 0 ? rest : spec_.pbt.segment_epochs;
    if (spec_.gate_on == GateOn::kLastK && spec_.gate_epochs > shortest) {
      reader_.Error(LineOfKey("k"), absl::StrCat("'k' is ", spec_.gate_epochs,
                                                 " and the shortest segment of 'pbt' ", shortest,
                                                 " epochs: it could not qualify"));
    }
    const std::int64_t planned = spec_.pbt.Planned(spec_.epochs);
    if (planned > kMaxRunCap) {
      reader_.Error(line, absl::StrCat("a population of ", spec_.pbt.population, " in ",
                                       spec_.pbt.SegmentsOf(spec_.epochs), " segments makes ",
                                       planned, " configurations; the limit is ", kMaxRunCap));
    }
  }

  bool IsParameter(std::string_view name) const {
    return std::any_of(spec_.parameters.begin(), spec_.parameters.end(),
                       [&](const Parameter& parameter) { return parameter.name == name; });
  }

  // The epochs of the first network's recipe; Complete uses each network's own.
  int RecipeEpochs() const {
    const auto network =
        spec_.models.empty() ? spec_.networks.end() : spec_.networks.find(spec_.models.front());
    if (network == spec_.networks.end()) return spec_.epochs;
    const Recipe* recipe = network->second.FindRecipe(spec_.recipe);
    if (recipe == nullptr) return spec_.epochs;
    const ParameterMap values = recipe->Merged();
    const auto epochs = values.find("epochs");
    if (epochs == values.end() || !CheckParameterValue("epochs", epochs->second).ok()) {
      return spec_.epochs;
    }
    return static_cast<int>(std::get<std::int64_t>(epochs->second));
  }

  void ReadConstraints() {
    const YamlEntry* entry = Find("constraints");
    if (entry == nullptr) return;
    std::vector<YamlEntry> items;
    if (entry->value.IsScalar()) {
      items.push_back(*entry);
    } else if (const auto nodes = reader_.Items(*entry)) {
      for (const YAML::Node& node : *nodes) items.push_back({"constraints", node, LineOf(node)});
    }
    if (items.size() > kMaxListed) {
      reader_.Error(entry->line, absl::StrCat("'constraints' has ", items.size(),
                                              " entries; the limit is ", kMaxListed));
      return;
    }
    for (const YamlEntry& item : items) {
      absl::StatusOr<Expression> constraint = Expression::Parse(item.value.Scalar());
      if (constraint.ok()) {
        spec_.constraints.push_back(*std::move(constraint));
        constraint_lines_.push_back(item.line);
      } else {
        reader_.Error(item.line, absl::StrCat("constraint ", Shown(item.value.Scalar()), ": ",
                                              constraint.status().message()));
      }
    }
  }

  void ReadTryFirst() {
    const YamlEntry* entry = Find("try_first");
    if (entry == nullptr) return;
    if (spec_.method->finite && method_is_known_) {
      reader_.Error(entry->line,
                    absl::StrCat("'try_first' goes with a method that chooses points; a ",
                                 std::string(spec_.method->word), " tries all of them in order"));
    }
    written_points_ = ParseTryFirst(*entry, spec_, parameters_are_good_, &reader_);
  }

  void ReadWarmStart() {
    const YamlEntry* entry = Find("warm_start");
    if (entry == nullptr) return;
    std::vector<YamlEntry> names;
    if (entry->value.IsScalar()) {
      names.push_back(*entry);
    } else if (const auto nodes = reader_.Items(*entry)) {
      for (const YAML::Node& node : *nodes) names.push_back({"warm_start", node, LineOf(node)});
      if (nodes->size() > kMaxWarmStarts) {
        return reader_.Error(entry->line, absl::StrCat("'warm_start' names ", nodes->size(),
                                                       " sweeps; the limit is ", kMaxWarmStarts));
      }
    }
    for (const YamlEntry& item : names) ReadEarlierSweep(item);
    CheckThatItLearns(*entry);
  }

  void ReadEarlierSweep(const YamlEntry& item) {
    const std::optional<std::string> name = reader_.Text(item);
    if (!name) return;
    if (!IsValidName(*name)) {
      return reader_.Error(item.line,
                           absl::StrCat("'warm_start' is ", Shown(*name),
                                        "; it must be the name of an earlier sweep, or a "
                                        "list of such names"));
    }
    if (std::find(spec_.warm_start.begin(), spec_.warm_start.end(), *name) !=
        spec_.warm_start.end()) {
      return reader_.Error(item.line, absl::StrCat("'warm_start' names ", Shown(*name), " twice"));
    }
    spec_.warm_start.push_back(*name);
  }

  // A choice that is left open falls on one that does.
  void CheckThatItLearns(const YamlEntry& entry) {
    if (!method_is_known_ || (spec_.method->learns && !spec_.HasPopulation())) return;
    std::vector<std::string> learning;
    for (const SearchMethod& method : SearchMethods()) {
      if (method.learns && !method.has_population) learning.emplace_back(method.word);
    }
    reader_.Error(entry.line, absl::StrCat("'warm_start' goes with a method that learns (",
                                           absl::StrJoin(learning, ", "), "); '",
                                           std::string(spec_.method->word), "' does not"));
  }

  void Check() {
    if ((spec_.models.empty() && HasModel()) || spec_.networks.size() != spec_.models.size()) {
      return CheckWithoutNetwork();
    }
    CheckNames(spec_);
    if (reader_.error_count() > 0) {
      CheckDefaultsFit(spec_, &reader_);
      return;
    }
    CheckPoints({.parameters = LineOfKey("parameters"),
                 .constraints = constraint_lines_,
                 .is_cancelled = is_cancelled_},
                &reader_, &spec_);
    if (spec_.HasPopulation()) CheckTakenOver(spec_, LineOfKey("parameters"), &reader_);
    if (reader_.error_count() > 0) return;
    if (IsOpenMethod(method_word_)) {
      MethodChoice choice = ChooseMethod(method_word_, spec_);
      spec_.method = choice.method;
      spec_.method_reason = std::move(choice.reason);
      // Of several metrics no method learns.
      if (const YamlEntry* entry = Find("warm_start")) CheckThatItLearns(*entry);
      if (reader_.error_count() > 0) return;
    }
    spec_.try_first = CompleteTryFirst(written_points_, spec_, is_cancelled_, &reader_);
    if (spec_.HasPopulation() && std::ssize(spec_.try_first) > spec_.pbt.population) {
      reader_.Error(LineOfKey("try_first"),
                    absl::StrCat("'try_first' has ", spec_.try_first.size(),
                                 " points for a population of ", spec_.pbt.population));
      return;
    }
    spec_.digest = DigestOf(spec_);
    spec_.earlier_digest = EarlierDigestOf(spec_);
    // After the digest: the location of the file does not change the sweep.
    PlaceDataset(source_.file, &spec_);
  }

  void CheckNames(const SweepSpec& spec) {
    CheckParameters(spec, &reader_);
    if (parameters_are_known_) CheckConstraintNames(spec, constraint_lines_, &reader_);
  }

  // An unreadable network file may have any names of its own. The built-in networks all have the
  // same names, so one replaces those that are unknown.
  void CheckWithoutNetwork() {
    std::set<std::string> unknown(spec_.models.begin(), spec_.models.end());
    for (const auto& [model, network] : spec_.networks) unknown.erase(model);
    const bool own = std::any_of(unknown.begin(), unknown.end(),
                                 [](const std::string& model) { return IsNetworkPath(model); });
    const std::string stand_in = BuiltinNetworkNames().front();
    Diagnostics ignored;
    absl::StatusOr<NetworkFile> network =
        NetworkFile::Parse(BuiltinNetworkText(stand_in).value_or(""), stand_in, &ignored);
    if (own || MisspeltKey("model") || MisspeltKey("program") || MisspeltKey("trained_by") ||
        !network.ok()) {
      return CheckLikelySlips(spec_, &reader_);
    }
    SweepSpec spec = spec_;
    if (unknown.empty()) spec.models = {stand_in};
    for (const std::string& model : unknown) spec.networks.emplace(model, *network);
    if (unknown.empty()) spec.networks.emplace(stand_in, *network);
    CheckNames(spec);
  }

  const SweepSource& source_;
  const SweepDocument* const document_;
  const ReportedFiles& reported_;
  Diagnostics* const diagnostics_;
  const IsCancelled& is_cancelled_;
  YamlReader reader_;
  std::map<std::string, YamlEntry> keys_;
  SweepSpec spec_;
  std::vector<int> constraint_lines_;  // of spec_.constraints
  std::string method_word_ = "random";
  bool method_is_known_ = true;
  bool dataset_is_known_ = true;
  bool parameters_are_known_ = true;
  bool parameters_are_good_ = true;
  std::vector<WrittenPoint> written_points_;
};

}  // namespace

absl::StatusOr<SweepSpec> ParseSweep(const SweepSource& source, const ReportedFiles& reported,
                                     Diagnostics* diagnostics, const IsCancelled& is_cancelled,
                                     const SweepDocument* document) {
  Diagnostics found;
  SweepParser parser(source, reported, &found, is_cancelled, document);
  try {
    parser.Run();
  } catch (const YAML::Exception& e) {
    // Every access is checked; this only contains a bug in the parser.
    found.push_back({source.file, e.mark.line + 1, e.msg});
  }
  if (is_cancelled && is_cancelled()) {
    return absl::CancelledError(
        absl::StrCat(source.file, ": the client no longer waits for the answer"));
  }
  DropShadowedWarnings(&found);
  const bool good = CountErrors(found) == 0 && reported.empty();
  const std::string text = FormatDiagnostics(found);
  diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return absl::InvalidArgumentError(text);
  return parser.TakeSpec();
}

std::uint64_t SeedOfName(const std::string& name) {
  return std::stoull(Sha256Hex(name).substr(0, 7), nullptr, 16);
}

std::vector<std::string> ModelsIn(const SweepDocument& document) {
  Diagnostics ignored;
  YamlReader reader("", &ignored);
  if (!document.root() || !document.root()->IsMap()) return {};
  for (const YamlEntry& entry : reader.Entries(*document.root(), 0, "")) {
    if (entry.key == "model") return ParseModels(entry, &reader);
  }
  return {};
}

absl::StatusOr<SweepSpec> SweepSpec::Parse(const SweepSource& source, Diagnostics* diagnostics,
                                           const IsCancelled& is_cancelled) {
  return ParseSweep(source, {}, diagnostics, is_cancelled);
}

}  // namespace sweep
