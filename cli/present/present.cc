#include "cli/present/present.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "absl/time/time.h"
#include "cli/present/cells.h"
#include "cli/present/text.h"
#include "common/base/utf8.h"
#include "common/base/value.h"

namespace sweep::cli {
namespace {

using nlohmann::json;
using namespace cells;

constexpr std::size_t kReasonBytes = 500;  // in a table

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string Lower(std::string text, std::size_t prefix) {
  text.erase(0, std::min(prefix, text.size()));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string StateName(v1::TrialState state) { return Lower(v1::TrialState_Name(state), 12); }
std::string StateName(v1::SweepState state) { return Lower(v1::SweepState_Name(state), 12); }

std::string StatusText(const v1::Sweep& sweep) {
  std::string text = StateName(sweep.state());
  if (sweep.counts().failed() > 0) text += fmt::format(", {} failed", sweep.counts().failed());
  return text;
}

std::string StyledStatus(const v1::Sweep& sweep, const Session& session) {
  const std::string text = StatusText(sweep);
  if (sweep.counts().failed() > 0 || !sweep.pause_reason().empty()) {
    return Styled(session, Style::kRed, text);
  }
  return sweep.state() == v1::SWEEP_STATE_COMPLETED ? Styled(session, Style::kGreen, text) : text;
}

std::string PauseText(const v1::Sweep& sweep) {
  if (sweep.pause_reason().empty()) return "";
  return fmt::format("{} is paused: {}", ShortName(sweep.name()),
                     Printable(OneLine(sweep.pause_reason(), kReasonBytes)));
}

std::string BytesText(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    value /= 1000;
    unit = next;
    if (value < 999.5) break;
  }
  return fmt::format("{:.{}f} {}", value, value < 9.95 ? 1 : 0, unit);
}

std::string ValueText(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case v1::Value::kIntValue:
      return std::to_string(value.int_value());
    case v1::Value::kDoubleValue:
      return fmt::format("{:.4g}", value.double_value());
    case v1::Value::kStringValue:
      return value.string_value();
    default:
      return "";
  }
}

std::string ParametersText(const v1::Trial& trial) { return ValuesText(trial.parameters()); }

std::string ValuesText(const google::protobuf::Map<std::string, v1::Value>& values) {
  // A map has no order of its own; people look for the learning rate first.
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(a != "lr", a) < std::make_pair(b != "lr", b);
  });
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ' ';
    text += name + "=" + ValueText(values.at(name));
  }
  return text;
}

std::string MetricText(const std::string& metric, double value) {
  return metric == "loss" ? fmt::format("loss {:.4f}", value) : Percent(value);
}

std::string BestText(const v1::Sweep& sweep) {
  if (sweep.best_trial().empty()) return "";
  // Without gates all qualify.
  const bool says_so = sweep.best_qualifies() && sweep.gates_size() > 0;
  return fmt::format("{} {} ({})", says_so ? "best that qualifies" : "best so far",
                     MetricText(sweep.metric(), sweep.best_value()), ShortName(sweep.best_trial()));
}

std::string ShortName(const std::string& resource) {
  if (resource.starts_with("workers/")) return resource.substr(8);
  if (!resource.starts_with("sweeps/")) return resource;
  std::string name = resource.substr(7);
  const std::size_t trials = name.find("/trials/");
  if (trials != std::string::npos) name.replace(trials, 8, "/");
  return name;
}

std::int64_t EndedTrials(const v1::TrialCounts& counts) {
  return counts.completed() + counts.stopped() + counts.failed() + counts.diverged() +
         counts.cancelled();
}

std::optional<absl::Duration> TimeLeft(const v1::Sweep& sweep) {
  if (!sweep.has_time_left()) return std::nullopt;
  return ToDuration(sweep.time_left());
}

