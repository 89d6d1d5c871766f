#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/text_map.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sweep {

class Database;
class DecodedTexts;

// Bytes to bind, which a column of type BLOB keeps.
struct Blob {
  std::string_view bytes;
};

// A prepared statement borrowed from its Database's cache. The destructor resets it and returns it.
// The first error of preparing, binding or stepping is kept, and Step returns it. Columns are
// counted from 0 and can be read after Step has returned true.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds all parameters in order.
  template <typename... Args>
  Statement& Bind(const Args&... args) {
    int index = 0;
    (BindOne(++index, args), ...);
    return *this;
  }

  // Binds the parameter numbered `index`, from 1.
  template <typename T>
  Statement& BindAt(int index, const T& value) {
    BindOne(index, value);
    return *this;
  }

  // True: there is a row. False: done.
  absl::StatusOr<bool> Step();
  // For statements without result rows.
  absl::Status Run();

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  double Real(int column) const;  // NaN for NULL: SQLite stores NaN as NULL
  std::string Text(int column) const;
  std::string_view TextView(int column) const;  // valid until the next Step, or the end
  bool IsBlob(int column) const;
  std::string_view BlobView(int column) const;  // valid as that of TextView
  std::optional<std::int64_t> OptionalInt(int column) const;
  // The connection's; nullptr when it keeps none.
  DecodedTexts* decoded_texts() const;

 private:
  friend class Database;
  // Idle statements by their text. More than one when a query runs inside the same query.
  using Idle = std::pair<const std::string, std::vector<sqlite3_stmt*>>;
  Statement(Database* database, Idle* idle, sqlite3_stmt* statement, absl::Status status);

  template <typename T>
  void BindOne(int index, const T& value) {
    if constexpr (std::is_integral_v<T>) {
      BindInt(index, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      BindReal(index, value);
    } else if constexpr (std::is_same_v<T, std::nullopt_t>) {
      BindNull(index);
    } else if constexpr (std::is_same_v<T, Blob>) {
      BindBlob(index, value.bytes);
    } else {
      BindText(index, value);
    }
  }
  template <typename T>
  void BindOne(int index, const std::optional<T>& value) {
    if (value) {
      BindOne(index, *value);
    } else {
      BindNull(index);
    }
  }
  void BindInt(int index, std::int64_t value);
  void BindReal(int index, double value);
  void BindText(int index, std::string_view value);
  void BindBlob(int index, std::string_view bytes);
  void BindNull(int index);
  void Check(int code);

  Database* database_;
  Idle* idle_;  // to which the statement goes back
  sqlite3_stmt* statement_;
  absl::Status status_;
  bool borrows_texts_ = false;  // bound texts need not be copied
};

// One SQLite connection with a cache of prepared statements. Used by one thread at a time. Every
// error names the file. Statements must not outlive it.
class Database {
 public:
  enum class Mode { kCreate, kReadWrite, kReadOnly };
  // How connections share the database. kShared: through files that every process may open. kAlone:
  // the file is locked for other processes, and the write-ahead log's index is in memory, so that
  // it needs no disk space. kMemory: all in memory; connections of this process with the same path
  // share the database if the path begins with '/'.
  enum class Vfs { kShared, kAlone, kMemory };

  struct Where {
    std::string name;  // for messages; "" for the path
    Vfs vfs = Vfs::kShared;
  };

  // `path` is never read as a URI; ":memory:" is in memory. PermissionDenied when the file cannot
  // be opened, or (unless kReadOnly) cannot be written. Queries wait up to `kBusyTimeoutMs` for a
  // lock of another process.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Mode mode,
                                                        const Where& where = {"", Vfs::kShared});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The cache finds statements by their text.
  Statement Prepare(std::string_view sql);
  // Prepares, binds and runs a statement without result rows.
  template <typename... Args>
  absl::Status Run(std::string_view sql, const Args&... args) {
    Statement statement = Prepare(sql);
    statement.borrows_texts_ = true;  // the arguments outlive the run
    return statement.Bind(args...).Run();
  }
  // Runs a script without parameters.
  absl::Status Execute(const std::string& script);
  // The single integer that `sql` selects.
  absl::StatusOr<std::int64_t> QueryInt(std::string_view sql);

  // Replaces kBusyTimeoutMs.
  void SetBusyTimeout(int milliseconds);
  // From now on reads keep decoded texts there. `texts` must outlive this object.
  void KeepDecodedTexts(DecodedTexts* texts) { decoded_texts_ = texts; }
  // `stop` is called every few thousand steps of a statement. Unless it returns OK, the statement
  // ends with that status.
  void SetStop(std::function<absl::Status()> stop);

  // From now on this connection checkpoints only in Checkpoint, and log_pages() is set.
  void WatchLog();
  // Pages in the write-ahead log after the last commit.
  int log_pages() const { return log_pages_; }
  // Copies the log into the database as far as readers allow. True when all of it was copied and,
  // with `empty_it`, the log's file is empty.
  absl::StatusOr<bool> Checkpoint(bool empty_it);

  std::int64_t last_insert_id() const;
  // Rows changed since the connection was opened, also those rolled back.
  std::int64_t total_changes() const;
  bool InTransaction() const;
  // The first errors of statements since Forget, for the writer. An obstacle is Unavailable: the
  // same write may succeed later (WriteVerdict::kWait). After a fault nothing more may be
  // acknowledged (kEnd).
  const absl::Status& obstacle() const { return obstacle_; }
  const absl::Status& fault() const { return fault_; }
  // True when the obstacle was a full disk, a quota or max_page_count.
  bool disk_was_full() const { return disk_was_full_; }
  void Forget();
  // Closes the connection and opens it again. Requires that no Statement exists. After an error,
  // statements fail until another call succeeds. Settings made by pragmas are lost.
  absl::Status Reopen(Vfs vfs);
  // After this call, closing does not touch the write-ahead log and its index.
  void KeepLog();
  const std::string& name() const { return name_; }

  static constexpr int kBusyTimeoutMs = 10'000;

 private:
  friend class Statement;
  Database(std::string path, Mode mode, const Where& where)
      : path_(std::move(path)),
        mode_(mode),
        vfs_(where.vfs),
        name_(where.name.empty() ? path_ : where.name) {}
  absl::Status Connect();
  void Disconnect();
  absl::Status StatusFor(int code);
  int SystemError(int code) const;

  const std::string path_;
  const Mode mode_;
  Vfs vfs_;
  const std::string name_;
  sqlite3* handle_ = nullptr;
  absl::Status obstacle_;
  absl::Status fault_;
  bool disk_was_full_ = false;
  std::function<absl::Status()> stop_;
  absl::Status stopped_;  // the last result of stop_
  int log_pages_ = 0;
  DecodedTexts* decoded_texts_ = nullptr;
  TextMap<std::vector<sqlite3_stmt*>> idle_;  // its entries stay where they are
};

}  // namespace sweep
