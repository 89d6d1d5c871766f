#include "cli/present.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "cli/text.h"
#include "common/base/value.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

Cell Text(const std::string& text) { return {text, text}; }
Cell Count(std::int64_t value) { return {WithSeparators(value), value}; }
Cell Share(double value) { return {Percent(value), value}; }
Cell Number(double value) {
  return {std::isfinite(value) ? ShortNumber(value) : FormatDouble(value),
          std::isfinite(value) ? json(value) : json(nullptr)};
}
Cell Missing() { return {"–", nullptr}; }

Cell TimeCell(bool set, const google::protobuf::Timestamp& time) {
  if (!set) return Missing();
  const absl::Time moment = ToTime(time);
  return {absl::FormatTime("%Y-%m-%d %H:%M:%S", moment, absl::LocalTimeZone()),
          absl::FormatTime(absl::RFC3339_sec, moment, absl::UTCTimeZone())};
}

json ValueJson(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue: return value.bool_value();
    case v1::Value::kIntValue: return value.int_value();
    case v1::Value::kDoubleValue: return value.double_value();
    case v1::Value::kStringValue: return value.string_value();
    default: return nullptr;
  }
}

json ParametersJson(const v1::Trial& trial) {
  json object = json::object();
  for (const auto& [name, value] : trial.parameters()) object[name] = ValueJson(value);
  return object;
}

std::string Lower(std::string text, std::size_t prefix) {
  text.erase(0, std::min(prefix, text.size()));
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string GateText(const v1::GateResult& gate) {
  if (gate.met()) return "✓";
  if (gate.missed_by() <= 0 || !std::isfinite(gate.missed_by())) return "✗";
  if (gate.gate().starts_with("accuracy")) return fmt::format("✗ by {:.2f} pt", gate.missed_by() * 100);
  return fmt::format("✗ by {}", ShortNumber(gate.missed_by()));
}

json GatesJson(const v1::RankedConfiguration& row) {
  json gates = json::array();
  for (const v1::GateResult& gate : row.gates()) {
    gates.push_back({{"gate", gate.gate()},
                     {"met", gate.met()},
                     {"value", ValueJson(gate.value())},
                     {"missed_by", gate.missed_by()}});
  }
  return gates;
}

}  // namespace

std::string StateName(v1::TrialState state) { return Lower(v1::TrialState_Name(state), 12); }
std::string StateName(v1::SweepState state) { return Lower(v1::SweepState_Name(state), 12); }

std::string ValueText(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue: return value.bool_value() ? "true" : "false";
    case v1::Value::kIntValue: return std::to_string(value.int_value());
    case v1::Value::kDoubleValue: return fmt::format("{:.4g}", value.double_value());
    case v1::Value::kStringValue: return value.string_value();
    default: return "";
  }
}

std::string ParametersText(const v1::Trial& trial) {
  // A map has no order of its own; people look for the learning rate first.
  std::vector<std::string> names;
  for (const auto& [name, value] : trial.parameters()) names.push_back(name);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(a != "lr", a) < std::make_pair(b != "lr", b);
  });
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ' ';
    text += name + "=" + ValueText(trial.parameters().at(name));
  }
  return text;
}

std::string MetricText(const std::string& metric, double value) {
  return metric == "loss" ? fmt::format("loss {:.4f}", value) : Percent(value);
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
  return counts.completed() + counts.stopped() + counts.failed() + counts.cancelled();
}

Listing SweepListing(const std::vector<v1::Sweep>& sweeps) {
  Listing listing;
  listing.empty = "no sweeps yet; submit one with: sweep submit FILE";
  listing.columns = {{"SWEEP", "name", false, true, true},
                     {"STATE", "state"},
                     {"TRIALS", "ended", true},
                     {"", "planned", true, false},
                     {"RUNNING", "running", true},
                     {"FAILED", "failed", true},
                     {"QUALIFYING", "qualifying", true},
                     {"BEST", "best_value", true},
                     {"BEST TRIAL", "best_trial"},
                     {"SUBMITTED", "create_time"}};
  for (const v1::Sweep& sweep : sweeps) {
    const bool has_best = !sweep.best_trial().empty();
    const std::int64_t ended = EndedTrials(sweep.counts());
    listing.rows.push_back(
        {Text(ShortName(sweep.name())), Text(StateName(sweep.state())),
         {fmt::format("{}/{}", ended, sweep.planned_trials()), ended}, Count(sweep.planned_trials()),
         Count(sweep.counts().running()), Count(sweep.counts().failed()), Count(sweep.qualifying()),
         has_best ? Cell{MetricText(sweep.metric(), sweep.best_value()), sweep.best_value()} : Missing(),
         has_best ? Text(ShortName(sweep.best_trial())) : Missing(),
         TimeCell(sweep.has_create_time(), sweep.create_time())});
  }
  return listing;
}

