#include "cli/present/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "absl/time/clock.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/utf8.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

constexpr std::size_t kReasonBytes = 500;

bool HasEnded(v1::TrialState state) {
  return state == v1::TRIAL_STATE_COMPLETED || state == v1::TRIAL_STATE_STOPPED ||
         state == v1::TRIAL_STATE_FAILED || state == v1::TRIAL_STATE_DIVERGED ||
         state == v1::TRIAL_STATE_CANCELLED;
}

std::string EndLine(const v1::Trial& trial, const Session& session) {
  const std::string name = ShortName(trial.name());
  if (trial.state() == v1::TRIAL_STATE_FAILED) {
    return Styled(session, Style::kRed, "✗ ") + name +
           "  failed: " + Printable(OneLine(trial.reason(), kReasonBytes));
  }
  if (trial.state() == v1::TRIAL_STATE_DIVERGED) {  // the reason begins with the word
    return Styled(session, Style::kYellow, "✗ ") + name + "  " +
           Printable(OneLine(trial.reason(), kReasonBytes)) + "  " + ParametersText(trial);
  }
  if (trial.state() == v1::TRIAL_STATE_CANCELLED) return "– " + name + "  cancelled";
  std::string line = Styled(session, Style::kGreen, "✓ ") + name + "  " + ParametersText(trial);
  if (trial.epoch() > 0) {
    // What the ranking has, which knows no epoch beyond the gate.
    if (trial.value_epoch() > 0 && trial.value_epoch() < trial.best_epoch() &&
        trial.value() < trial.best_accuracy()) {
      line += fmt::format("  {} at epoch {} counts", Percent(trial.value()), trial.value_epoch());
    }
    line += fmt::format("  best {} at epoch {}, last {}", Percent(trial.best_accuracy()),
                        trial.best_epoch(), Percent(trial.last_accuracy()));
  }
  if (trial.epochs_to_target() > 0) {
    line += Styled(session, Style::kGreen,
                   fmt::format("  target at epoch {}", trial.epochs_to_target()));
  }
  return line;
}

std::string EpochLine(const v1::TrialEpoch& event) {
  const v1::Epoch& epoch = event.epoch();
  return fmt::format(
      "{}  epoch {}  train loss {:.4f} acc {}  val loss {:.4f} acc {}  {:.0f} images/s",
      ShortName(event.trial()), epoch.epoch(), epoch.train_loss(), Percent(epoch.train_accuracy()),
      epoch.validation_loss(), Percent(epoch.validation_accuracy()), epoch.images_per_second());
}

}  // namespace

bool WatchModel::ended() const {
  return sweep_.state() == v1::SWEEP_STATE_COMPLETED || sweep_.state() == v1::SWEEP_STATE_CANCELLED;
}

void WatchModel::ApplyTrial(const v1::Trial& trial, const Session& session,
                            std::vector<std::string>* lines) {
  if (HasEnded(trial.state())) {
    running_.erase(trial.number());
    const bool is_new = ended_.insert_or_assign(trial.number(), trial).second;
    if (is_new) lines->push_back(EndLine(trial, session));
  } else if (trial.state() == v1::TRIAL_STATE_PENDING) {
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
  const v1::Epoch& epoch = event.epoch();
  if (epoch.epoch() <= trial.epoch()) return;  // the trial's row was newer than this event
  trial.set_epoch(epoch.epoch());
  trial.set_last_accuracy(epoch.validation_accuracy());
  if (trial.best_epoch() == 0 || epoch.validation_accuracy() > trial.best_accuracy()) {
    trial.set_best_accuracy(epoch.validation_accuracy());
    trial.set_best_epoch(epoch.epoch());
  }
  if (trial.epoch() == 1 || epoch.validation_loss() < trial.best_loss()) {
    trial.set_best_loss(epoch.validation_loss());
  }
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
    sweep_ = message.sweep();
    if (is_news && !sweep_.pause_reason().empty()) {
      lines.push_back(Styled(session, Style::kRed, "‖ ") + PauseText(sweep_) +
                      "; go on with: sweep resume " + ShortName(sweep_.name()) +
                      SameCoordinator(session));
    }
  }
  if (message.has_trial()) ApplyTrial(message.trial(), session, &lines);
  if (message.has_epoch()) {
    ApplyEpoch(message.epoch(), session, &lines);
    if (epochs) lines.push_back(EpochLine(message.epoch()));
  }
  if (message.has_progress()) ApplyProgress(message.progress());
  return lines;
}

