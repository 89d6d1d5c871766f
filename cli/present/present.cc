#include "cli/present/present.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/measure_text.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "common/base/utf8.h"
#include "common/base/value.h"
#include "coordinator/scheduler/fail_alike.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using namespace cells;

std::string Lower(std::string text, std::size_t prefix) {
  text.erase(0, std::min(prefix, text.size()));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string StateName(v1::TrialState state) { return Lower(v1::TrialState_Name(state), 12); }
std::string StateName(v1::SweepState state) { return Lower(v1::SweepState_Name(state), 12); }

bool IsKeptFromRunning(const v1::Sweep& sweep) {
  return !sweep.file_refusal().empty() &&
         (sweep.state() == v1::SWEEP_STATE_ACTIVE || sweep.state() == v1::SWEEP_STATE_PAUSED);
}

std::string StatusText(const v1::Sweep& sweep) {
  std::string text = StateName(sweep.state());
  if (sweep.counts().failed() > 0) text += fmt::format(", {} failed", sweep.counts().failed());
  if (IsKeptFromRunning(sweep)) text += ", file not accepted";
  return text;
}

Style StatusStyle(const v1::Sweep& sweep) {
  const v1::TrialCounts& counts = sweep.counts();
  if (counts.failed() > 0 || !sweep.pause_reason().empty() || IsKeptFromRunning(sweep)) {
    return Style::kRed;
  }
  if (sweep.state() != v1::SWEEP_STATE_COMPLETED) return Style::kNone;
  return counts.diverged() > 0 ? Style::kYellow : Style::kGreen;
}

Style StateStyle(v1::TrialState state) {
  switch (state) {
    case v1::TRIAL_STATE_COMPLETED:
      return Style::kGreen;
    case v1::TRIAL_STATE_FAILED:
      return Style::kRed;
    case v1::TRIAL_STATE_DIVERGED:
      return Style::kYellow;
    default:
      return Style::kNone;
  }
}

std::string StyledStatus(const v1::Sweep& sweep, const Session& session) {
  return Styled(session, StatusStyle(sweep), StatusText(sweep));
}

std::string PauseText(const v1::Sweep& sweep) {
  if (sweep.pause_reason().empty()) return "";
  return fmt::format("{} is paused: {}", ShortName(sweep.name()),
                     Printable(OneLine(sweep.pause_reason(), kReasonBytes)));
}

std::string RefusalText(const v1::Sweep& sweep) {
  if (!IsKeptFromRunning(sweep)) return "";
  return fmt::format("{} does not run: this build of the coordinator does not accept its file: {}",
                     ShortName(sweep.name()),
                     Printable(OneLine(sweep.file_refusal(), kReasonBytes)));
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
    case v1::Value::kListValue:
      return value.list_value();
    default:
      return "";
  }
}

Json ValueJson(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value();
    case v1::Value::kIntValue:
      return std::int64_t{value.int_value()};
    case v1::Value::kDoubleValue:
      return value.double_value();
    case v1::Value::kStringValue:
      return value.string_value();
    case v1::Value::kListValue:
      return Json::parse(value.list_value(), nullptr, /*allow_exceptions=*/false);
    default:
      return nullptr;
  }
}

std::string ParametersText(const v1::Trial& trial) { return ValuesText(trial.parameters()); }

