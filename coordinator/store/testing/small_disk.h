#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <limits>

namespace sweep {

// A disk that fills up, for tests: SQLite opens every file through it while it lives. It forwards
// to the system's files and says SQLITE_FULL when there is no room, after writing what still fits,
// as a real one does. It syncs nothing, since no test of it ends the machine. One at a time.
class SmallDisk {
 public:
  SmallDisk();
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // How many bytes files may still grow by.
  void SetFreeBytes(std::int64_t bytes) { free_bytes_ = bytes; }
  // The `number`-th write from now (1: the next) finds no room, and neither do those after it, or
  // (`once`) only that one.
  void FailWrite(std::int64_t number, bool once);
  // Only the write-ahead log's index finds no room to grow.
  void RefuseIndex() {
    was_full_ = false;
    no_index_ = true;
  }
  // As if somebody had cleared up.
  void GiveRoom();
  // Whether a write has found no room since the last FailWrite, SetFreeBytes or GiveRoom.
  bool was_full() const { return was_full_; }

 private:
  friend struct SmallDiskFile;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  // Takes `bytes` of growth; how many of them there is room for.
  std::int64_t Take(std::int64_t bytes);
  // Counts one write; false when it is to fail.
  bool Admit();
  bool AdmitIndex();

  // One of SQLite's own ways to files, and ours before it.
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