std::string WatchModel::BarLine(const Running& running, const Session& session) const {
  const v1::Progress& progress = running.progress;
  const double share =
      progress.steps() > 0 ? static_cast<double>(progress.step()) / progress.steps() : 0;
  const int epoch = progress.steps() > 0 ? progress.epoch() : running.trial.epoch() + 1;
  std::string line = fmt::format("  {}  epoch {:>2}/{} {}", ShortName(running.trial.name()),
                                 std::min(epoch, running.trial.epochs()), running.trial.epochs(),
                                 Styled(session, Style::kGreen, "▕" + Bar(share, 16) + "▏"));
  line += progress.steps() > 0
              ? fmt::format(" {:>4}/{}  {:>5} images/s", progress.step(), progress.steps(),
                            WithSeparators(static_cast<std::int64_t>(progress.images_per_second())))
              : std::string(" starting");
  if (running.trial.epoch() > 0) {
    line += fmt::format("  last {} best {}", Percent(running.trial.last_accuracy()),
                        Percent(running.trial.best_accuracy()));
  }
  return line + "  " + ParametersText(running.trial);
}

std::vector<std::string> WatchModel::Live(absl::Time, int width, const Session& session) const {
  std::vector<std::string> lines;
  std::string line =
      fmt::format("{}  {}  {}/{} trials", Styled(session, Style::kBold, ShortName(sweep_.name())),
                  StateName(sweep_.state()), ended_.size(), sweep_.planned_trials());
  const auto failed = std::count_if(ended_.begin(), ended_.end(), [](const auto& entry) {
    return entry.second.state() == v1::TRIAL_STATE_FAILED;
  });
  if (failed > 0) line += Styled(session, Style::kRed, fmt::format("  {} failed", failed));
  const auto diverged = std::count_if(ended_.begin(), ended_.end(), [](const auto& entry) {
    return entry.second.state() == v1::TRIAL_STATE_DIVERGED;
  });
  if (diverged > 0) line += fmt::format("  {} diverged", diverged);
  if (const std::string best = BestText(sweep_); !best.empty()) line += "  " + best;
  if (const std::optional<absl::Duration> left = cli::TimeLeft(sweep_)) {
    line += "  about " + HumanDuration(*left) + " left";
  }
  if (running_.empty() && sweep_.state() == v1::SWEEP_STATE_ACTIVE)
    line += "  waiting for a worker";
  lines.push_back(line);
  for (const auto& [number, running] : running_) lines.push_back(BarLine(running, session));
  // A line that wraps would take two rows and spoil the redrawing.
  for (std::string& text : lines) text = TruncateStyled(text, width - 2);
  return lines;
}

WatchView::WatchView(const Session& session)
    : session_(session), silent_(session.quiet || session.format != Format::kTable) {}

WatchView::~WatchView() { Erase(); }

void WatchView::Erase() {
  if (drawn_lines_ > 0) std::cout << fmt::format("\x1b[{}F\x1b[J", drawn_lines_) << std::flush;
  drawn_lines_ = 0;
}

void WatchView::Print(const std::string& line) {
  if (silent_) return;
  Erase();
  std::cout << line << '\n' << std::flush;
  last_draw_ = absl::InfinitePast();
}

void WatchView::Lost(absl::Duration since) {
  const bool is_news = notice_.empty();
  notice_ = "coordinator does not answer; trying again";
  if (is_news && !session_.terminal) Print(notice_);
  notice_ += " (" + HumanDuration(absl::Trunc(since, absl::Seconds(1))) + ")";
  Draw();
}

void WatchView::Found() {
  if (notice_.empty()) return;
  notice_.clear();
  Print("coordinator answers again");
}

void WatchView::Update(const v1::WatchSweepResponse& message) {
  for (const std::string& line :
       model_.Apply(message, absl::Now(), /*epochs=*/!session_.terminal, session_)) {
    Print(line);
  }
}

void WatchView::Draw() {
  if (silent_ || !session_.terminal || model_.sweep().name().empty()) return;
  const absl::Time now = absl::Now();
  if (now - last_draw_ < absl::Milliseconds(100)) return;
  last_draw_ = now;
  std::vector<std::string> lines = model_.Live(now, session_.width, session_);
  if (!notice_.empty()) {
    lines.push_back(Styled(session_, Style::kYellow, Truncate(notice_, session_.width - 2)));
  }
  Erase();
  for (const std::string& line : lines) std::cout << line << '\n';
  std::cout << std::flush;
  drawn_lines_ = static_cast<int>(lines.size());
}

}  // namespace sweep::cli
