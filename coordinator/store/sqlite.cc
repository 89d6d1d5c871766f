#include "coordinator/store/sqlite.h"

#include <sqlite3.h>

#include <limits>
#include <utility>

#include "coordinator/store/sql_functions.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_verdict.h"
#include "fmt/format.h"

namespace sweep {
namespace {

absl::StatusCode CodeFor(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_NOTADB:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_CORRUPT:
      return absl::StatusCode::kDataLoss;
    default:
      return absl::StatusCode::kInternal;
  }
}

constexpr std::size_t kShownSqlBytes = 120;
// Steps of SQLite's virtual machine between calls of `stop`: tens of microseconds.
constexpr int kStepsPerQuestion = 4000;

const char* VfsName(Database::Vfs vfs) {
  switch (vfs) {
    case Database::Vfs::kShared:
      return nullptr;  // the default
    case Database::Vfs::kAlone:
      return "unix-excl";
    case Database::Vfs::kMemory:
      return "memdb";
  }
  return nullptr;
}

}  // namespace

Statement::Statement(Database* database, Idle* idle, sqlite3_stmt* statement, absl::Status status)
    : database_(database), idle_(idle), statement_(statement), status_(std::move(status)) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      idle_(other.idle_),
      statement_(std::exchange(other.statement_, nullptr)),
      status_(std::move(other.status_)),
      borrows_texts_(other.borrows_texts_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  idle_->second.push_back(statement_);
}

void Statement::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = database_->StatusFor(code);
}

void Statement::BindInt(int index, std::int64_t value) {
  if (status_.ok()) Check(sqlite3_bind_int64(statement_, index, value));
}

void Statement::BindReal(int index, double value) {
  if (status_.ok()) Check(sqlite3_bind_double(statement_, index, value));
}