namespace {

// A column of zeros says little.
bool HasDiverged(const std::vector<v1::Sweep>& sweeps) {
  return std::any_of(sweeps.begin(), sweeps.end(),
                     [](const v1::Sweep& sweep) { return sweep.counts().diverged() > 0; });
}
bool HasCancelled(const std::vector<v1::Sweep>& sweeps) {
  return std::any_of(sweeps.begin(), sweeps.end(),
                     [](const v1::Sweep& sweep) { return sweep.counts().cancelled() > 0; });
}

}  // namespace

Listing SweepListing(const std::vector<v1::Sweep>& sweeps) {
  Listing listing;
  listing.empty = "no sweeps yet; `sweep run` or `sweep submit` with a sweep file makes one";
  listing.columns = {{"SWEEP", "name", false, true, true},
                     {"STATE", "state"},
                     {"TRIALS", "ended", true},
                     {"", "planned", true, false},
                     {"RUNNING", "running", true, true, false, 2},
                     {"FAILED", "failed", true, true, false, 3},
                     {"DIVERGED", "diverged", true, HasDiverged(sweeps), false, 3},
                     {"CANCELLED", "cancelled", true, HasCancelled(sweeps), false, 3},
                     {"QUALIFYING", "qualifying", true, true, false, 5},
                     {"BEST", "best_value", true},
                     {"BEST TRIAL", "best_trial", false, true, false, 4},
                     {"", "best_qualifies", false, false},
                     {"LEFT", "seconds_left", true, true, false, 1},
                     {"DISK", "disk_bytes", true, true, false, 7},
                     {"SUBMITTED", "create_time", false, true, false, 6},
                     {"", "status", false, false},
                     {"", "pause_reason", false, false},
                     {"", "archived", false, false},
                     {"", "labels", false, false}};
  for (const v1::Sweep& sweep : sweeps) {
    const std::optional<absl::Duration> left = TimeLeft(sweep);
    const bool has_best = !sweep.best_trial().empty();
    const std::int64_t ended = EndedTrials(sweep.counts());
    json labels = json::object();
    for (const auto& [key, value] : sweep.labels()) labels[key] = value;
    listing.rows.push_back(
        {Text(ShortName(sweep.name())),
         Text(StateName(sweep.state())),
         // What was cancelled has its own column: it is no progress.
         {fmt::format("{}/{}", ended - sweep.counts().cancelled(), sweep.planned_trials()), ended},
         Count(sweep.planned_trials()),
         Count(sweep.counts().running()),
         Count(sweep.counts().failed()),
         Count(sweep.counts().diverged()),
         Count(sweep.counts().cancelled()),
         Count(sweep.qualifying()),
         has_best ? Cell{MetricText(sweep.metric(), sweep.best_value()), sweep.best_value()}
                  : Missing(),
         has_best ? Text(ShortName(sweep.best_trial())) : Missing(),
         {"", sweep.best_qualifies()},
         left ? Cell{HumanDuration(*left), absl::ToDoubleSeconds(*left)} : Missing(),
         {BytesText(sweep.disk_bytes()), sweep.disk_bytes()},
         AgoCell(sweep.has_create_time(), sweep.create_time()),
         Text(StatusText(sweep)),
         Text(sweep.pause_reason()),
         {"", sweep.archived()},
         {"", labels}});
  }
  return listing;
}

namespace {

// Of trials that have all failed, why is what matters.
bool AllFailed(const std::vector<v1::Trial>& trials) {
  return !trials.empty() && std::all_of(trials.begin(), trials.end(), [](const v1::Trial& trial) {
    return trial.state() == v1::TRIAL_STATE_FAILED || trial.state() == v1::TRIAL_STATE_DIVERGED;
  });
}

// The time of its attempts.
Cell TimeSpent(const v1::Trial& trial) {
  if (trial.attempt() == 0) return Missing();
  const absl::Duration time = ToDuration(trial.attempt_duration());
  return {HumanDuration(time), absl::ToDoubleSeconds(time)};
}

}  // namespace

