#include "cli/present/watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "absl/time/clock.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "common/base/utf8.h"
#include "common/stats/objective.h"
#include "proto/epochs.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

constexpr absl::Duration kBetweenPictures = absl::Milliseconds(100);
constexpr int kWide = 100;  // columns from which bars are long

std::string EndLine(const v1::Trial& trial, const v1::Sweep& sweep, const Session& session) {
  const std::string name = ShortName(trial.name());
  if (trial.state() == v1::TRIAL_STATE_FAILED) {
    return Styled(session, Style::kRed, "✗ ") + name +
           "  failed: " + Printable(OneLine(trial.reason(), kReasonBytes));
  }
  if (trial.state() == v1::TRIAL_STATE_DIVERGED) {  // the reason begins with that word
    return Styled(session, Style::kYellow, "✗ ") + name + "  " +
           Printable(OneLine(trial.reason(), kReasonBytes)) + "  " + ParametersText(trial);
  }
  if (trial.state() == v1::TRIAL_STATE_CANCELLED) return "– " + name + "  cancelled";
  std::string line = Styled(session, Style::kGreen, "✓ ") + name;
  const Objective objective = ObjectiveOf(sweep);
  if (const std::optional<double> best = BestOf(trial, objective)) {
    // The ranking's value differs when the best epoch lies beyond the gate on epochs.
    if (trial.value_epoch() > 0 && trial.value_epoch() < trial.best_epoch() &&
        IsBetter(objective, *best, trial.value())) {
      line += fmt::format("  {} at epoch {} counts", MeasureText(objective.name, trial.value()),
                          trial.value_epoch());
    }
    line +=
        fmt::format("  best {} at epoch {}, last {}", NamedMeasureText(objective.name, best),
                    trial.best_epoch(), MeasureText(objective.name, LastOf(trial, objective.name)));
  }
  if (sweep.gates_size() > 0 && trial.epochs_to_target() > 0) {
    line += Styled(session, Style::kGreen,
                   fmt::format("  meets all criteria at epoch {}", trial.epochs_to_target()));
  }
  return line + "  " + Printable(ParametersText(trial));
}

std::string EpochLine(const v1::TrialEpoch& event) {
  return fmt::format("{}  epoch {}  {}", ShortName(event.trial()), event.epoch().epoch(),
                     EpochText(FromProto(event.epoch())));
}

// Updates as the coordinator does; its row of the trial comes later.
void AddEpoch(const Objective& objective, const EpochMetrics& metrics, v1::Trial* trial) {
  const std::optional<double> value = metrics.values.Get(objective.name);
  const std::optional<double> best = BestOf(*trial, objective);
  if (value && (!best || IsBetter(objective, *value, *best))) trial->set_best_epoch(metrics.epoch);
  MeasureSummaries summaries = FromProto(trial->measures());
  AddToSummaries(metrics.values, &summaries);
  *trial->mutable_measures() = ToProto(summaries);
  trial->set_epoch(metrics.epoch);
}

}  // namespace

bool WatchModel::ended() const { return cli::HasEnded(sweep_); }

void WatchModel::SetEarlierState(const std::vector<v1::Trial>& trials) {
  for (const v1::Trial& trial : trials) {
    const int epoch = HasEnded(trial.state()) ? trial.epochs() + 1 : trial.epoch();
    known_[trial.number()] = {.attempt = trial.attempt(), .epoch = epoch};
  }
}

bool WatchModel::IsKnown(std::int64_t number, int attempt, int epoch) const {
  const auto known = known_.find(number);
  if (known == known_.end()) return false;
  return attempt < known->second.attempt ||
         (attempt == known->second.attempt && epoch <= known->second.epoch);
}

void WatchModel::ApplyTrial(const v1::Trial& trial, const Session& session,
                            std::vector<std::string>* lines) {
  if (trial.state() == v1::TRIAL_STATE_ON_HOLD) {
    on_hold_.insert(trial.number());
  } else {
    on_hold_.erase(trial.number());
  }
  if (HasEnded(trial.state())) {
    running_.erase(trial.number());
    const bool is_new = ended_.insert_or_assign(trial.number(), trial).second;
    if (is_new && !IsKnown(trial.number(), trial.attempt(), trial.epochs() + 1)) {
      lines->push_back(EndLine(trial, sweep_, session));
      failures_told_ += trial.state() == v1::TRIAL_STATE_FAILED ? 1 : 0;
    }
  } else if (trial.state() == v1::TRIAL_STATE_PENDING || trial.state() == v1::TRIAL_STATE_ON_HOLD) {
    running_.erase(trial.number());
    ended_.erase(trial.number());
  } else {
    Running& running = running_[trial.number()];
    if (running.trial.attempt() != trial.attempt()) running.progress.Clear();
    running.trial = trial;
  }
}

