#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/connection.h"
#include "cli/present/live_block.h"
#include "cli/session.h"
#include "common/base/mutex.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

// A watcher's state of a sweep, built from the messages of WatchSweep. Pure: no terminal, no clock.
class WatchModel {
 public:
  // Applies a message that arrived at `now` and returns the lines for a scrolling log: trials that
  // ended, epochs (only when `epochs` is true), the sweep's state.
  std::vector<std::string> Apply(const v1::WatchSweepResponse& message, absl::Time now, bool epochs,
                                 const Session& session);
  // Records the state before watching began; it produces no lines.
  void SetEarlierState(const std::vector<v1::Trial>& trials);
  // The lines of the live picture, which fit the terminal: one for the whole sweep, one bar per
  // running trial, and the number of hidden ones.
  std::vector<std::string> Live(absl::Time now, const TerminalSize& size,
                                const Session& session) const;

  bool ended() const;
  const v1::Sweep& sweep() const { return sweep_; }
  const std::string& cursor() const { return cursor_; }
  // Suppresses the line for a pause by the coordinator, which the caller reports.
  void LeaveOutPause() { tells_pause_ = false; }
  // Number of failed trials that got a line.
  int failures_told() const { return failures_told_; }

 private:
  struct Running {
    v1::Trial trial;
    v1::Progress progress;
  };
  // The known progress of a trial.
  struct Known {
    int attempt = 0;
    int epoch = 0;  // above the last epoch: the trial had ended
  };
  bool IsKnown(std::int64_t number, int attempt, int epoch) const;
  void ApplyTrial(const v1::Trial& trial, const Session& session, std::vector<std::string>* lines);
  void ApplyEpoch(const v1::TrialEpoch& event, const Session& session,
                  std::vector<std::string>* lines);
  void ApplyProgress(const v1::ProgressBatch& batch);
  // `name_width` is that of the longest running trial's name.
  std::string BarLine(const Running& running, int name_width, int width,
                      const Session& session) const;
  // `width` is the terminal's; uses shorter words if the line does not fit.
  std::string SummaryLine(int width, const Session& session) const;
  std::vector<std::string> SummaryParts(bool is_short, const Session& session) const;

  v1::Sweep sweep_;
  std::string cursor_;
  std::map<std::int64_t, v1::Trial> ended_;
  std::set<std::int64_t> on_hold_;
  std::map<std::int64_t, Running> running_;
  std::map<std::int64_t, Known> known_;
  int failures_told_ = 0;
  bool tells_pause_ = true;
};

// Draws a model on a terminal and keeps it up to date, or prints plain lines elsewhere. Silent with
// --quiet or in a format for programs.
class WatchView {
 public:
  // `only_news` omits lines about events before the start; a log wants the whole story.
  WatchView(const Session& session, bool only_news);
  // Removes the live picture.
  ~WatchView();
  void Update(const v1::WatchSweepResponse& message);
  // Draws changes, at most ten times a second. The reader of messages calls it after each, and
  // another thread calls it now and then, so that the last changes before a pause appear too.
  void Draw();
  // Prints a line above the live picture, wrapped if too long.
  void Print(const std::string& line);
  // The coordinator has been silent for `since`, or answers again.
  void Lost(absl::Duration since);
  void Found();
  bool only_news() const { return only_news_; }
  void SetEarlierState(const std::vector<v1::Trial>& trials) { model_.SetEarlierState(trials); }
  // For the thread that calls Update.
  const WatchModel& model() const { return model_; }
  // From here on a sweep that the coordinator pauses because its first trials fail alike counts as
  // ended: for callers with nobody to resume it.
  void EndAtPause() {
    ends_at_pause_ = true;
    model_.LeaveOutPause();  // FailPaused reports it
  }
  bool HasEndedAtPause() const { return ends_at_pause_ && !model_.sweep().pause_reason().empty(); }

 private:
  const Session session_;
  const bool only_news_;
  const bool silent_;  // with --quiet, or in a format for programs
  Mutex mutex_;        // for the model and the notice, while changing or drawing
  WatchModel model_;
  bool is_drawn_ = false;             // in its current state
  std::string notice_;                // below the live picture
  std::unique_ptr<LiveBlock> block_;  // on a terminal
  bool ends_at_pause_ = false;
  absl::Time last_draw_ = absl::InfinitePast();
};

// For how long a coordinator that does not answer is waited for, unless somebody says otherwise.
inline constexpr absl::Duration kWatchPatience = absl::Minutes(5);

// The current name of the followed sweep; `name` before the first message.
std::string NameNow(const WatchView& view, const std::string& name);

// Follows a sweep until it has ended (or is paused for good, see EndAtPause) or `interrupted`
// returns true (then Cancelled). When the coordinator disappears it reconnects, continues from the
// last event seen, and gives up with Unavailable after `patience` without an answer.
absl::Status FollowSweep(Connection& connection, const std::string& name,
                         const std::function<bool()>& interrupted, absl::Duration patience,
                         WatchView* view);

// Prints the ranking of a sweep that has ended. Returns the exit code: 1 when trials have failed
// for good, or when the sweep was cancelled before a configuration met all criteria; else 0 when
// one does, and 3 otherwise. `told` failures have had their own line; they are only counted.
int FinishSweep(Connection& connection, const std::string& name, int top, const Session& session,
                int told);
// The same exit code and error, without the ranking.
int EndOfSweep(Connection& connection, const v1::Sweep& sweep, const Session& session, int told);

// Fails with the reason of a sweep that the coordinator paused, and the commands to continue:
// `anew` with a corrected file, `resume` unchanged.
int FailPaused(const v1::Sweep& sweep, const std::string& anew, const std::string& resume,
               const Session& session);

// The message after Ctrl-C: the sweep goes on, and how to come back.
std::string GoesOn(const std::string& name, const Session& session);

}  // namespace sweep::cli