Listing TrialListing(const std::vector<v1::Trial>& trials) {
  Listing listing;
  listing.empty = "no trials";
  listing.columns = {{"TRIAL", "trial"},
                     {"STATE", "state"},
                     {"PARAMETERS", "parameters", false, true, true},
                     {"EPOCH", "epoch", true},
                     {"", "epochs", true, false},
                     {"BEST", "best_accuracy", true},
                     {"AT", "best_epoch", true},
                     {"LAST", "last_accuracy", true},
                     {"LOSS", "last_loss", true},
                     {"TARGET", "epochs_to_target", true},
                     {"", "configuration", true, false},
                     {"", "replicate", true, false},
                     {"", "model", false, false},
                     {"", "network_parameters", true, false},
                     {"", "seed", true, false},
                     {"", "attempt", true, false},
                     {"", "failures", true, false},
                     {"", "worker", false, false},
                     {"", "reason", false, false}};
  for (const v1::Trial& trial : trials) {
    const bool measured = trial.epoch() > 0;
    const std::string parameters = ParametersText(trial);
    listing.rows.push_back(
        {Text(ShortName(trial.name())), Text(StateName(trial.state())),
         {trial.replicate() > 0 ? fmt::format("{} (replicate {})", parameters, trial.replicate())
                                : parameters,
          ParametersJson(trial)},
         {fmt::format("{}/{}", trial.epoch(), trial.epochs()), trial.epoch()}, Count(trial.epochs()),
         measured ? Share(trial.best_accuracy()) : Missing(),
         measured ? Count(trial.best_epoch()) : Missing(),
         measured ? Share(trial.last_accuracy()) : Missing(),
         measured ? Number(trial.last_loss()) : Missing(),
         trial.epochs_to_target() > 0 ? Count(trial.epochs_to_target()) : Missing(),
         Count(trial.configuration()), Count(trial.replicate()), Text(trial.model()),
         Count(trial.network_parameters()), {std::to_string(trial.seed()), trial.seed()},
         Count(trial.attempt()), Count(trial.failures()), Text(ShortName(trial.worker())),
         Text(trial.reason())});
  }
  return listing;
}

Listing EpochListing(const std::vector<v1::Epoch>& epochs) {
  Listing listing;
  listing.empty = "no epochs yet";
  listing.columns = {{"EPOCH", "epoch", true},         {"ATTEMPT", "attempt", true},
                     {"LR", "lr", true},               {"TRAIN LOSS", "train_loss", true},
                     {"TRAIN ACC", "train_accuracy", true}, {"VAL LOSS", "validation_loss", true},
                     {"VAL ACC", "validation_accuracy", true}, {"SECONDS", "train_seconds", true},
                     {"", "evaluate_seconds", true, false},    {"IMG/S", "images_per_second", true}};
  for (const v1::Epoch& epoch : epochs) {
    const double seconds = absl::ToDoubleSeconds(ToDuration(epoch.train_duration()));
    listing.rows.push_back(
        {Count(epoch.epoch()), Count(epoch.attempt()), Number(epoch.lr()), Number(epoch.train_loss()),
         Share(epoch.train_accuracy()), Number(epoch.validation_loss()),
         Share(epoch.validation_accuracy()), {fmt::format("{:.1f}", seconds), seconds},
         Number(absl::ToDoubleSeconds(ToDuration(epoch.evaluate_duration()))),
         {WithSeparators(std::llround(epoch.images_per_second())), epoch.images_per_second()}});
  }
  return listing;
}