void WatchModel::ApplyEpoch(const v1::TrialEpoch& event, const Session& session,
                            std::vector<std::string>* lines) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(event.trial());
  const auto running = id.ok() ? running_.find(id->number) : running_.end();
  if (running == running_.end()) return;
  v1::Trial trial = running->second.trial;
  // Otherwise the trial's row is newer than this event.
  if (event.epoch().epoch() <= trial.epoch()) return;
  AddEpoch(ObjectiveOf(sweep_), FromProto(event.epoch()), &trial);
  ApplyTrial(trial, session, lines);
}

void WatchModel::ApplyProgress(const v1::ProgressBatch& batch) {
  if (batch.has_sweep()) sweep_ = batch.sweep();
  for (const v1::Progress& progress : batch.progress()) {
    const absl::StatusOr<TrialId> id = ParseTrialResource(progress.trial());
    const auto running = id.ok() ? running_.find(id->number) : running_.end();
    if (running != running_.end()) running->second.progress = progress;
  }
}

std::vector<std::string> WatchModel::Apply(const v1::WatchSweepResponse& message, absl::Time,
                                           bool epochs, const Session& session) {
  std::vector<std::string> lines;
  if (!message.cursor().empty()) cursor_ = message.cursor();
  if (message.has_sweep()) {
    const bool is_news = message.sweep().pause_reason() != sweep_.pause_reason();
    const bool is_edited = sweep_.revision() > 0 && message.sweep().revision() > sweep_.revision();
    sweep_ = message.sweep();
    if (is_edited) {
      lines.push_back(fmt::format("± {} has another file now, revision {}: {} in all",
                                  ShortName(sweep_.name()), sweep_.revision(),
                                  Counted(sweep_.planned_configurations(), "configuration")));
    }
    if (is_news && tells_pause_ && !sweep_.pause_reason().empty()) {
      lines.push_back(Styled(session, Style::kRed, "‖ ") + PauseText(sweep_));
      lines.push_back("go on with: " + Command(session, {"resume", ShortName(sweep_.name())}));
    }
  }
  if (message.has_trial()) ApplyTrial(message.trial(), session, &lines);
  if (message.has_epoch()) {
    ApplyEpoch(message.epoch(), session, &lines);
    const absl::StatusOr<TrialId> id = ParseTrialResource(message.epoch().trial());
    const v1::Epoch& epoch = message.epoch().epoch();
    const bool is_known = id.ok() && IsKnown(id->number, epoch.attempt(), epoch.epoch());
    if (epochs && !is_known) lines.push_back(EpochLine(message.epoch()));
  }
  if (message.has_progress()) ApplyProgress(message.progress());
  return lines;
}

std::string WatchModel::BarLine(const Running& running, int name_width, int width,
                                const Session& session) const {
  const bool is_narrow = width < kWide;
  const v1::Progress& progress = running.progress;
  const int epochs = running.trial.epochs();
  const bool has_steps = progress.steps() > 0;
  // If the program reports no progress within an epoch, the bar shows epochs.
  const double share = has_steps    ? static_cast<double>(progress.step()) / progress.steps()
                       : epochs > 0 ? static_cast<double>(running.trial.epoch()) / epochs
                                    : 0;
  const int epoch = has_steps ? progress.epoch() : running.trial.epoch() + 1;
  std::string line =
      fmt::format("  {}  epoch {:>2}/{} {}", Pad(ShortName(running.trial.name()), name_width),
                  std::min(epoch, epochs), epochs,
                  Styled(session, Style::kGreen, "▕" + Bar(share, is_narrow ? 8 : 16) + "▏"));
  if (has_steps) line += fmt::format(" {:>4}/{}", progress.step(), progress.steps());
  if (!has_steps && running.trial.epoch() == 0) line += " starting";
  const Objective objective = ObjectiveOf(sweep_);
  if (const std::optional<double> last = LastOf(running.trial, objective.name)) {
    line += "  last " + MeasureText(objective.name, last);
    // On a narrow line the hyperparameters are worth more than the best value.
    if (!is_narrow)
      line += " best " + MeasureText(objective.name, BestOf(running.trial, objective));
  }
  line += "  " + Printable(ParametersText(running.trial));
  if (has_steps && progress.images_per_second() > 0) {
    line += fmt::format("  {} images/s",
                        WithSeparators(static_cast<std::int64_t>(progress.images_per_second())));
  }
  return line;
}

