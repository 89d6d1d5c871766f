#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/store_files.h"
#include "coordinator/store/store_load.h"
#include "coordinator/store/write_transaction.h"

namespace sweep {

struct StoreOptions {
  std::string path;  // resolved by DatabaseFile; "" for a database in memory
  Clock* clock = RealClock();
  int max_queued_writes = 4096;
  // The write-ahead log exceeds this by at most one batch of writes, unless another process reads
  // for a long time.
  std::int64_t log_limit_bytes = 64 << 20;
  // A longer read ends with DeadlineExceeded, which names the query.
  absl::Duration read_time_limit = absl::Seconds(10);
  // True for a client that only makes requests: a starting coordinator waits for it to finish.
  bool momentary = false;
  // How long to wait for such a client.
  absl::Duration patience = absl::ZeroDuration();
  // Called after every transaction, on the writer's thread before the completions; may be empty.
  std::function<void(const BatchReport&)> on_batch;
};

// All durable state, in one SQLite database. One thread with one connection writes. It runs all
// queued functions in one transaction (each wholly or not at all), commits with synchronous=FULL
// and only then calls the completions. While the disk is full, or a file is not the one that was
// opened, writes are Unavailable; they succeed again afterwards. Any other failure of COMMIT ends
// the process, since nothing that was acknowledged may be lost. Readers have their own read-only
// connections. Thread-safe.
class Store {
 public:
  // Runs on the writer's thread. Unless it returns OK, nothing that it wrote is stored. It may run
  // twice, since another function of its transaction may have failed: then what the first run wrote
  // has been rolled back, and only what the second one leaves in its captures counts. Must not call
  // the store's reads, which would not see its changes and are refused.
  using WriteFunction = std::function<absl::Status(WriteTransaction&)>;
  using Completion = std::function<void(absl::Status)>;

  // Creates or migrates the file. InvalidArgument for a name that cannot be a database; NotFound
  // when its folder does not exist; FailedPrecondition when the file belongs to another
  // application, has a newer schema, has several names, or is used by another coordinator (the
  // message has its address); PermissionDenied when it cannot be written. On a full disk an
  // up-to-date database opens, and writes are refused until there is room; a new or older one is
  // Unavailable.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  // Queues `function`. `done` is called after the commit, on one thread, in the order of
  // submission; later functions may run meanwhile. It must be quick and must not wait for another
  // write. When the queue is full, `done` is called at once with ResourceExhausted.
  // A completion may write, also while the store closes; a write after the last one is Unavailable.
  virtual void Write(WriteFunction function, Completion done) = 0;
  // Writes and waits. Must not be called by a completion.
  absl::Status WriteAndWait(WriteFunction function);

  // Runs `query` in one consistent snapshot and returns its result. The arguments of a function of
  // queries.h follow it: store->Read(FindSweep, name). For several selects in one snapshot, pass a
  // lambda that takes a Database& and returns a StatusOr. A checkpoint may stop it and run it again
  // from the start, so it must not have effects.
  template <typename T, typename... Params>
  absl::StatusOr<T> Read(absl::StatusOr<T> (*query)(Database&, Params...),
                         std::type_identity_t<Params>... args) {
    return Read([&](Database& database) { return query(database, args...); });
  }
  template <typename Query>
    requires(!std::is_pointer_v<Query>)
  auto Read(Query query) -> decltype(query(std::declval<Database&>())) {
    std::optional<decltype(query(std::declval<Database&>()))> result;
    absl::Status status = RunRead([&](Database& database) {
      result.emplace(query(database));
      return result->status();
    });
    if (!status.ok()) return status;
    return *std::move(result);
  }
  // Read without types, for Read itself and for stores that forward it.
  using ReadFunction = std::function<absl::Status(Database&)>;
  virtual absl::Status RunRead(const ReadFunction& query) = 0;

  // Reads memory and the file system only: runs no query and does not wait for writes.
  virtual StoreLoad Load() const = 0;
  StoreFiles& files() const { return *files_; }

 protected:
  explicit Store(StoreFiles* files) : files_(files) {}

 private:
  StoreFiles* const files_;
};

}  // namespace sweep
