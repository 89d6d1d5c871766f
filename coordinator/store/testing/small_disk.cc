#include "coordinator/store/testing/small_disk.h"

#include <algorithm>
#include <cerrno>

namespace sweep {

// The file that SQLite gets. The system's own file follows it in memory.
struct SmallDiskFile {
  sqlite3_file base;
  SmallDisk* disk;
  bool index_is_in_memory;
  int regions;  // the size of the write-ahead log's index

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods* system() { return real()->pMethods; }
  static SmallDiskFile* Of(sqlite3_file* file) { return reinterpret_cast<SmallDiskFile*>(file); }

  static int Close(sqlite3_file* file) { return Of(file)->system()->xClose(Of(file)->real()); }
  static int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
    return Of(file)->system()->xRead(Of(file)->real(), data, size, offset);
  }
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    SmallDiskFile* const self = Of(file);
    sqlite3_int64 end = 0;
    if (const int code = FileSize(file, &end); code != SQLITE_OK) return code;
    const std::int64_t growth = std::max<std::int64_t>(offset + size - end, 0);
    const bool admitted = self->disk->Admit();
    const std::int64_t granted = admitted ? self->disk->Take(growth) : 0;
    const auto fits = static_cast<int>(admitted ? size - (growth - granted) : size / 2);
    if (fits > 0) {
      const int code = self->system()->xWrite(self->real(), data, fits, offset);
      if (code != SQLITE_OK) return code;
    }
    return fits == size ? SQLITE_OK : SQLITE_FULL;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Of(file)->system()->xTruncate(Of(file)->real(), size);
  }
  static int Sync(sqlite3_file*, int) { return SQLITE_OK; }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Of(file)->system()->xFileSize(Of(file)->real(), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Of(file)->system()->xLock(Of(file)->real(), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Of(file)->system()->xUnlock(Of(file)->real(), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* result) {
    return Of(file)->system()->xCheckReservedLock(Of(file)->real(), result);
  }
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    return Of(file)->system()->xFileControl(Of(file)->real(), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return Of(file)->system()->xSectorSize(Of(file)->real());
  }
  static int DeviceCharacteristics(sqlite3_file* file) {
    return Of(file)->system()->xDeviceCharacteristics(Of(file)->real());
  }
  static int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    SmallDiskFile* const self = Of(file);
    if (extend != 0 && region >= self->regions && !self->index_is_in_memory) {
      if (!self->disk->AdmitIndex() || !self->disk->Admit() || self->disk->Take(size) < size) {
        errno = 0;  // the system's VFS loses it too
        return SQLITE_IOERR_SHMSIZE;
      }
      self->regions = region + 1;
    }
    return self->system()->xShmMap(self->real(), region, size, extend, memory);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return Of(file)->system()->xShmLock(Of(file)->real(), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { Of(file)->system()->xShmBarrier(Of(file)->real()); }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    Of(file)->regions = 0;
    return Of(file)->system()->xShmUnmap(Of(file)->real(), remove);
  }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* granted) {
    // Version 2 has no memory-mapped files, which would bypass this class.
    static constexpr sqlite3_io_methods kMethods = {
        .iVersion = 2,
        .xClose = Close,
        .xRead = Read,
        .xWrite = Write,
        .xTruncate = Truncate,
        .xSync = Sync,
        .xFileSize = FileSize,
        .xLock = Lock,
        .xUnlock = Unlock,
        .xCheckReservedLock = CheckReservedLock,
        .xFileControl = FileControl,
        .xSectorSize = SectorSize,
        .xDeviceCharacteristics = DeviceCharacteristics,
        .xShmMap = ShmMap,
        .xShmLock = ShmLock,
        .xShmBarrier = ShmBarrier,
        .xShmUnmap = ShmUnmap,
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    SmallDiskFile* const self = Of(file);
    const auto* const layer = static_cast<SmallDisk::Layer*>(vfs->pAppData);
    self->disk = layer->disk;
    self->index_is_in_memory = layer->system == layer->disk->alone_.system;
    self->regions = 0;
    sqlite3_vfs* const system = layer->system;
    const int code = system->xOpen(system, name, self->real(), flags, granted);
    // SQLite closes exactly those files that have methods, also after an error.
    self->base.pMethods = self->real()->pMethods == nullptr ? nullptr : &kMethods;
    return code;
  }
};

SmallDisk::SmallDisk() {
  shared_.system = sqlite3_vfs_find(nullptr);
  alone_.system = sqlite3_vfs_find("unix-excl");
  for (Layer* const layer : {&shared_, &alone_}) {
    layer->disk = this;
    layer->vfs = *layer->system;
    layer->vfs.szOsFile = static_cast<int>(sizeof(SmallDiskFile)) + layer->system->szOsFile;
    layer->vfs.pAppData = layer;
    layer->vfs.xOpen = SmallDiskFile::Open;
  }
  shared_.vfs.zName = "small-disk";
  sqlite3_vfs_register(&shared_.vfs, /*makeDflt=*/1);
  // Of two VFSs with one name SQLite uses the one that was registered last.
  sqlite3_vfs_register(&alone_.vfs, /*makeDflt=*/0);
}

SmallDisk::~SmallDisk() {
  sqlite3_vfs_unregister(&alone_.vfs);
  sqlite3_vfs_unregister(&shared_.vfs);
  sqlite3_vfs_register(shared_.system, /*makeDflt=*/1);
}

void SmallDisk::FailWrite(std::int64_t number, bool once) {
  once_ = once;
  was_full_ = false;
  writes_left_ = number - 1;
}

void SmallDisk::GiveRoom() {
  free_bytes_ = kNever;
  writes_left_ = kNever;
  no_index_ = false;
  was_full_ = false;
}

std::int64_t SmallDisk::Take(std::int64_t bytes) {
  const std::int64_t granted = std::min(bytes, free_bytes_.load());
  if (free_bytes_ != kNever) free_bytes_ -= granted;
  if (granted < bytes) was_full_ = true;
  return granted;
}

bool SmallDisk::AdmitIndex() {
  if (!no_index_) return true;
  was_full_ = true;
  return false;
}

bool SmallDisk::Admit() {
  if (writes_left_ == kNever) return true;
  if (writes_left_ > 0) {
    --writes_left_;
    return true;
  }
  was_full_ = true;
  if (once_) writes_left_ = kNever;
  return false;
}

}  // namespace sweep