std::string ValuesText(const google::protobuf::Map<std::string, v1::Value>& values) {
  // A map has no order; people look for the learning rate first.
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

namespace {

std::optional<double> BestValue(const v1::Sweep& sweep) {
  return sweep.has_best_value() ? std::optional<double>(sweep.best_value()) : std::nullopt;
}

}  // namespace

std::string BestValueText(const v1::Sweep& sweep) {
  return NamedMeasureText(sweep.metric(), BestValue(sweep));
}

std::string BestText(const v1::Sweep& sweep, bool is_short) {
  if (sweep.best_trial().empty()) return "";
  // Without gates all configurations qualify.
  const bool says_so = sweep.best_qualifies() && sweep.gates_size() > 0;
  const char* const what = !says_so ? "best so far" : is_short ? "best" : "best that qualifies";
  return fmt::format("{} {} ({})", what, BestValueText(sweep), ShortName(sweep.best_trial()));
}

std::string ShortName(const std::string& resource) {
  if (resource.starts_with("workers/")) return resource.substr(8);
  if (!resource.starts_with("sweeps/")) return resource;
  std::string name = resource.substr(7);
  const std::size_t trials = name.find("/trials/");
  if (trials != std::string::npos) name.replace(trials, 8, "/");
  return name;
}

std::string SweepOf(const v1::Trial& trial) {
  const std::string name = ShortName(trial.name());
  return name.substr(0, name.find('/'));
}

bool HasEnded(const v1::Sweep& sweep) {
  return sweep.state() == v1::SWEEP_STATE_COMPLETED || sweep.state() == v1::SWEEP_STATE_CANCELLED;
}

bool HasEnded(v1::TrialState state) {
  return state == v1::TRIAL_STATE_COMPLETED || state == v1::TRIAL_STATE_STOPPED ||
         state == v1::TRIAL_STATE_FAILED || state == v1::TRIAL_STATE_DIVERGED ||
         state == v1::TRIAL_STATE_CANCELLED;
}

std::int64_t EndedTrials(const v1::TrialCounts& counts) {
  return counts.completed() + counts.stopped() + counts.failed() + counts.diverged() +
         counts.cancelled();
}

std::int64_t MadeTrials(const v1::TrialCounts& counts) {
  return EndedTrials(counts) + counts.pending() + counts.running() + counts.on_hold();
}

std::optional<absl::Duration> TimeLeft(const v1::Sweep& sweep) {
  if (!sweep.has_time_left()) return std::nullopt;
  return ToDuration(sweep.time_left());
}

namespace {

// True when any sweep has trials in this count: a column of zeros says little.
bool AnyHas(const std::vector<v1::Sweep>& sweeps, decltype(&v1::TrialCounts::failed) count) {
  return std::any_of(sweeps.begin(), sweeps.end(),
                     [&](const v1::Sweep& sweep) { return (sweep.counts().*count)() > 0; });
}

// "/60", the planned number of trials, if known; "/60–120" while a race may add some.
std::string OfPlanned(const v1::Sweep& sweep) {
  if (sweep.planned_trials() == 0) return "";
  const std::int64_t most = sweep.most_trials();
  return fmt::format("/{}{}", sweep.planned_trials(),
                     most > sweep.planned_trials() ? fmt::format("–{}", most) : "");
}

}  // namespace

std::string PlannedText(const v1::Sweep& sweep) {
  if (sweep.most_trials() <= sweep.planned_trials()) {
    return Counted(sweep.planned_trials(), "trial");
  }
  return fmt::format("{} to {} trials", sweep.planned_trials(), sweep.most_trials());
}

Listing SweepListing(const std::vector<v1::Sweep>& sweeps) {
  const bool any_failed = AnyHas(sweeps, &v1::TrialCounts::failed);
  const bool any_diverged = AnyHas(sweeps, &v1::TrialCounts::diverged);
  const bool any_cancelled = AnyHas(sweeps, &v1::TrialCounts::cancelled);
  const bool any_on_hold = AnyHas(sweeps, &v1::TrialCounts::on_hold);
  Listing listing;
  listing.empty = "no sweeps yet; `sweep run` or `sweep submit` with a sweep file makes one";
  listing.columns = {{"SWEEP", "name", false, true, true},
                     {"STATE", "state"},
                     {"TRIALS", "ended", true},
                     {"", "planned", true, false},
                     {"RUNNING", "running", true, true, false, 2},
                     {"ON HOLD", "on_hold", true, any_on_hold, false, 3},
                     {"FAILED", "failed", true, true, false, any_failed ? 0 : 3},
                     {"DIVERGED", "diverged", true, any_diverged, false, 3},
                     {"CANCELLED", "cancelled", true, any_cancelled, false, 3},
                     {"QUALIFYING", "qualifying", true, true, false, 5},
                     {"BEST", "best_value", true},
                     {"BEST TRIAL", "best_trial", false, true, false, 4},
                     {"", "best_qualifies", false, false},
                     {"LEFT", "seconds_left", true, true, false, 1},
                     {"DISK", "disk_bytes", true, true, false, 7},
                     {"SUBMITTED", "create_time", false, true, false, 6},
                     {"", "status", false, false}};
  std::vector<documents::ListedSweep> documents;
  for (const v1::Sweep& sweep : sweeps) {
    const std::optional<absl::Duration> left = TimeLeft(sweep);
    const bool has_best = !sweep.best_trial().empty();
    listing.rows.push_back(
        {Text(ShortName(sweep.name())),
         {StateName(sweep.state()), {}, StatusStyle(sweep)},
         // Excludes cancelled trials, which have their own column: they are no progress.
         {fmt::format("{}{}", EndedTrials(sweep.counts()) - sweep.counts().cancelled(),
                      OfPlanned(sweep))},
         {},
         Count(sweep.counts().running()),
         Count(sweep.counts().on_hold()),
         Count(sweep.counts().failed()),
         Count(sweep.counts().diverged()),
         Count(sweep.counts().cancelled()),
         Count(sweep.qualifying()),
         has_best ? Text(BestValueText(sweep)) : Missing(),
         has_best ? Text(ShortName(sweep.best_trial())) : Missing(),
         {},
         left ? Text(HumanDuration(*left)) : Missing(),
         Text(BytesText(sweep.disk_bytes())),
         AgoCell(sweep.has_create_time(), sweep.create_time()),
         {}});
    documents.push_back(ToListed(sweep));
  }
  AddDocuments(documents, &listing);
  return listing;
}

namespace {

// When all trials failed, the reason matters most.
bool AllFailed(const std::vector<v1::Trial>& trials) {
  return !trials.empty() && std::all_of(trials.begin(), trials.end(), [](const v1::Trial& trial) {
    return trial.state() == v1::TRIAL_STATE_FAILED || trial.state() == v1::TRIAL_STATE_DIVERGED;
  });
}

}  // namespace

Listing TrialListing(const v1::Sweep& sweep, const std::vector<v1::Trial>& trials) {
  const std::vector<Objective> objectives = ObjectivesOf(sweep);
  const Objective& objective = objectives.front();
  Listing listing;
  listing.empty = "no trials";
  listing.columns = {{"TRIAL", "trial"},
                     {"STATE", "state"},
                     {"HYPERPARAMETERS", "parameters", false, true, true},
                     {"EPOCH", "epoch", true, true, false, 3},
                     {"BEST", "best", true},
                     {"AT", "best_epoch", true, true, false, 4},
                     {"LAST", "last", true, true, false, 2},
                     {"TARGET", "epochs_to_target", true, true, false, 1},
                     {"TIME", "attempt_seconds", true, true, false, 4},
                     {"REASON", "reason", false, AllFailed(trials), true}};
  for (std::size_t i = 1; i < objectives.size(); ++i) {
    listing.columns.push_back({"BEST " + MeasureColumn(objectives[i].name), "", true});
  }
  std::vector<documents::ListedTrial> documents;
  for (const v1::Trial& trial : trials) {
    const std::string parameters = ParametersText(trial);
    listing.rows.push_back(
        {Text(ShortName(trial.name())),
         {StateName(trial.state()), {}, StateStyle(trial.state())},
         {trial.replicate() > 0 ? fmt::format("{} (replicate {})", parameters, trial.replicate())
                                : parameters},
         {fmt::format("{}/{}", trial.epoch(), trial.epochs())},
         MeasureCell(objective.name, BestOf(trial, objective)),
         KnownCount(trial.best_epoch()),
         MeasureCell(objective.name, LastOf(trial, objective.name)),
         KnownCount(trial.epochs_to_target()),
         trial.attempt() > 0 ? Text(HumanDuration(ToDuration(trial.attempt_duration())))
                             : Missing(),
         Text(FailureHeadline(trial.reason()))});
    for (std::size_t i = 1; i < objectives.size(); ++i) {
      listing.rows.back().push_back(MeasureCell(objectives[i].name, BestOf(trial, objectives[i])));
    }
    documents.push_back(ToListed(sweep, trial));
  }
  AddDocuments(documents, &listing);
  return listing;
}

Listing EpochListing(const std::vector<v1::Epoch>& epochs) {
  Listing listing;
  listing.empty = "no epochs yet";
  listing.columns = {{"EPOCH", "epoch", true}, {"ATTEMPT", "attempt", true, true, false, 3}};
  std::vector<EpochMetrics> metrics;
  std::vector<documents::EpochRow> documents;
  for (const v1::Epoch& epoch : epochs) {
    listing.rows.push_back({Count(epoch.epoch()), Count(epoch.attempt())});
    metrics.push_back(FromProto(epoch));
    documents.push_back(ToDocument(epoch));
  }
  AddMeasureColumns(metrics, &listing);
  AddDocuments(documents, &listing);
  return listing;
}

namespace {

// The values that differ from those of the segment before; "" for none.
std::string ChangedText(const v1::Ancestor& before, const v1::Ancestor& now) {
  google::protobuf::Map<std::string, v1::Value> changed;
  for (const auto& [name, value] : now.parameters()) {
    const auto then = before.parameters().find(name);
    if (then != before.parameters().end() && ValueText(then->second) == ValueText(value)) continue;
    changed[name] = value;
  }
  return ValuesText(changed);
}

std::string EpochsText(const v1::Ancestor& segment) {
  const int first = segment.start_epoch() + 1;
  if (segment.epoch() < first) return fmt::format("from {}", first);
  return segment.epoch() == first ? fmt::format("{}", first)
                                  : fmt::format("{}-{}", first, segment.epoch());
}

}  // namespace

Listing LineageListing(const v1::Sweep& sweep, const v1::Trial& trial) {
  const std::string metric = ObjectivesOf(sweep).front().name;
  Listing listing;
  listing.columns = {{"LINEAGE", ""},
                     {"MEMBER", "", true},
                     {"EPOCHS", "", true},
                     {MeasureColumn(metric), "", true},
                     {"VALUES", "", false, true, true}};
  for (int i = 0; i < trial.lineage_size(); ++i) {
    const v1::Ancestor& segment = trial.lineage(i);
    std::string values =
        i == 0 ? ValuesText(segment.parameters()) : ChangedText(trial.lineage(i - 1), segment);
    if (values.empty()) values = "as before";
    listing.rows.push_back(
        {Text(fmt::format("{}/{}", SweepOf(trial), segment.trial())), Count(segment.member()),
         Text(EpochsText(segment)),
         MeasureCell(metric, segment.has_last() ? std::optional(segment.last()) : std::nullopt),
         Text(values)});
  }
  return listing;
}

namespace {

Cell OutcomeCell(const std::string& outcome) {
  const Style style = outcome == "completed"                     ? Style::kGreen
                      : outcome == "failed" || outcome == "lost" ? Style::kRed
                      : outcome == "diverged"                    ? Style::kYellow
                                                                 : Style::kNone;
  return {outcome, {}, style};
}

}  // namespace

Listing AttemptListing(const std::vector<v1::Attempt>& attempts) {
  Listing listing;
  listing.empty = "not leased yet";
  const std::string zone = absl::FormatTime("%Z", absl::Now(), absl::LocalTimeZone());
  listing.columns = {{"ATTEMPT", "attempt", true},
                     {"WORKER", "worker"},
                     {"FROM (" + zone + ")", "start_time", false, true, false, 1},
                     {"TO", "end_time", false, true, false, 2},
                     {"OUTCOME", "outcome"},
                     {"REASON", "reason", false, true, true}};
  std::vector<documents::Attempt> documents;
  for (const v1::Attempt& attempt : attempts) {
    const documents::Attempt& document = documents.emplace_back(ToDocument(attempt));
    listing.rows.push_back({Count(attempt.attempt()), Text(document.worker()),
                            TimeCell(attempt.has_start_time(), attempt.start_time()),
                            TimeCell(attempt.has_end_time(), attempt.end_time()),
                            OutcomeCell(document.outcome()),
                            Text(FailureHeadline(attempt.reason()))});
  }
  AddDocuments(documents, &listing);
  return listing;
}

void PrintSweep(const v1::Sweep& sweep, const Session& session, const Json& extra) {
  if (session.format == Format::kCsv) {
    PrintListing(SweepListing({sweep}), session, std::cout);
  } else if (session.format == Format::kJson) {
    Json document = ToJson(ToShown(sweep));
    document.update(extra);
    PrintJson(document, std::cout);
  }
}

}  // namespace sweep::cli
