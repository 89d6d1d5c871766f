#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"
#include "coordinator/store/write_transaction.h"

namespace sweep {

// The only thread that writes, with group commit: it runs all queued functions in one transaction
// and commits. A second thread then calls the completions in order, while the first runs the next
// transaction. Thread-safe.
//
// A savepoint costs as much as a small function, since SQLite copies each page that is changed
// under it. So the functions run without one at first. When one fails after it has written,
// everything is rolled back, and all functions run again, each under its own savepoint.
//
// While the disk is full, or another error that may pass prevents writing, nothing of a batch is
// stored. All its writes get Unavailable, also those that were refused for another reason, since
// that reason may have been a write of the same batch. Each batch tries again, so clients that
// repeat their calls succeed when there is room. The same holds while a file is not the one that
// was opened.
class Writer {
 public:
  struct Options {
    int max_queued = 4096;
    // True when the disk was full at the opening, which is already in the log.
    bool disk_is_full = false;
    // When not null, held during each transaction. A database in memory has no snapshots, so its
    // readers and writer exclude each other.
    std::mutex* turns = nullptr;
    // When not null, checks that the files are still the ones that were opened. Called before a
    // batch is committed, before it is answered, and once a second.
    std::function<absl::Status()> check_files = nullptr;
    // Called on the writer's thread once a second while there is nothing to write.
    std::function<void()> idle = nullptr;
    // Called on the writer's thread before a batch is answered.
    std::function<void(const BatchReport&)> on_batch = nullptr;
    // Called on the writer's thread when a batch is on disk and can be answered.
    std::function<void()> after_batch = nullptr;
  };

  // `database` and `clock` must outlive the writer. Nobody else may use `database`.
  Writer(Database* database, Clock* clock, Options options);
  ~Writer() { Stop(); }

  // Runs the queued functions and those that their completions submit, then ends the threads.
  void Stop();
  // As Store::Write.
  void Submit(Store::WriteFunction function, Store::Completion done);
  // True on the writer's thread while it runs a function.
  bool InsideFunction() const;
  // Writes that wait for the current transaction.
  std::int64_t queued() const;
  bool disk_is_full() const { return disk_is_full_; }
  bool files_are_lost() const { return files_are_lost_; }

 private:
  struct Item {
    Store::WriteFunction function;
    Store::Completion done;
  };

  struct Answers {
    std::vector<Item> batch;
    std::vector<absl::Status> results;
  };

  void Loop();
  void RunBatch(std::vector<Item> batch);
  // Passes the answers to the other thread. Waits while it has not begun with the last ones.
  void Answer(Answers answers);
  void AnswerLoop();
  // Runs the batch in one transaction. Returns the answers, and the outcome in `report`.
  std::vector<absl::Status> RunTransaction(const std::vector<Item>& batch, BatchReport* report);
  absl::Status BeginTransaction();
  // An error when nothing of the batch is stored.
  absl::Status RunFunctions(const std::vector<Item>& batch, std::vector<absl::Status>* results);
  // Runs the functions without savepoints. False when one has failed after it had written.
  bool RunTogether(const std::vector<Item>& batch, std::vector<absl::Status>* results);
  // Runs each function under its own savepoint.
  void RunSeparately(const std::vector<Item>& batch, std::vector<absl::Status>* results);
  absl::Status RunUnderSavepoint(const Store::WriteFunction& function);
  absl::Status RunFunction(const Store::WriteFunction& function);
  absl::Status CommitOrDie(absl::Duration* duration);
  void RollBackOrDie();
  void DieOfFault();
  absl::Status CheckFiles();
  void NoteFiles(const absl::Status& status);
  void NoteObstacle(const absl::Status& obstacle, std::size_t writes);

  Database& database_;
  const Options options_;
  WriteTransaction transaction_;
  std::atomic<std::thread::id> inside_function_{};
  std::atomic<bool> disk_is_full_ = false;
  std::atomic<bool> files_are_lost_ = false;
  // Set by a commit into files that were gone. If they come back, refused writes would be stored.
  absl::Status lost_for_good_;
  absl::Status obstacle_;          // why the last batch that wrote was refused
  std::int64_t refused_ = 0;       // writes since the obstacle began
  std::int64_t changed_rows_ = 0;  // by this batch's successful functions

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Item> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar answers_changed_;
  std::optional<Answers> answers_ ABSL_GUARDED_BY(mutex_);  // the next ones
  bool is_answering_ ABSL_GUARDED_BY(mutex_) = false;       // completions run, and may queue writes
  bool has_written_all_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: they start when the other members exist.
  std::jthread answerer_;
  std::jthread thread_;
};

}  // namespace sweep
