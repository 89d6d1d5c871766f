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

// What a watcher knows of a sweep, from the messages of WatchSweep. Pure: no terminal, no clock of
// its own.
class WatchModel {
 public:
  // Takes a message that arrived at `now` into account and returns the lines worth keeping in a
  // scrolling log: trials that ended, epochs (only when `epochs` is true), the sweep's state.
  std::vector<std::string> Apply(const v1::WatchSweepResponse& message, absl::Time now, bool epochs,
                                 const Session& session);
  // What was there before the watching began: no lines are made of it.
  void Know(const std::vector<v1::Trial>& trials);
  // The lines of the live picture, which fit the terminal: one of the whole sweep, one bar per
  // running trial, and how many more there are.
  std::vector<std::string> Live(absl::Time now, const TerminalSize& size,
                                const Session& session) const;

  bool ended() const;
  const v1::Sweep& sweep() const { return sweep_; }
  const std::string& cursor() const { return cursor_; }
  // No line is made of a pause by the coordinator: somebody else tells it.
  void LeaveOutPause() { tells_pause_ = false; }
  // Trials that failed, with a line each.
  int failures_told() const { return failures_told_; }

 private:
  struct Running {
    v1::Trial trial;
    v1::Progress progress;
  };
  // How far a trial had come before.
  struct Known {
    int attempt = 0;
    int epoch = 0;  // above the last one: it had ended
  };
  bool IsKnown(std::int64_t number, int attempt, int epoch) const;
  void ApplyTrial(const v1::Trial& trial, const Session& session, std::vector<std::string>* lines);
  void ApplyEpoch(const v1::TrialEpoch& event, const Session& session,
                  std::vector<std::string>* lines);
  void ApplyProgress(const v1::ProgressBatch& batch);
  // `name_width`: of the longest name among those that run.
  std::string BarLine(const Running& running, int name_width, int width,
                      const Session& session) const;
  // `width`: of the terminal; where the whole line has no room, its words are shorter.
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

// Draws a model on a terminal and keeps it up to date, or prints plain lines elsewhere. Prints
// nothing with --quiet or in a format for programs.
class WatchView {
 public:
  // `only_news`: no lines of what was there before; else the whole story, as a log wants it.
  WatchView(const Session& session, bool only_news);
  // Removes the live picture.
  ~WatchView();
  void Update(const v1::WatchSweepResponse& message);
  // Draws what has changed, at most ten times a second: whoever reads messages calls it after each,
  // and another thread now and then, since after the last message for long nobody else would.
  void Draw();
  // A line of its own above the live picture, broken at blanks where it is too long.
  void Print(const std::string& line);
  // The coordinator has not answered for `since`, or answers again.
  void Lost(absl::Duration since);
  void Found();
  bool only_news() const { return only_news_; }
  void Know(const std::vector<v1::Trial>& trials) { model_.Know(trials); }
  // For the thread that updates it.
  const WatchModel& model() const { return model_; }
  // From now on a sweep that the coordinator pauses because its first trials fail alike is one that
  // has ended: for those who have nobody to resume it.
  void EndAtPause() {
    ends_at_pause_ = true;
    model_.LeaveOutPause();  // FailPaused tells it
  }
  bool HasEndedAtPause() const { return ends_at_pause_ && !model_.sweep().pause_reason().empty(); }

 private:
  const Session session_;
  const bool only_news_;
  const bool silent_;  // with --quiet, and in a format for programs
  Mutex mutex_;        // of the model and the notice, while they are changed or drawn
  WatchModel model_;
  bool is_drawn_ = false;             // as it is now
  std::string notice_;                // below the live picture
  std::unique_ptr<LiveBlock> block_;  // on a terminal
  bool ends_at_pause_ = false;
  absl::Time last_draw_ = absl::InfinitePast();
};

// What the sweep that `view` follows is called now; `name` when nothing was heard of it yet.
std::string NameNow(const WatchView& view, const std::string& name);

// Follows a sweep until it has ended (or is paused for good, see EndAtPause) or `interrupted` says
// so (then Cancelled). When the
// coordinator goes away it tries again, from the last event seen, and gives up with Unavailable
// when nobody has answered for `patience`.
absl::Status FollowSweep(Connection& connection, const std::string& name,
                         const std::function<bool()>& interrupted, absl::Duration patience,
                         WatchView* view);

// Prints the ranking of a sweep that has ended. The exit code: 1 when trials have failed for good,
// or when the sweep was cancelled before a configuration met all criteria; else 0 when one does,
// and 3 otherwise. Failures of which `told` have had a line of their own are told again only by
// number.
int FinishSweep(Connection& connection, const std::string& name, int top, const Session& session,
                int told);
// The same code and complaint, without the ranking.
int EndOfSweep(Connection& connection, const v1::Sweep& sweep, const Session& session, int told);

// Fails with the reason of a sweep that the coordinator has paused, and the commands that go on:
// `anew` with a corrected file, `resume` as it is.
int FailPaused(const v1::Sweep& sweep, const std::string& anew, const std::string& resume,
               const Session& session);

// What to say after Ctrl-C: that the sweep goes on and how to come back.
std::string GoesOn(const std::string& name, const Session& session);

}  // namespace sweep::cli
