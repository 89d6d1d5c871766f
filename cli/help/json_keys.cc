#include "cli/help/json_keys.h"

#include <map>

namespace sweep::cli {
namespace {

using Keys = std::vector<std::string>;

Keys operator+(Keys keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

const Keys& SweepKeys() {
  static const auto* const keys = new Keys{
      "name",           "state",       "method",       "metric",     "maximize",   "digest",
      "planned_trials", "epochs",      "gates",        "qualifying", "principal",  "best_trial",
      "best_value",     "create_time", "end_time",     "trials",     "labels",     "best_qualifies",
      "seconds_left",   "status",      "pause_reason", "archived",   "disk_bytes", "data_sha256"};
  return *keys;
}

const Keys& TrialRowKeys() {
  static const auto* const keys = new Keys{"trial",         "state",
                                           "parameters",    "epoch",
                                           "epochs",        "best_accuracy",
                                           "best_epoch",    "last_accuracy",
                                           "last_loss",     "epochs_to_target",
                                           "configuration", "replicate",
                                           "model",         "network_parameters",
                                           "seed",          "attempt",
                                           "failures",      "worker",
                                           "reason",        "attempt_seconds",
                                           "defaults"};
  return *keys;
}

const Keys& TrialKeys() {
  static const auto* const keys =
      new Keys(TrialRowKeys() + Keys{"fully_connected", "evaluation_images", "create_time",
                                     "start_time", "end_time", "artifacts"});
  return *keys;
}

const Keys& RankKeys() {
  static const auto* const keys = new Keys{"rank",
                                           "trial",
                                           "accuracy",
                                           "interval",
                                           "best_epoch",
                                           "last_accuracy",
                                           "best_loss",
                                           "mean_last_accuracy",
                                           "mean_half_width",
                                           "mean_interval",
                                           "replicates",
                                           "network_parameters",
                                           "epochs_to_target",
                                           "qualifies",
                                           "gates",
                                           "state",
                                           "seed",
                                           "defaults",
                                           "parameters"};
  return *keys;
}

const Keys& WorkerKeys() {
  static const auto* const keys = new Keys{
      "worker",    "state",     "host",      "slots",          "device", "images_per_second",
      "completed", "failed",    "trials",    "last_seen_time", "build",  "pid",
      "labels",    "put_aside", "other_data"};
  return *keys;
}

}  // namespace

const std::vector<CommandKeys>& JsonKeys() {
  static const auto* const commands = new std::vector<CommandKeys>{
      {"run", true, RankKeys()},
      {"run --first",
       false,
       {"trial", "works", "reason", "first_epoch_seconds", "estimated_seconds"}},
      {"submit", false, SweepKeys() + Keys{"created"}},
      {"watch", true, RankKeys()},
      {"list",
       true,
       {"name", "state", "ended", "planned", "running", "failed", "diverged", "cancelled",
        "qualifying", "best_value", "best_trial", "best_qualifies", "seconds_left", "create_time",
        "disk_bytes", "status", "pause_reason", "archived", "labels"}},
      {"show", false, SweepKeys() + Keys{"source"}},
      {"best", true, RankKeys()},
      {"pause", false, SweepKeys()},
      {"resume", false, SweepKeys()},
      {"cancel", false, SweepKeys()},
      {"retry", false, SweepKeys() + Keys{"retried"}},
      {"extend", false, SweepKeys()},
      {"delete", true, {"name", "deleted_trials"}},
      {"rename", false, SweepKeys()},
      {"archive", false, SweepKeys()},
      {"trials", true, TrialRowKeys()},
      {"trial", false, TrialKeys() + Keys{"epoch_rows", "attempts", "spec"}},
      {"explain", false, {"trial", "state", "reasons", "trials_ahead"}},
      {"report", false, {"name", "file", "size_bytes"}},
      {"workers", true, WorkerKeys()},
      {"worker list", true, WorkerKeys()},
      {"worker drain", false, WorkerKeys()},
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
      {"logs",
       true,
       {"time", "kind", "attempt", "number", "text", "train_loss", "train_accuracy",
        "validation_loss", "validation_accuracy"}},
      {"export",
       true,
       {"trial",
        "number",
        "configuration",
        "replicate",
        "seed",
        "model",
        "network_parameters",
        "fully_connected",
        "parameters",
        "defaults",
        "state",
        "epoch",
        "epochs",
        "best_accuracy",
        "best_epoch",
        "last_accuracy",
        "best_loss",
        "last_loss",
        "epochs_to_target",
        "evaluation_images",
        "attempt_seconds",
        "attempt",
        "failures",
        "worker",
        "reason",
        "create_time",
        "start_time",
        "end_time"}},
      {"export --epochs",
       true,
       {"trial",
        "number",
        "configuration",
        "replicate",
        "seed",
        "model",
        "network_parameters",
        "fully_connected",
        "parameters",
        "defaults",
        "attempt",
        "epoch",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "lr",
        "train_seconds",
        "evaluate_seconds",
        "images_per_second",
        "report_time"}},
      {"validate", false, {"file", "kind", "name", "valid", "digest", "messages"}},
      {"preview",
       false,
       {"name", "configurations", "replicates", "seed", "trials", "estimated_seconds", "networks",
        "first"}},
      {"config", true, {"key", "value", "source"}},
  };
  return *commands;
}

std::string KeyMeaning(const std::string& key) {
  static const auto* const meanings = new std::map<std::string, std::string>{
      {"accuracy", "the value held against the criterion for accuracy, a share from 0 to 1"},
      {"archived", "left out of lists"},
      {"artifacts", "kept files: role, sha256, size_bytes"},
      {"attempt", "the latest lease, 0 before the first"},
      {"attempt_seconds", "time of its attempts, the running one up to now; pauses do not count"},
      {"attempts", "every lease: attempt, worker, start_time, end_time, outcome, reason"},
      {"best_accuracy", "highest validation accuracy"},
      {"best_epoch", "the epoch that reached it"},
      {"best_loss", "lowest validation loss"},
      {"best_qualifies", "the best trial meets all criteria; otherwise none does so far"},
      {"best_trial", "\"NAME/N\", as the ranking has it"},
      {"best_value", "its value of the sweep's metric, within the gates' epoch limit"},
      {"configuration", "1-based within the sweep"},
      {"created", "false when the same sweep was there already"},
      {"defaults", "hyperparameters by name that the search did not choose, as trained"},
      {"deleted_trials", "how many trials it had"},
      {"digest", "SHA-256 of the meaning of the sweep file"},
      {"disk_bytes", "about what its rows and the files of its ended trials take"},
      {"ended", "trials that have ended"},
      {"epoch", "the last acknowledged epoch, 0 before the first"},
      {"epoch_rows",
       "one object per epoch: epoch, attempt, lr, train_loss, train_accuracy, "
       "validation_loss, validation_accuracy, train_seconds, evaluate_seconds, "
       "images_per_second"},
      {"epochs", "epochs of a full run"},
      {"epochs_to_target", "first epoch at which all criteria are met"},
      {"estimated_seconds", "training time of the whole sweep"},
      {"evaluation_images", "images that accuracy was measured on"},
      {"failures", "attempts that failed or were lost"},
      {"files", "names of the files written"},
      {"first", "the first configurations"},
      {"first_epoch_seconds",
       "from the start of the trial to its first epoch; null when it failed"},
      {"fully_connected", "the network has a fully connected layer"},
      {"gates",
       "the criteria one by one: of a sweep, in words; of a ranking, one object each: gate, met, "
       "value, missed_by"},
      {"image", "the file, with its index in an IDX file"},
      {"index", "of the image in an IDX file, from 0; null for a PNG"},
      {"interval", "95 % interval of the accuracy, [low, high]: Wilson, of a mean Student's t"},
      {"label", "what the image is, where --labels says it"},
      {"log_probabilities", "natural logarithms of the probabilities"},
      {"mean_half_width", "half width of the 95 % interval of that mean"},
      {"mean_interval", "that interval, within 0 and 1; null for one replicate"},
      {"mean_last_accuracy", "mean of the replicates' last epochs"},
      {"messages", "errors and warnings, one object each: file, line, message, severity"},
      {"network_parameters", "trainable parameters of the network"},
      {"pause_reason", "why the coordinator paused it, or empty"},
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