std::vector<std::string> WatchModel::SummaryParts(bool is_short, const Session& session) const {
  const auto count = [&](v1::TrialState state) {
    return std::count_if(ended_.begin(), ended_.end(),
                         [state](const auto& entry) { return entry.second.state() == state; });
  };
  std::vector<std::string> parts = {
      Styled(session, Style::kBold, ShortName(sweep_.name())), StateName(sweep_.state()),
      is_short ? fmt::format("{}/{} ended", ended_.size(), sweep_.planned_trials())
               : fmt::format("{} of {} ended", ended_.size(), PlannedText(sweep_))};
  if (const auto failed = count(v1::TRIAL_STATE_FAILED); failed > 0) {
    parts.push_back(Styled(session, Style::kRed, fmt::format("{} failed", failed)));
  }
  if (const auto diverged = count(v1::TRIAL_STATE_DIVERGED); diverged > 0) {
    parts.push_back(fmt::format("{} diverged", diverged));
  }
  if (!on_hold_.empty()) parts.push_back(fmt::format("{} on hold", on_hold_.size()));
  const std::optional<absl::Duration> left = cli::TimeLeft(sweep_);
  if (left && is_short) parts.push_back(HumanDuration(*left) + " left");
  if (running_.empty() && sweep_.state() == v1::SWEEP_STATE_ACTIVE) {
    parts.push_back(sweep_.trained_by() == "callers" ? "waiting for a caller"
                                                     : "waiting for a worker");
  }
  if (const std::string best = BestText(sweep_, is_short); !best.empty()) parts.push_back(best);
  if (left && !is_short) parts.push_back("about " + HumanDuration(*left) + " left");
  return parts;
}

std::string WatchModel::SummaryLine(int width, const Session& session) const {
  const std::string line =
      fmt::format("{}", fmt::join(SummaryParts(/*is_short=*/false, session), "  "));
  if (StyledWidth(line) <= width) return line;
  return fmt::format("{}", fmt::join(SummaryParts(/*is_short=*/true, session), "  "));
}

std::vector<std::string> WatchModel::Live(absl::Time, const TerminalSize& size,
                                          const Session& session) const {
  const int width = size.columns - 2;
  std::vector<std::string> lines = {SummaryLine(width, session)};
  // One line of the screen is for the cursor, one for a notice.
  const auto room = static_cast<std::size_t>(std::max(1, size.lines - 3));
  const bool all_fit = running_.size() <= room;
  const std::size_t bars = all_fit ? running_.size() : room - 1;
  int names = 0;
  for (const auto& [number, running] : running_) {
    names = std::max(names, DisplayWidth(ShortName(running.trial.name())));
  }
  for (const auto& [number, running] : running_) {
    if (lines.size() > bars) break;
    lines.push_back(BarLine(running, names, size.columns, session));
  }
  if (!all_fit) lines.push_back(fmt::format("  and {} more running", running_.size() - bars));
  // A wrapped line would take two rows and break the redrawing.
  for (std::string& text : lines) text = TruncateStyled(text, width);
  return lines;
}

WatchView::WatchView(const Session& session, bool only_news)
    : session_(session),
      only_news_(only_news),
      silent_(session.quiet || session.format != Format::kTable) {
  if (session.terminal && !silent_) block_ = std::make_unique<LiveBlock>();
}

WatchView::~WatchView() = default;

void WatchView::Print(const std::string& line) {
  if (silent_) return;
  const int columns = session_.terminal ? CurrentTerminalSize().columns : 0;
  LiveBlock::Above(std::cout, Wrapped(line, columns) + "\n");
}

void WatchView::Lost(absl::Duration since) {
  const std::string text = "coordinator does not answer; trying again";
  if (notice_.empty() && !session_.terminal) Print(text);
  {
    MutexLock lock(&mutex_);
    notice_ = text + " (" + HumanDuration(absl::Trunc(since, absl::Seconds(1))) + ")";
    is_drawn_ = false;
  }
  Draw();
}

void WatchView::Found() {
  if (notice_.empty()) return;
  {
    MutexLock lock(&mutex_);
    notice_.clear();
    is_drawn_ = false;
  }
  Print("coordinator answers again");
}

void WatchView::Update(const v1::WatchSweepResponse& message) {
  std::vector<std::string> lines;
  {
    MutexLock lock(&mutex_);
    lines = model_.Apply(message, absl::Now(), /*epochs=*/!session_.terminal, session_);
    is_drawn_ = false;
  }
  for (const std::string& line : lines) Print(line);
}

void WatchView::Draw() {
  // Held while drawing, so that no older picture overwrites a newer one.
  MutexLock lock(&mutex_);
  if (block_ == nullptr || is_drawn_ || model_.sweep().name().empty()) return;
  const absl::Time now = absl::Now();
  if (now - last_draw_ < kBetweenPictures) return;
  last_draw_ = now;
  is_drawn_ = true;
  std::vector<std::string> lines = model_.Live(now, CurrentTerminalSize(), session_);
  if (!notice_.empty()) lines.push_back(Styled(session_, Style::kYellow, notice_));
  block_->Draw(std::move(lines));
}

}  // namespace sweep::cli