Listing TrialListing(const std::vector<v1::Trial>& trials) {
  Listing listing;
  listing.empty = "no trials";
  listing.columns = {{"TRIAL", "trial"},
                     {"STATE", "state"},
                     {"HYPERPARAMETERS", "parameters", false, true, true},
                     {"EPOCH", "epoch", true, true, false, 3},
                     {"", "epochs", true, false},
                     {"BEST", "best_accuracy", true},
                     {"AT", "best_epoch", true, true, false, 4},
                     {"LAST", "last_accuracy", true, true, false, 2},
                     {"LOSS", "last_loss", true, true, false, 5},
                     {"TARGET", "epochs_to_target", true, true, false, 1},
                     {"", "configuration", true, false},
                     {"", "replicate", true, false},
                     {"", "model", false, false},
                     {"", "network_parameters", true, false},
                     {"", "seed", true, false},
                     {"TIME", "attempt_seconds", true, true, false, 4},
                     {"", "defaults", false, false},
                     {"", "attempt", true, false},
                     {"", "failures", true, false},
                     {"", "worker", false, false},
                     {"REASON", "reason", false, AllFailed(trials), true}};
  for (const v1::Trial& trial : trials) {
    const bool measured = trial.epoch() > 0;
    const std::string parameters = ParametersText(trial);
    listing.rows.push_back(
        {Text(ShortName(trial.name())),
         Text(StateName(trial.state())),
         {trial.replicate() > 0 ? fmt::format("{} (replicate {})", parameters, trial.replicate())
                                : parameters,
          ParametersJson(trial)},
         {fmt::format("{}/{}", trial.epoch(), trial.epochs()), trial.epoch()},
         Count(trial.epochs()),
         measured ? Share(trial.best_accuracy()) : Missing(),
         measured ? Count(trial.best_epoch()) : Missing(),
         measured ? Share(trial.last_accuracy()) : Missing(),
         measured ? Number(trial.last_loss()) : Missing(),
         trial.epochs_to_target() > 0 ? Count(trial.epochs_to_target()) : Missing(),
         Count(trial.configuration()),
         Count(trial.replicate()),
         Text(trial.model()),
         KnownCount(trial.network_parameters()),
         Text(std::to_string(trial.seed())),
         TimeSpent(trial),
         {"", ValuesJson(trial.defaults())},
         Count(trial.attempt()),
         Count(trial.failures()),
         Text(ShortName(trial.worker())),
         {OneLine(trial.reason(), kReasonBytes), trial.reason()}});
  }
  return listing;
}

Listing EpochListing(const std::vector<v1::Epoch>& epochs) {
  Listing listing;
  listing.empty = "no epochs yet";
  listing.columns = {{"EPOCH", "epoch", true},
                     {"ATTEMPT", "attempt", true, true, false, 3},
                     {"LR", "lr", true, true, false, 1},
                     {"TRAIN LOSS", "train_loss", true},
                     {"TRAIN ACC", "train_accuracy", true},
                     {"VAL LOSS", "validation_loss", true},
                     {"VAL ACC", "validation_accuracy", true},
                     {"SECONDS", "train_seconds", true, true, false, 2},
                     {"", "evaluate_seconds", true, false},
                     {"IMG/S", "images_per_second", true}};
  for (const v1::Epoch& epoch : epochs) {
    const double seconds = absl::ToDoubleSeconds(ToDuration(epoch.train_duration()));
    listing.rows.push_back(
        {Count(epoch.epoch()),
         Count(epoch.attempt()),
         Number(epoch.lr()),
         Number(epoch.train_loss()),
         Share(epoch.train_accuracy()),
         Number(epoch.validation_loss()),
         Share(epoch.validation_accuracy()),
         {fmt::format("{:.1f}", seconds), seconds},
         Number(absl::ToDoubleSeconds(ToDuration(epoch.evaluate_duration()))),
         {WithSeparators(std::llround(epoch.images_per_second())), epoch.images_per_second()}});
  }
  return listing;
}

