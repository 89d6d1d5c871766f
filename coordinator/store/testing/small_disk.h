#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <limits>

namespace sweep {

// Simulates a disk that becomes full. While it exists, SQLite opens every file through it. It
// forwards to the system's files. Like a real disk it writes what still fits and then returns
// SQLITE_FULL. It does not sync, since no test ends the machine. At most one may exist.
class SmallDisk {
 public:
  SmallDisk();
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // The number of bytes by which files may grow.
  void SetFreeBytes(std::int64_t bytes) { free_bytes_ = bytes; }
  // The `number`-th write from now (1: the next) finds no room; with `once` only that one,
  // otherwise also all later ones.
  void FailWrite(std::int64_t number, bool once);
  // Only the write-ahead log's index finds no room to grow.
  void RefuseIndex() {
    was_full_ = false;
    no_index_ = true;
  }
  // Removes all limits.
  void GiveRoom();
  // True when a write found no room since the last FailWrite, SetFreeBytes or GiveRoom.
  bool was_full() const { return was_full_; }

 private:
  friend struct SmallDiskFile;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  // Takes up to `bytes` of the free space. Returns how many were free.
  std::int64_t Take(std::int64_t bytes);
  // Counts a write. False when it has to fail.
  bool Admit();
  bool AdmitIndex();

  // One of SQLite's VFSs, and ours that forwards to it.
  struct Layer {
    SmallDisk* disk = nullptr;
    sqlite3_vfs* system = nullptr;
    sqlite3_vfs vfs = {};
  };
  Layer shared_, alone_;
  std::atomic<std::int64_t> free_bytes_{kNever};
  std::atomic<std::int64_t> writes_left_{kNever};
  std::atomic<bool> once_{false};
  std::atomic<bool> no_index_{false};
  std::atomic<bool> was_full_{false};
};

}  // namespace sweep