void Statement::BindText(int index, std::string_view value) {
  if (!status_.ok()) return;
  // An empty view may have a null pointer, which would bind NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  Check(sqlite3_bind_text64(statement_, index, data, value.size(),
                            borrows_texts_ ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::BindBlob(int index, std::string_view bytes) {
  if (!status_.ok()) return;
  // A null pointer would bind NULL.
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  Check(sqlite3_bind_blob64(statement_, index, data, bytes.size(),
                            borrows_texts_ ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

void Statement::BindNull(int index) {
  if (status_.ok()) Check(sqlite3_bind_null(statement_, index));
}

absl::StatusOr<bool> Statement::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  status_ = database_->StatusFor(code);
  if (code == SQLITE_INTERRUPT) {
    status_ = absl::Status(status_.code(), fmt::format("{}: {}", std::string(status_.message()),
                                                       idle_->first.substr(0, kShownSqlBytes)));
  }
  return status_;
}

absl::Status Statement::Run() { return Step().status(); }

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::Real(int column) const {
  return IsNull(column) ? std::numeric_limits<double>::quiet_NaN()
                        : sqlite3_column_double(statement_, column);
}

std::string Statement::Text(int column) const { return std::string(TextView(column)); }

std::string_view Statement::TextView(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return "";
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::IsBlob(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_BLOB;
}

std::string_view Statement::BlobView(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return "";  // an empty one
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

DecodedTexts* Statement::decoded_texts() const { return database_->decoded_texts_; }

std::optional<std::int64_t> Statement::OptionalInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode,
                                                         const Where& where) {
  std::unique_ptr<Database> database(new Database(path, mode, where));
  STORE_RETURN_IF_ERROR(database->Connect());
  return database;
}

absl::Status Database::Connect() {
  // Without its statistics SQLite allocates without a lock. Before the first connection only.
  [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (mode_) {
    case Mode::kCreate:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case Mode::kReadWrite:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Mode::kReadOnly:
      flags |= SQLITE_OPEN_READONLY;
      break;
  }
  // Even on failure SQLite returns a handle, for its message, which must be closed.
  const int code = sqlite3_open_v2(path_.c_str(), &handle_, flags, VfsName(vfs_));
  if (code != SQLITE_OK) return StatusFor(code);
  // Without permission to write, SQLite silently opens the file for reading.
  if (mode_ != Mode::kReadOnly && sqlite3_db_readonly(handle_, "main") == 1) {
    return absl::PermissionDeniedError(fmt::format("database '{}' cannot be written", name_));
  }
  SetBusyTimeout(kBusyTimeoutMs);
  const int added = AddSqlFunctions(handle_);
  return added == SQLITE_OK ? absl::OkStatus() : StatusFor(added);
}

void Database::Disconnect() {
  for (auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  idle_.clear();
  sqlite3_close(handle_);
  handle_ = nullptr;
}

Database::~Database() { Disconnect(); }

absl::Status Database::Reopen(Vfs vfs) {
  Disconnect();
  log_pages_ = 0;
  vfs_ = vfs;
  return Connect();
}

Statement Database::Prepare(std::string_view sql) {
  auto idle = idle_.find(sql);
  if (idle == idle_.end()) idle = idle_.try_emplace(std::string(sql)).first;
  if (!idle->second.empty()) {
    sqlite3_stmt* statement = idle->second.back();
    idle->second.pop_back();
    return Statement(this, &*idle, statement, absl::OkStatus());
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return Statement(this, &*idle, statement, code == SQLITE_OK ? absl::OkStatus() : StatusFor(code));
}

absl::Status Database::Execute(const std::string& script) {
  const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : StatusFor(code);
}

absl::StatusOr<std::int64_t> Database::QueryInt(std::string_view sql) {
  Statement statement = Prepare(sql);
  STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return absl::InternalError(fmt::format("database '{}': no row: {}", name_, sql));
  return statement.Int(0);
}

void Database::SetBusyTimeout(int milliseconds) { sqlite3_busy_timeout(handle_, milliseconds); }

void Database::SetStop(std::function<absl::Status()> stop) {
  stop_ = std::move(stop);
  const auto ask = [](void* self) {
    auto* const database = static_cast<Database*>(self);
    database->stopped_ = database->stop_();
    return database->stopped_.ok() ? 0 : 1;
  };
  sqlite3_progress_handler(handle_, kStepsPerQuestion, ask, this);
}

void Database::WatchLog() {
  sqlite3_wal_autocheckpoint(handle_, 0);
  const auto note = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Database*>(self)->log_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_, note, this);
}

absl::StatusOr<bool> Database::Checkpoint(bool empty_it) {
  int in_log = 0, copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(
      handle_, nullptr, empty_it ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &in_log,
      &copied);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return StatusFor(code);
  return in_log == copied;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t Database::total_changes() const { return sqlite3_total_changes64(handle_); }

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::Forget() {
  obstacle_ = absl::OkStatus();
  fault_ = absl::OkStatus();
  disk_was_full_ = false;
}

void Database::KeepLog() {
  int keep = 1;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

// The errno of the last error. COMMIT does not pass it on (SQLite 3.40.1), but it writes only to
// the log, whose file still has it.
int Database::SystemError(int code) const {
  if (handle_ == nullptr) return 0;
  const int told = sqlite3_system_errno(handle_);
  if (VerdictOfWrite(code, told) == VerdictOfWrite(code, ENOSPC)) return told;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) return told;
  int error = 0;
  log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  return VerdictOfWrite(code, error) == WriteVerdict::kWait ? error : told;
}

absl::Status Database::StatusFor(int code) {
  if (code == SQLITE_INTERRUPT && !stopped_.ok()) {
    return absl::Status(stopped_.code(),
                        fmt::format("database '{}': {}", name_, std::string(stopped_.message())));
  }
  const int system_error = SystemError(code);
  if (MeansDiskFull(code, system_error)) {
    disk_was_full_ = true;
    obstacle_ = absl::UnavailableError(fmt::format(
        "database '{}': the disk is full; nothing of this was stored, ask again when there is room",
        name_));
    return obstacle_;
  }
  const char* text = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  absl::Status status(CodeFor(code),
                      fmt::format("database '{}': {} (SQLite error {})", name_, text, code));
  const WriteVerdict verdict = VerdictOfWrite(code, system_error);
  if (verdict == WriteVerdict::kWait && obstacle_.ok()) {
    obstacle_ = absl::UnavailableError(status.message());
  }
  if (verdict == WriteVerdict::kEnd && fault_.ok()) fault_ = status;
  return status;
}

}  // namespace sweep