Listing AttemptListing(const std::vector<v1::Attempt>& attempts) {
  Listing listing;
  listing.empty = "not leased yet";
  listing.columns = {{"ATTEMPT", "attempt", true},
                     {"WORKER", "worker"},
                     {"FROM", "start_time", false, true, false, 1},
                     {"TO", "end_time", false, true, false, 2},
                     {"OUTCOME", "outcome"},
                     {"REASON", "reason", false, true, true}};
  for (const v1::Attempt& attempt : attempts) {
    listing.rows.push_back({Count(attempt.attempt()),
                            Text(ShortName(attempt.worker())),
                            TimeCell(attempt.has_start_time(), attempt.start_time()),
                            TimeCell(attempt.has_end_time(), attempt.end_time()),
                            Text(attempt.outcome().empty() ? "running" : attempt.outcome()),
                            {OneLine(attempt.reason(), kReasonBytes), attempt.reason()}});
  }
  return listing;
}

namespace {

json OtherDataJson(const v1::Worker& worker) {
  json list = json::array();
  for (const v1::OtherData& data : worker.other_data()) {
    list.push_back({{"sweep", data.sweep()},
                    {"data_sha256", data.data_sha256()},
                    {"path", data.path()},
                    {"sweep_data_sha256", data.sweep_data_sha256()}});
  }
  return list;
}

}  // namespace

Listing WorkerListing(const std::vector<v1::Worker>& workers) {
  Listing listing;
  listing.empty = "no workers; start one with: sweep-worker --coordinator HOST:PORT";
  listing.columns = {{"WORKER", "worker"},
                     {"STATE", "state"},
                     {"HOST", "host", false, true, true, 4},
                     {"SLOTS", "slots", true},
                     {"DEVICE", "device", false, true, true, 1},
                     {"IMG/S", "images_per_second", true, true, false, 3},
                     {"DONE", "completed", true, true, false, 5},
                     {"FAILED", "failed", true},
                     {"TRIALS", "trials", false, true, true},
                     {"LAST SEEN", "last_seen_time", false, true, false, 2},
                     {"", "build", false, false},
                     {"", "pid", true, false},
                     {"", "labels", false, false},
                     {"", "put_aside", false, false},
                     {"", "other_data", false, false}};
  for (const v1::Worker& worker : workers) {
    std::string devices, trials;
    for (const std::string& device : worker.devices())
      devices += (devices.empty() ? "" : ", ") + device;
    json trial_names = json::array();
    for (const std::string& trial : worker.trials()) {
      trials += (trials.empty() ? "" : " ") + ShortName(trial);
      trial_names.push_back(ShortName(trial));
    }
    json labels = json::object();
    for (const auto& [key, value] : worker.labels()) labels[key] = value;
    const std::string state = !worker.connected()      ? "lost"
                              : worker.draining()      ? "draining"
                              : worker.has_put_aside() ? "put aside"
                                                       : "connected";
    json put_aside = nullptr;
    if (worker.has_put_aside()) {
      const v1::PutAside& aside = worker.put_aside();
      put_aside = {{"failures", aside.failures()},
                   {"reason", aside.reason()},
                   {"until_time", TimeCell(aside.has_until_time(), aside.until_time()).value}};
    }
    listing.rows.push_back(
        {Text(ShortName(worker.name())),
         Text(state),
         Text(worker.host()),
         Count(worker.slots()),
         Text(devices),
         {WithSeparators(std::llround(worker.images_per_second())), worker.images_per_second()},
         Count(worker.completed()),
         Count(worker.failed()),
         {trials, trial_names},
         AgoCell(worker.has_last_seen_time(), worker.last_seen_time()),
         Text(worker.build()),
         {std::to_string(worker.pid()), worker.pid()},
         {"", labels},
         {"", put_aside},
         {"", OtherDataJson(worker)}});
  }
  return listing;
}

