#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/protocol/trainer_message.h"
#include "sweep/v1/workers.pb.h"
#include "worker/agent/artifact_file.h"
#include "worker/agent/backoff.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/data_watch.h"
#include "worker/agent/dataset_cache.h"
#include "worker/agent/log_reporter.h"
#include "worker/agent/program_cache.h"
#include "worker/agent/trainer_process.h"

namespace sweep {

// A lease made ready for a trainer.
struct PreparedTrial {
  std::string trial;  // the id that the trainer's lines carry
  std::string line;   // the `trial` line to send
  int epochs = 0;
  int target_epoch = 0;   // train to this epoch, if it is not the last; else 0
  int resumed_epoch = 0;  // the last epoch in the checkpoint that it resumes from
  TrainerProgram program;
};

// How a lease ends.
struct LeaseEnd {
  v1::LeaseOutcome outcome = v1::LEASE_OUTCOME_UNSPECIFIED;
  std::string reason;
  std::map<std::string, std::string> files;  // path by role; stored before the end is reported
};

// Does the slow work of one slot's lease on a thread of its own: fetches the data set and the
// checkpoint, then reports epochs, checkpoints and the end to the coordinator, in that order, and
// repeats each report until it is acknowledged, however long the coordinator is away.
//
// One lease at a time: Begin, any number of AddEpoch and AddCheckpoint, then End or Abandon, and
// the next Begin after `released`. All functions return at once and may be called from any thread.
// The queue is bounded: the caller checks that there are no more rows than the trial has epochs,
// and only the latest checkpoint is kept.
class LeaseReporter {
 public:
  // Called on the reporter's thread; must return at once.
  struct Events {
    std::function<void(absl::StatusOr<PreparedTrial>)> prepared;
    // The coordinator has refused this worker's data and ended the lease. Comes instead of
    // `prepared`, and then the caller calls Abandon; or while the lease's end is reported.
    std::function<void(std::string)> data_refused;
    // The coordinator accepts no more reports: stale token (see IsStaleLease) or a broken row. The
    // caller stops the trainer, then calls Abandon, or End with the reason.
    std::function<void(absl::Status)> refused;
    // The end has been acknowledged or refused, or the lease was abandoned.
    std::function<void()> released;
  };
  struct Options {
    CoordinatorClient* client = nullptr;
    DatasetCache* datasets = nullptr;
    DataWatch* data_watch = nullptr;  // may be null
    ProgramCache* programs = nullptr;
    LogReporter* logs = nullptr;  // may be null
    TrainerProgram trainer;       // used when the sweep brings no program
    absl::Status no_trainer;      // why there is no trainer, if so
    bool allow_programs = false;  // else a lease with a program fails
    std::string work_dir;         // each lease has a folder in it
    std::string device;
  };

  LeaseReporter(const Options& options, int slot, Events events);
  // Client and cache must be shut down before; otherwise this waits for their work.
  ~LeaseReporter();

  void Begin(v1::Lease lease);
  // `trainer`: the `ready` line of the trainer that measured it; "" when it said none.
  void AddEpoch(const EpochMetrics& metrics, const std::string& trainer = "");
  // The file is opened here and stored later, so the trainer may replace it at once. A file that
  // ArtifactFile refuses is mentioned in the trial's log.
  void AddCheckpoint(int epoch, const std::string& path);
  void End(LeaseEnd end);
  void Abandon();

 private:
  struct Checkpoint {
    int epoch = 0;
    ArtifactFile file;
  };
  // The work of one round of Serve.
  struct Work {
    std::vector<EpochMetrics> epochs;
    std::string trainer;
    std::optional<Checkpoint> checkpoint;
    std::optional<LeaseEnd> end;
    bool over = false;
  };

  void Run();
  bool WaitForLease();
  void Prepare();
  absl::StatusOr<PreparedTrial> PrepareTrial();
  // The program that trains this lease; the files of a sweep's own program are in place then.
  absl::StatusOr<TrainerProgram> PrepareProgram(const std::string& sweep);
  absl::StatusOr<ProgramFiles> FetchProgram(const std::string& sweep);
  // Reports the data's digest, unless the lease names the same one. False if it was refused.
  absl::StatusOr<bool> OfferData(const DatasetSpec& dataset, const DataSource& data);
  // True when the data was replaced during the trial and the coordinator has ended the lease for
  // that. Such a failure says nothing about the trial.
  bool EndedForOtherData(const LeaseEnd& end);
  // The checkpoint's file, or "" to start at epoch 1.
  absl::StatusOr<std::string> FetchCheckpoint();
  void Serve();
  Work WaitForWork();
  void Report(const Work& work);
  void Forget(std::size_t rows);
  void Refuse(const absl::Status& status);
  void Finish(const LeaseEnd& end);
  // Repeats `call` until it succeeds, fails for good, or the lease is over (Cancelled).
  absl::Status Persist(const char* what, const std::function<absl::Status()>& call);
  // False when the lease is over.
  bool Pause(absl::Duration duration);
  // The lease is over, or its end has been ordered.
  bool HasEnd();
  void Clear();

  const Options options_;
  const int slot_;
  const Events events_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<EpochMetrics> epochs_ ABSL_GUARDED_BY(mutex_);
  std::string trainer_ ABSL_GUARDED_BY(mutex_);
  std::optional<Checkpoint> checkpoint_ ABSL_GUARDED_BY(mutex_);
  std::optional<LeaseEnd> end_ ABSL_GUARDED_BY(mutex_);

  // Used by the reporter's thread only, with two exceptions: Begin sets the lease before it wakes
  // the thread, and AddCheckpoint, which comes between `prepared` and the lease's end, reads both.
  v1::Lease lease_;
  std::string output_dir_;
  DatasetSpec dataset_;
  std::string data_sha256_;  // of the data that the trial was prepared with; "" before
  std::shared_ptr<const void> data_hold_;  // see DataSource
  bool data_refused_ = false;
  bool trainer_told_ = false;  // the coordinator knows it

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sweep
