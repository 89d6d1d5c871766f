#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// The file that a database's name refers to, resolved once, and the files beside it. Two spellings
// of a path, or a link and its target, give the same files. Only name() keeps what the user wrote.
class DatabaseFile {
 public:
  // Follows links to folders and files, also to a file that does not exist yet. InvalidArgument
  // for a name that cannot be a database: empty, special to SQLite (":memory:", "file:..."), an
  // address ("sqlite:///x.db"), a file beside a database ("x.db-wal", "x.db.lock"), or anything but
  // a regular file. NotFound when its folder does not exist.
  static absl::StatusOr<DatabaseFile> Resolve(const std::string& name);

  // For messages: the name as written, with " -> PATH" when it is a link.
  const std::string& name() const { return name_; }
  // Absolute, without links, so SQLite does not read it as a URI.
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
