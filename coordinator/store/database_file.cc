#include "coordinator/store/database_file.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>
#include <utility>

#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

// The kernel's limit: a longer chain of links is a loop.
constexpr int kMaxLinks = 40;

absl::Status Refuse(const std::string& name, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("'{}' cannot be a database: {}", name, why));
}

// "scheme://...": the address of a coordinator, or a database in another tool's notation.
bool IsAddress(const std::string& name) {
  const std::size_t end = name.find("://");
  if (end == std::string::npos || end == 0) return false;
  const std::string scheme = name.substr(0, end);
  return std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  });
}

absl::Status CheckDatabaseName(const std::string& name) {
  if (name.empty()) return Refuse(name, "the name is empty");
  if (name == ":memory:") {
    return Refuse(name, "SQLite keeps what has this name in memory; name a file");
  }
  if (name.starts_with("file:")) {
    return Refuse(name, "it is a URI; name the file itself (a file called so is './" + name + "')");
  }
  if (IsAddress(name)) return Refuse(name, "it is an address; name the file itself");
  if (name.ends_with('/')) return Refuse(name, "a name that ends in '/' is a folder");
  return absl::OkStatus();
}

// `path` with the links of its folder resolved.
absl::StatusOr<fs::path> InRealFolder(const std::string& name, const fs::path& path) {
  const fs::path last = path.filename();
  if (last.empty() || last == "." || last == "..") return Refuse(name, "it is a folder");
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  const fs::path folder = fs::canonical(parent, error);
  if (!error && fs::is_directory(folder, error)) return folder / last;
  if (!error || error == std::errc::not_a_directory) {
    return Refuse(name, fmt::format("'{}' is not a folder", parent.string()));
  }
  if (error == std::errc::no_such_file_or_directory) {
    return absl::NotFoundError(
        fmt::format("database '{}': there is no folder '{}'", name, parent.string()));
  }
  return absl::PermissionDeniedError(
      fmt::format("database '{}': folder '{}': {}", name, parent.string(), error.message()));
}

// Refuses names of files beside another database, whose coordinator would overwrite them.
absl::Status CheckLastPart(const std::string& name, const fs::path& path) {
  const std::string last = path.filename().string();
  for (const std::string_view part : {"-wal", "-shm", "-journal", ".lock", ".blobs"}) {
    if (!last.ends_with(part)) continue;
    return Refuse(name, fmt::format("what ends in '{}' belongs to a database '{}'", part,
                                    last.substr(0, last.size() - part.size())));
  }
  return absl::OkStatus();
}

absl::Status CheckKind(const std::string& name, const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path, ignored);
  if (status.type() == fs::file_type::directory) return Refuse(name, "it is a folder");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return Refuse(name, fmt::format("'{}' is not a regular file", path.string()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DatabaseFile> DatabaseFile::Resolve(const std::string& name) {
  STORE_RETURN_IF_ERROR(CheckDatabaseName(name));
  STORE_ASSIGN_OR_RETURN(fs::path path, InRealFolder(name, name));
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(path, error)); ++links) {
    if (links == kMaxLinks) return Refuse(name, "its links lead in a circle");
    const fs::path target = fs::read_symlink(path, error);
    if (error) {
      return absl::PermissionDeniedError(
          fmt::format("database '{}': link '{}': {}", name, path.string(), error.message()));
    }
    STORE_ASSIGN_OR_RETURN(path, InRealFolder(name, path.parent_path() / target));
  }
  STORE_RETURN_IF_ERROR(CheckLastPart(name, path));
  STORE_RETURN_IF_ERROR(CheckKind(name, path));
  const fs::path spelled = fs::absolute(name, error).lexically_normal();
  const bool elsewhere = error || spelled != path;
  return DatabaseFile(elsewhere ? fmt::format("{} -> {}", name, path.string()) : name,
                      path.string());
}

}  // namespace sweep
