#include "cli/help/json_keys.h"

#include <google/protobuf/descriptor.h>

#include <map>

#include "cli/present/answers.h"
#include "cli/present/export.h"
#include "cli/present/present.h"
#include "sweep/documents/json.pb.h"

namespace sweep::cli {
namespace {

using Keys = std::vector<std::string>;

Keys operator+(Keys keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

template <typename Document>
Keys KeysOf() {
  return DocumentKeys(*Document::descriptor());
}

// The keys of an empty answer.
Keys JsonKeysOf(const Json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

// What the messages of a file say of a key.
std::string MeaningIn(const google::protobuf::FileDescriptor& file, const std::string& key) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto* const field = file.message_type(i)->FindFieldByName(key);
    if (field == nullptr) continue;
    const std::string& meaning = field->options().GetExtension(documents::json).meaning();
    if (!meaning.empty()) return meaning;
  }
  return "";
}

}  // namespace

const std::vector<CommandKeys>& JsonKeys() {
  const Keys sweep = KeysOf<documents::ShownSweep>();
  const Keys rank = KeysOf<documents::RankedTrial>();
  const Keys worker = KeysOf<documents::WorkerRow>();
  const ExportRow export_row = TrialExportRow({}, {});
  static const auto* const commands = new std::vector<CommandKeys>{
      {"run", true, rank},
      {"run --first",
       false,
       {"trial", "works", "reason", "first_epoch_seconds", "estimated_seconds"}},
      {"submit", false, sweep + Keys{"created"}},
      {"watch", true, rank},
      {"list", true, ListingKeys(SweepListing({}))},
      {"show", false, sweep + Keys{"source"}},
      {"best", true, rank},
      {"best --region", false, KeysOf<documents::RegionView>()},
      {"confirm", true, KeysOf<documents::Finalist>()},
      {"compare", false, KeysOf<documents::Comparison>()},
      {"pause", false, sweep},
      {"resume", false, sweep},
      {"cancel", false, sweep},
      {"retry", false, sweep + Keys{"retried"}},
      {"extend", false, sweep},
      {"edit", false, sweep + Keys{"difference"}},
      {"ask",
       false,
       {"trial", "attempt", "token", "parameters", "epochs", "epoch", "seed", "lease_seconds",
        "spec"}},
      {"tell", false, {"trial", "state", "stop", "reason"}},
      {"delete", true, {"name", "deleted_trials"}},
      {"rename", false, sweep},
      {"archive", false, sweep},
      {"trials", true, KeysOf<documents::ListedTrial>()},
      {"trial", false, KeysOf<documents::ShownTrial>()},
      {"explain", false, {"trial", "state", "reasons", "trials_ahead"}},
      {"suggest",
       true,
       {"configuration", "parameters", "model", "network_parameters", "chosen_by", "chosen_source",
        "expected_improvement", "seen_results"}},
      {"replay",
       false,
       {"trial", "result", "good", "metric", "stored_trainer", "trainer", "repeated_epochs",
        "reason"}},
      {"replay --search",
       false,
       {"name", "configurations", "compared", "same", "sweep_files", "not_compared",
        "not_compared_reason", "differences"}},
      {"report", false, {"name", "file", "size_bytes"}},
      {"workers", true, worker},
      {"worker list", true, worker},
      {"worker drain", false, worker},
      {"networks",
       true,
       {"network", "parameters", "fully_connected", "layers", "forward_mflop", "train_mflop",
        "receptive_field", "description"}},
      {"networks NETWORK",
       true,
       {"layer", "name", "output_shape", "parameters", "forward_mflop", "train_mflop",
        "receptive_field"}},
      {"train",
       false,
       {"network", "network_parameters", "finished", "checkpoint", "epochs", "spec"}},
      {"model", false, {"trial", "folder", "files", "weights"}},
      {"predict",
       true,
       {"image", "file", "index", "digit", "probability", "label", "right", "probabilities",
        "log_probabilities"}},
      {"logs", true, KeysOf<documents::LogEntry>()},
      {"export", true, JsonKeysOf(export_row)},
      {"export --epochs", true, JsonKeysOf(EpochExportRow(export_row, {}))},
      {"validate", false, {"file", "kind", "name", "valid", "digest", "messages"}},
      {"preview",
       false,
       {"name", "configurations", "replicates", "seed", "trials", "most_trials", "method",
        "method_reason", "early_terminate", "estimated_seconds", "networks", "first"}},
      {"config", true, {"key", "value", "source"}},
  };
  return *commands;
}

std::string KeyMeaning(const std::string& key) {
  // Of what is in no message, and of what means one thing here and another there.
  static const auto* const meanings = new std::map<std::string, std::string>{
      {"compared", "configurations whose suggestion was made again"},
      {"configurations", "that the search had made when the replay began"},
      {"created", "false when the same sweep was there already"},
      {"difference", "the lines that differ, as of diff -u; \"\" for none"},
      {"deleted_trials", "how many trials it had"},
      {"differences",
       "suggestions that did not come again, one object each: configuration, stored, suggested "
       "(null: none), reason, seen_sequence; of a population also stored_parent, suggested_parent"},
      {"estimated_seconds", "training time of the whole sweep"},
      {"files", "names of the files written"},
      {"first", "the first configurations"},
      {"first_epoch_seconds",
       "from the start of the trial to its first epoch; null when it failed"},
      {"gates",
       "the criteria one by one: of a sweep, in words; of a ranking, one object each: gate, met, "
       "value, missed_by"},
      {"good",
       "as expected: all epochs came again, the same, or within the tolerance on another trainer"},
      {"image", "the file, with its index in an IDX file"},
      {"index", "of the image in an IDX file, from 0; null for a PNG"},
      {"label", "what the image is, where --labels says it"},
      {"lease_seconds", "how long the trial is the caller's without a report"},
      {"log_probabilities", "natural logarithms of the probabilities"},
      {"networks",
       "of a preview what would be trained, one object each; of regions the box of each of several "
       "networks: model, and the same keys"},
      {"messages", "errors and warnings, one object each: file, line, message, severity"},
      {"parameters", "hyperparameters by name; of a network, how many it trains"},
      {"probabilities", "of each class, from 0 to 1; in CSV p0, p1, …"},
      {"probability", "of the digit that is predicted"},
      {"reasons", "in words, the weightiest first"},
      {"repeated_epochs",
       "one object per epoch: epoch, attempt, stored and again (of the metric), difference, same, "
       "differs_in (names), values (stored, again and same by name)"},
      {"result",
       "same: bit for bit; close: within the tolerance; different; incomplete: not all epochs came "
       "again"},
      {"retried", "trials that are pending again"},
      {"not_compared", "configurations of sweep files that this build does not accept"},
      {"not_compared_reason", "why the first of them was not; \"\" for none"},
      {"same", "suggestions that came again"},
      {"sweep_files", "that have made the configurations: more than 1 after an edit"},
      {"source", "of a sweep, the text of its file; of a setting, where it comes from"},
      {"value", "of a ranking, the sweep's metric as gate_on says; of a setting, what is set"},
      {"values",
       "numbers by the name of the measure, null for what is no number; what was not reported is "
       "absent. Of a ranking what metrics and criteria ask for, as gate_on says. In CSV columns of "
       "these names"},
      {"stored_trainer",
       "what trained the first epoch: build, build_id, device, backend, instructions, threads; "
       "null "
       "when it did not say"},
      {"trainer", "what has trained it now, likewise"},
      {"works", "its first epoch was reported"},
      {"stop", "the trial has been ended early: ask for the next one"},
      {"token", "what `sweep tell` proves its right with"},
      {"trials", "of a sweep, numbers by state; of a worker, the names of those it holds"},
      {"trials_ahead", "of a pending trial: how many go first"},
  };
  const auto found = meanings->find(key);
  if (found != meanings->end()) return found->second;
  const auto& answers = *documents::ShownTrial::descriptor()->file();
  const std::string meaning = MeaningIn(answers, key);
  return meaning.empty() ? MeaningIn(*answers.dependency(0), key) : meaning;
}

}  // namespace sweep::cli