Listing AttemptListing(const std::vector<v1::Attempt>& attempts) {
  Listing listing;
  listing.empty = "not leased yet";
  listing.columns = {{"ATTEMPT", "attempt", true}, {"WORKER", "worker"},
                     {"FROM", "start_time"},       {"TO", "end_time"},
                     {"OUTCOME", "outcome"},       {"REASON", "reason", false, true, true}};
  for (const v1::Attempt& attempt : attempts) {
    listing.rows.push_back({Count(attempt.attempt()), Text(ShortName(attempt.worker())),
                            TimeCell(attempt.has_start_time(), attempt.start_time()),
                            TimeCell(attempt.has_end_time(), attempt.end_time()),
                            Text(attempt.outcome().empty() ? "running" : attempt.outcome()),
                            Text(attempt.reason())});
  }
  return listing;
}

Listing WorkerListing(const std::vector<v1::Worker>& workers) {
  Listing listing;
  listing.empty = "no workers; start one with: sweep-worker --coordinator HOST:PORT";
  listing.columns = {{"WORKER", "worker"},
                     {"STATE", "state"},
                     {"HOST", "host"},
                     {"SLOTS", "slots", true},
                     {"DEVICE", "device", false, true, true},
                     {"IMG/S", "images_per_second", true},
                     {"DONE", "completed", true},
                     {"FAILED", "failed", true},
                     {"TRIALS", "trials", false, true, true},
                     {"LAST SEEN", "last_seen_time"},
                     {"", "build", false, false},
                     {"", "pid", true, false},
                     {"", "labels", false, false}};
  for (const v1::Worker& worker : workers) {
    std::string devices, trials;
    for (const std::string& device : worker.devices()) devices += (devices.empty() ? "" : ", ") + device;
    json trial_names = json::array();
    for (const std::string& trial : worker.trials()) {
      trials += (trials.empty() ? "" : " ") + ShortName(trial);
      trial_names.push_back(ShortName(trial));
    }
    json labels = json::object();
    for (const auto& [key, value] : worker.labels()) labels[key] = value;
    const std::string state =
        !worker.connected() ? "gone" : worker.draining() ? "draining" : "connected";
    listing.rows.push_back(
        {Text(ShortName(worker.name())), Text(state), Text(worker.host()), Count(worker.slots()),
         Text(devices),
         {WithSeparators(std::llround(worker.images_per_second())), worker.images_per_second()},
         Count(worker.completed()), Count(worker.failed()), {trials, trial_names},
         TimeCell(worker.has_last_seen_time(), worker.last_seen_time()), Text(worker.build()),
         {std::to_string(worker.pid()), worker.pid()}, {"", labels}});
  }
  return listing;
}

Listing RankListing(const v1::RankSweepResponse& ranking) {
  const bool by_loss = ranking.sweep().metric() == "loss";
  const bool replicated =
      std::any_of(ranking.rows().begin(), ranking.rows().end(),
                  [](const v1::RankedConfiguration& row) { return row.replicates() > 1; });
  Listing listing;
  listing.empty = "nothing to rank yet: no epoch has been reported";
  listing.columns = {{"#", "rank", true},
                     {"TRIAL", "trial"},
                     {"ACCURACY", "accuracy", true},
                     {"95 % INTERVAL", "interval", true},
                     {"EPOCH", "best_epoch", true},
                     {"LAST", "last_accuracy", true},
                     {"LOSS", "best_loss", true, by_loss},
                     {"MEAN OF LAST", "mean_last_accuracy", true, replicated},
                     {"", "mean_half_width", true, false},
                     {"", "replicates", true, false},
                     {"", "network_parameters", true, false},
                     {"", "epochs_to_target", true, false},
                     {"", "qualifies", false, false},
                     {"", "gates", false, false},
                     {"", "state", false, false},
                     {"", "seed", true, false}};
  for (const std::string& gate : ranking.sweep().gates()) listing.columns.push_back({gate, ""});
  listing.columns.push_back({"PARAMETERS", "parameters", false, true, true});

  for (const v1::RankedConfiguration& row : ranking.rows()) {
    const v1::Trial& trial = row.trial();
    const bool interval = row.interval_high() > row.interval_low();
    std::vector<Cell> cells = {
        Count(row.rank()), Text(ShortName(trial.name())), Share(row.value()),
        interval ? Cell{fmt::format("{:.2f}–{:.2f}", row.interval_low() * 100, row.interval_high() * 100),
                        json::array({row.interval_low(), row.interval_high()})}
                 : Missing(),
        Count(trial.best_epoch()), Share(trial.last_accuracy()), Number(trial.best_loss()),
        {fmt::format("{:.2f} ± {:.2f} % ({})", row.mean_last_accuracy() * 100,
                     row.mean_half_width() * 100, row.replicates()),
         row.mean_last_accuracy()},
        Number(row.mean_half_width()), Count(row.replicates()), Count(trial.network_parameters()),
        trial.epochs_to_target() > 0 ? Count(trial.epochs_to_target()) : Missing(),
        {row.qualifies() ? "yes" : "no", row.qualifies()}, {"", GatesJson(row)},
        Text(StateName(trial.state())), {std::to_string(trial.seed()), trial.seed()}};
    for (int gate = 0; gate < ranking.sweep().gates_size(); ++gate) {
      cells.push_back(gate < row.gates_size() ? Text(GateText(row.gates(gate))) : Missing());
    }
    cells.push_back({ParametersText(trial), ParametersJson(trial)});
    listing.rows.push_back(std::move(cells));
  }
  return listing;
}

