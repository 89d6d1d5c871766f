#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// The file that the name of a database leads to, found once, with the names of what lies beside it.
// Two spellings of one path, and a link and what it points to, give the same files; only the name
// for messages is what a person wrote.
class DatabaseFile {
 public:
  // Follows links of the folders and of the file itself, also a link to a file that is not there
  // yet. InvalidArgument for a name that can be no database: empty, special to SQLite (":memory:",
  // "file:..."), an address ("sqlite:///x.db"), that of a part of another database ("x.db-wal",
  // "x.db.lock"), a folder or anything else but a regular file.
  // NotFound when its folder does not exist.
  static absl::StatusOr<DatabaseFile> Resolve(const std::string& name);

  // For messages: as it was written, and " -> PATH" when a link leads elsewhere.
  const std::string& name() const { return name_; }
  // Absolute, without links. SQLite takes none of these for a URI.
  const std::string& path() const { return path_; }
  std::string lock() const { return path_ + ".lock"; }
  std::string blobs() const { return path_ + ".blobs"; }
  std::string log() const { return path_ + "-wal"; }
  std::string log_index() const { return path_ + "-shm"; }

 private:
  DatabaseFile(std::string name, std::string path)
      : name_(std::move(name)), path_(std::move(path)) {}
  std::string name_;
  std::string path_;
};

}  // namespace sweep
