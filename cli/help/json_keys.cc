#include "cli/help/json_keys.h"

#include <map>

#include "cli/present/export.h"
#include "cli/present/present.h"
#include "cli/present/trial_log.h"

namespace sweep::cli {
namespace {

using Keys = std::vector<std::string>;

Keys operator+(Keys keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

// Takes the keys from an empty answer, so that they are defined only once.
Keys JsonKeysOf(const Listing& listing) {
  Keys keys;
  for (const Listing::Column& column : listing.columns) {
    if (!column.key.empty()) keys.push_back(column.key);
  }
  return keys;
}

Keys JsonKeysOf(const nlohmann::ordered_json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

}  // namespace

const std::vector<CommandKeys>& JsonKeys() {
  const Keys sweep = JsonKeysOf(SweepJson({}));
  const Keys rank = JsonKeysOf(RankListing({}));
  const Keys worker = JsonKeysOf(WorkerListing({}));
  const ExportRow export_row = TrialExportRow({}, {});
  static const auto* const commands = new std::vector<CommandKeys>{
      {"run", true, rank},
      {"run --first",
       false,
       {"trial", "works", "reason", "first_epoch_seconds", "estimated_seconds"}},
      {"submit", false, sweep + Keys{"created"}},
      {"watch", true, rank},
      {"list", true, JsonKeysOf(SweepListing({}))},
      {"show", false, sweep + Keys{"source"}},
      {"best", true, rank},
      {"pause", false, sweep},
      {"resume", false, sweep},
      {"cancel", false, sweep},
      {"retry", false, sweep + Keys{"retried"}},
      {"extend", false, sweep},
      {"delete", true, {"name", "deleted_trials"}},
      {"rename", false, sweep},
      {"archive", false, sweep},
      {"trials", true, JsonKeysOf(TrialListing({}, {}))},
      {"trial", false, JsonKeysOf(TrialJson({}, {})) + Keys{"epoch_rows", "attempts", "spec"}},
      {"explain", false, {"trial", "state", "reasons", "trials_ahead"}},
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
      {"logs", true, JsonKeysOf(TrialLogListing({}))},
      {"export", true, JsonKeysOf(export_row)},
      {"export --epochs", true, JsonKeysOf(EpochExportRow(export_row, {}))},
      {"validate", false, {"file", "kind", "name", "valid", "digest", "messages"}},
      {"preview",
       false,
       {"name", "configurations", "replicates", "seed", "trials", "early_terminate",
        "estimated_seconds", "networks", "first"}},
      {"config", true, {"key", "value", "source"}},
  };
  return *commands;
}

std::string KeyMeaning(const std::string& key) {
  static const auto* const meanings = new std::map<std::string, std::string>{
      {"archived", "left out of lists"},
      {"artifacts", "kept files: role, sha256, size_bytes"},
      {"attempt", "the latest lease, 0 before the first"},
      {"attempt_seconds", "time of its attempts, the running one up to now; pauses do not count"},
      {"attempts", "every lease: attempt, worker, start_time, end_time, outcome, reason"},
      {"best", "best value of the sweep's metric, also beyond the gates' epoch limit"},
      {"best_epoch", "the epoch that reached it"},
      {"best_qualifies", "the best trial meets all criteria; otherwise none does so far"},
      {"best_trial", "\"NAME/N\", as the ranking has it"},
      {"best_value", "its value of the sweep's metric, within the gates' epoch limit"},
      {"configuration", "1-based within the sweep"},
      {"created", "false when the same sweep was there already"},
      {"defaults", "hyperparameters by name that the search did not choose, as trained"},
      {"deleted_trials", "how many trials it had"},
      {"digest", "SHA-256 of the meaning of the sweep file"},
      {"disk_bytes", "about what its rows and the files of its ended trials take"},
      {"early_terminate", "what stops trials early, in words; \"\" for nothing"},
      {"ended", "trials that have ended"},
      {"epoch", "the last acknowledged epoch, 0 before the first"},
      {"epoch_rows", "one object per epoch: epoch, attempt, values"},
      {"epochs", "epochs of a full run"},
      {"epochs_to_target", "first epoch at which all criteria are met"},
      {"estimated_seconds", "training time of the whole sweep"},
      {"evaluation_images", "images that were evaluated after each epoch"},
      {"failures", "attempts that failed or were lost"},
      {"files", "names of the files written"},
      {"first", "the first configurations"},
      {"first_epoch_seconds",
       "from the start of the trial to its first epoch; null when it failed"},
      {"file_refusal", "why this build does not accept the sweep's file, or empty"},
      {"front", "with several metrics its Pareto front, from 1, of those that qualify, or do not"},
      {"fully_connected", "the network has a fully connected layer"},
      {"gates",
       "the criteria one by one: of a sweep, in words; of a ranking, one object each: gate, met, "
       "value, missed_by"},
      {"image", "the file, with its index in an IDX file"},
      {"index", "of the image in an IDX file, from 0; null for a PNG"},
      {"interval",
       "95 % interval of the value, [low, high]: Wilson of an accuracy, of a mean Student's t; "
       "null "
       "where neither can be said"},
      {"last", "the value of the sweep's metric that was reported last"},
      {"label", "what the image is, where --labels says it"},
      {"log_probabilities", "natural logarithms of the probabilities"},
      {"mean_half_width", "half width of the 95 % interval of that mean"},
      {"mean_interval", "that interval, within what the metric can be; null for one replicate"},
      {"mean_last", "mean of the replicates' last values of the metric"},
      {"measures",
       "what was reported, by name: last, low, high; in CSV last.NAME, low.NAME, high.NAME"},
      {"messages", "errors and warnings, one object each: file, line, message, severity"},
      {"network_parameters", "trainable parameters of the network"},
      {"pause_reason", "why the coordinator paused it, or empty"},
      {"objectives", "what the sweep ranks by, the metric first: name, maximize"},
      {"parameters", "hyperparameters by name; of a network, how many it trains"},
      {"planned", "trials of a full run"},
      {"planned_trials", "trials of a full run"},
      {"principal", "who submitted it"},
      {"probabilities", "of each class, from 0 to 1; in CSV p0, p1, …"},
      {"probability", "of the digit that is predicted"},
      {"qualifies", "meets all criteria"},
      {"qualifying", "configurations that meet all criteria so far"},
      {"reason", "why it failed or was cancelled"},
      {"reasons", "in words, the weightiest first"},
      {"replicate", "0-based within the configuration"},
      {"retried", "trials that are pending again"},
      {"seconds_left", "an estimate; null when nothing can be said"},
      {"seed", "64 bits, as text: many readers of JSON would round the number"},
      {"source", "of a sweep, the text of its file; of a setting, where it comes from"},
      {"value", "of a ranking, the sweep's metric as gate_on says; of a setting, what is set"},
      {"value_epoch", "the epoch that it was measured in"},
      {"values",
       "numbers by the name of the measure, null for what is no number; what was not reported is "
       "absent. Of a ranking what metrics and criteria ask for, as gate_on says. In CSV columns of "
       "these names"},
      {"works", "its first epoch was reported"},
      {"status", "the state, and how many trials failed: \"completed, 3 failed\""},
      {"spec", "the line that the trainer gets"},
      {"trials", "of a sweep, numbers by state; of a worker, the names of those it holds"},
      {"trials_ahead", "of a pending trial: how many go first"},
  };
  const auto found = meanings->find(key);
  return found == meanings->end() ? "" : found->second;
}

}  // namespace sweep::cli
