#include "coordinator/store/write_verdict.h"

#include <sqlite3.h>

#include <cerrno>

#include "coordinator/store/blob_files.h"

namespace sweep {
namespace {

constexpr int Extended(int primary, int number) { return primary | (number << 8); }

#define CODE(name, verdict) {SQLITE_##name, #name, WriteVerdict::verdict}
// A code that the SQLite used for the build may not know.
#define NEW_CODE(primary, number, name, verdict) \
  {Extended(SQLITE_##primary, number), #name, WriteVerdict::verdict}

constexpr WriteVerdictOfCode kVerdicts[] = {
    CODE(OK, kNoError),
    CODE(OK_LOAD_PERMANENTLY, kNoError),
    CODE(OK_SYMLINK, kNoError),
    CODE(ROW, kNoError),
    CODE(DONE, kNoError),
    CODE(NOTICE, kNoError),
    CODE(NOTICE_RECOVER_WAL, kNoError),
    CODE(NOTICE_RECOVER_ROLLBACK, kNoError),
    NEW_CODE(NOTICE, 3, NOTICE_RBU, kNoError),
    CODE(WARNING, kNoError),
    CODE(WARNING_AUTOINDEX, kNoError),

    // The statement or the data that it read is wrong. Writing itself did not fail.
    CODE(ERROR, kRefuse),
    CODE(ERROR_MISSING_COLLSEQ, kRefuse),
    CODE(ERROR_RETRY, kRefuse),
    CODE(ERROR_SNAPSHOT, kRefuse),
    NEW_CODE(ERROR, 4, ERROR_RESERVESIZE, kRefuse),
    NEW_CODE(ERROR, 5, ERROR_KEY, kRefuse),
    NEW_CODE(ERROR, 6, ERROR_UNABLE, kRefuse),
    CODE(INTERNAL, kRefuse),
    CODE(ABORT, kRefuse),
    CODE(ABORT_ROLLBACK, kRefuse),
    CODE(INTERRUPT, kRefuse),
    CODE(NOTFOUND, kRefuse),
    CODE(EMPTY, kRefuse),
    CODE(SCHEMA, kRefuse),
    CODE(TOOBIG, kRefuse),
    CODE(CONSTRAINT, kRefuse),
    CODE(CONSTRAINT_CHECK, kRefuse),
    CODE(CONSTRAINT_COMMITHOOK, kRefuse),
    CODE(CONSTRAINT_FOREIGNKEY, kRefuse),
    CODE(CONSTRAINT_FUNCTION, kRefuse),
    CODE(CONSTRAINT_NOTNULL, kRefuse),
    CODE(CONSTRAINT_PRIMARYKEY, kRefuse),
    CODE(CONSTRAINT_TRIGGER, kRefuse),
    CODE(CONSTRAINT_UNIQUE, kRefuse),
    CODE(CONSTRAINT_VTAB, kRefuse),
    NEW_CODE(CONSTRAINT, 10, CONSTRAINT_ROWID, kRefuse),
    NEW_CODE(CONSTRAINT, 11, CONSTRAINT_PINNED, kRefuse),
    NEW_CODE(CONSTRAINT, 12, CONSTRAINT_DATATYPE, kRefuse),
    CODE(MISMATCH, kRefuse),
    CODE(MISUSE, kRefuse),
    CODE(NOLFS, kRefuse),
    CODE(AUTH, kRefuse),
    CODE(AUTH_USER, kRefuse),
    CODE(FORMAT, kRefuse),
    CODE(RANGE, kRefuse),
    CODE(NOTADB, kRefuse),
    CODE(CORRUPT, kRefuse),
    CODE(CORRUPT_VTAB, kRefuse),
    CODE(CORRUPT_SEQUENCE, kRefuse),
    CODE(CORRUPT_INDEX, kRefuse),
    CODE(IOERR_READ, kRefuse),
    CODE(IOERR_SHORT_READ, kRefuse),
    CODE(IOERR_MMAP, kRefuse),
    CODE(IOERR_DATA, kRefuse),
    CODE(IOERR_CORRUPTFS, kRefuse),
    NEW_CODE(IOERR, 34, IOERR_IN_PAGE, kRefuse),
    NEW_CODE(IOERR, 35, IOERR_BADKEY, kRefuse),
    NEW_CODE(IOERR, 36, IOERR_CODEC, kRefuse),

    // Nothing was changed: there is no room, memory, lock or permission.
    CODE(FULL, kWait),
    CODE(NOMEM, kWait),
    CODE(BUSY, kWait),
    CODE(BUSY_RECOVERY, kWait),
    CODE(BUSY_SNAPSHOT, kWait),
    NEW_CODE(BUSY, 3, BUSY_TIMEOUT, kWait),
    CODE(LOCKED, kWait),
    CODE(LOCKED_SHAREDCACHE, kWait),
    NEW_CODE(LOCKED, 2, LOCKED_VTAB, kWait),
    CODE(PROTOCOL, kWait),
    CODE(PERM, kWait),
    CODE(READONLY, kWait),
    CODE(READONLY_RECOVERY, kWait),
    CODE(READONLY_CANTLOCK, kWait),
    CODE(READONLY_ROLLBACK, kWait),
    CODE(READONLY_DBMOVED, kWait),
    CODE(READONLY_CANTINIT, kWait),
    CODE(READONLY_DIRECTORY, kWait),
    CODE(CANTOPEN, kWait),
    CODE(CANTOPEN_NOTEMPDIR, kWait),
    CODE(CANTOPEN_ISDIR, kWait),
    CODE(CANTOPEN_FULLPATH, kWait),
    CODE(CANTOPEN_CONVPATH, kWait),
    CODE(CANTOPEN_DIRTYWAL, kWait),
    CODE(CANTOPEN_SYMLINK, kWait),
    CODE(IOERR_FSTAT, kWait),
    CODE(IOERR_UNLOCK, kWait),
    CODE(IOERR_RDLOCK, kWait),
    CODE(IOERR_BLOCKED, kWait),
    CODE(IOERR_NOMEM, kWait),
    CODE(IOERR_ACCESS, kWait),
    CODE(IOERR_CHECKRESERVEDLOCK, kWait),
    CODE(IOERR_LOCK, kWait),
    CODE(IOERR_SHMOPEN, kWait),
    CODE(IOERR_SHMSIZE, kWait),
    CODE(IOERR_SHMLOCK, kWait),
    CODE(IOERR_SHMMAP, kWait),
    CODE(IOERR_DELETE, kWait),
    CODE(IOERR_DELETE_NOENT, kWait),
    CODE(IOERR_GETTEMPPATH, kWait),
    CODE(IOERR_CONVPATH, kWait),
    CODE(IOERR_VNODE, kWait),
    CODE(IOERR_AUTH, kWait),
    CODE(IOERR_BEGIN_ATOMIC, kWait),

    CODE(IOERR_WRITE, kWaitForRoom),
    CODE(IOERR_TRUNCATE, kWaitForRoom),
    CODE(IOERR_SEEK, kWaitForRoom),

    // After a failed sync the kernel may drop the data and report success for the next sync.
    CODE(IOERR, kEnd),
    CODE(IOERR_FSYNC, kEnd),
    CODE(IOERR_DIR_FSYNC, kEnd),
    CODE(IOERR_CLOSE, kEnd),
    CODE(IOERR_DIR_CLOSE, kEnd),
    CODE(IOERR_COMMIT_ATOMIC, kEnd),
    CODE(IOERR_ROLLBACK_ATOMIC, kEnd),
};

#undef CODE
#undef NEW_CODE

constexpr int kPrimary = 0xff;

WriteVerdict Find(int code) {
  for (const WriteVerdictOfCode& entry : kVerdicts) {
    if (entry.code == code) return entry.verdict;
  }
  return (code & ~kPrimary) == 0 ? WriteVerdict::kEnd : Find(code & kPrimary);
}

}  // namespace

std::span<const WriteVerdictOfCode> WriteVerdicts() { return kVerdicts; }

WriteVerdict VerdictOfWrite(int code, int system_error) {
  const WriteVerdict verdict = Find(code);
  if (verdict != WriteVerdict::kWaitForRoom) return verdict;
  return MeansNoRoom(system_error) || system_error == EROFS ? WriteVerdict::kWait
                                                            : WriteVerdict::kEnd;
}

bool MeansDiskFull(int code, int system_error) {
  if ((code & kPrimary) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) return true;
  return MeansNoRoom(system_error) && VerdictOfWrite(code, system_error) == WriteVerdict::kWait;
}

}  // namespace sweep