std::vector<std::string> WorkerNotes(const std::vector<v1::Worker>& workers, absl::Time now) {
  std::vector<std::string> notes;
  for (const v1::Worker& worker : workers) {
    if (!worker.connected()) continue;
    for (const v1::OtherData& data : worker.other_data()) {
      notes.push_back(fmt::format(
          "{} gets no trials of {}: it has other data (SHA-256 {}{}; the sweep's is {}). Start it "
          "again with the right data",
          ShortName(worker.name()), Printable(data.sweep()), Printable(data.data_sha256()),
          data.path().empty() ? "" : " in " + Printable(data.path()),
          Printable(data.sweep_data_sha256())));
    }
    if (!worker.has_put_aside()) continue;
    const v1::PutAside& aside = worker.put_aside();
    const absl::Duration left = ToTime(aside.until_time()) - now;
    notes.push_back(fmt::format(
        "{} is put aside ({} failures in a row: {}; {})", ShortName(worker.name()),
        aside.failures(), Printable(aside.reason()),
        left > absl::ZeroDuration()
            ? fmt::format("tries again in {}", HumanDuration(absl::Ceil(left, absl::Seconds(1))))
            : "tries again with one trial"));
  }
  return notes;
}

json SweepJson(const v1::Sweep& sweep) {
  json object = {
      {"name", ShortName(sweep.name())},
      {"state", StateName(sweep.state())},
      {"status", StatusText(sweep)},
      {"pause_reason", sweep.pause_reason()},
      {"archived", sweep.archived()},
      {"disk_bytes", sweep.disk_bytes()},
      {"method", sweep.method()},
      {"metric", sweep.metric()},
      {"maximize", sweep.maximize()},
      {"digest", sweep.digest()},
      {"data_sha256", sweep.data_sha256()},
      {"planned_trials", sweep.planned_trials()},
      {"epochs", sweep.epochs()},
      {"gates", std::vector<std::string>(sweep.gates().begin(), sweep.gates().end())},
      {"qualifying", sweep.qualifying()},
      {"principal", sweep.principal()},
      {"best_trial", ShortName(sweep.best_trial())},
      {"best_value", sweep.best_trial().empty() ? json(nullptr) : json(sweep.best_value())},
      {"best_qualifies", sweep.best_qualifies()},
      {"seconds_left",
       sweep.has_time_left() ? json(absl::ToDoubleSeconds(*TimeLeft(sweep))) : json(nullptr)},
      {"create_time", TimeCell(sweep.has_create_time(), sweep.create_time()).value},
      {"end_time", TimeCell(sweep.has_end_time(), sweep.end_time()).value}};
  const v1::TrialCounts& counts = sweep.counts();
  object["trials"] = {{"pending", counts.pending()},     {"running", counts.running()},
                      {"completed", counts.completed()}, {"stopped", counts.stopped()},
                      {"failed", counts.failed()},       {"diverged", counts.diverged()},
                      {"cancelled", counts.cancelled()}};
  object["labels"] = json::object();
  for (const auto& [key, value] : sweep.labels()) object["labels"][key] = value;
  return object;
}

json TrialJson(const v1::Trial& trial) {
  json object = ListingJson(TrialListing({trial}))[0];
  const bool has_network = trial.network_parameters() > 0;
  object["fully_connected"] = has_network ? json(trial.fully_connected()) : json(nullptr);
  object["evaluation_images"] = KnownCount(trial.evaluation_images()).value;
  object["create_time"] = TimeCell(trial.has_create_time(), trial.create_time()).value;
  object["start_time"] = TimeCell(trial.has_start_time(), trial.start_time()).value;
  object["end_time"] = TimeCell(trial.has_end_time(), trial.end_time()).value;
  object["artifacts"] = json::array();
  for (const v1::Artifact& artifact : trial.artifacts()) {
    object["artifacts"].push_back({{"role", artifact.role()},
                                   {"sha256", artifact.sha256()},
                                   {"size_bytes", artifact.size_bytes()}});
  }
  return object;
}

void PrintSweep(const v1::Sweep& sweep, const Session& session, const json& extra) {
  if (session.format == Format::kCsv) {
    PrintListing(SweepListing({sweep}), session.format, session.width, std::cout);
  } else if (session.format == Format::kJson) {
    json document = SweepJson(sweep);
    document.update(extra);
    PrintJson(document, std::cout);
  }
}

}  // namespace sweep::cli