json SweepJson(const v1::Sweep& sweep) {
  json object = {{"name", ShortName(sweep.name())},
                 {"state", StateName(sweep.state())},
                 {"method", sweep.method()},
                 {"metric", sweep.metric()},
                 {"maximize", sweep.maximize()},
                 {"digest", sweep.digest()},
                 {"planned_trials", sweep.planned_trials()},
                 {"epochs", sweep.epochs()},
                 {"gates", std::vector<std::string>(sweep.gates().begin(), sweep.gates().end())},
                 {"qualifying", sweep.qualifying()},
                 {"principal", sweep.principal()},
                 {"best_trial", ShortName(sweep.best_trial())},
                 {"best_value", sweep.best_trial().empty() ? json(nullptr) : json(sweep.best_value())},
                 {"create_time", TimeCell(sweep.has_create_time(), sweep.create_time()).value},
                 {"end_time", TimeCell(sweep.has_end_time(), sweep.end_time()).value}};
  const v1::TrialCounts& counts = sweep.counts();
  object["trials"] = {{"pending", counts.pending()},     {"running", counts.running()},
                      {"completed", counts.completed()}, {"stopped", counts.stopped()},
                      {"failed", counts.failed()},       {"cancelled", counts.cancelled()}};
  object["labels"] = json::object();
  for (const auto& [key, value] : sweep.labels()) object["labels"][key] = value;
  return object;
}

json TrialJson(const v1::Trial& trial) {
  json object = ListingJson(TrialListing({trial}))[0];
  object["fully_connected"] = trial.fully_connected();
  object["evaluation_images"] = trial.evaluation_images();
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

void PrintRanking(const v1::RankSweepResponse& ranking, const Session& session, std::ostream& out) {
  PrintListing(RankListing(ranking), session.format, session.width, out);
  if (session.format != Format::kTable) return;
  const v1::Sweep& sweep = ranking.sweep();
  if (ranking.rows().empty() || sweep.gates().empty()) return;
  std::string criteria;
  for (const std::string& gate : sweep.gates()) criteria += (criteria.empty() ? "" : ", ") + gate;
  out << '\n';
  if (sweep.qualifying() > 0) {
    const v1::Trial& best = ranking.rows(0).trial();
    std::string when;
    if (best.epochs_to_target() > 0) {
      when = fmt::format("; {} reached the target at epoch {}", ShortName(best.name()),
                         best.epochs_to_target());
    }
    out << Styled(session, Style::kGreen,
                  fmt::format("{} configuration{} every gate ({}){}", sweep.qualifying(),
                              sweep.qualifying() == 1 ? " meets" : "s meet", criteria, when))
        << '\n';
  } else {
    out << Styled(session, Style::kYellow,
                  fmt::format("no configuration meets every gate ({})", criteria))
        << '\n';
  }
}

}  // namespace sweep::cli
