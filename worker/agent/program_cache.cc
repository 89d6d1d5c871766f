#include "worker/agent/program_cache.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"

namespace sweep {
namespace {

using std::filesystem::perms;

bool Holds(const std::filesystem::path& path, const std::string& text) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, ignored))) {
    return false;
  }
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str() == text;
}

// Puts the text there by a rename, so that a process that runs already sees the old or the new one.
absl::Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  if (Holds(path, text)) return absl::OkStatus();
  const auto failed = [&](const std::string& why) {
    return absl::PermissionDeniedError(
        absl::StrCat("program file ", path.string(), ": cannot be written: ", why));
  };
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return failed(error.message());
  const std::filesystem::path next = absl::StrCat(path.string(), ".", RandomHex(4));
  std::ofstream file(next, std::ios::binary);
  file << text;
  file.close();
  if (!file) error = std::make_error_code(std::errc::io_error);
  const bool is_script = text.starts_with("#!");
  if (!error && is_script) {
    std::filesystem::permissions(next, perms::owner_all | perms::group_read | perms::group_exec,
                                 error);
  }
  if (!error) std::filesystem::rename(next, path, error);
  if (!error) return absl::OkStatus();
  std::error_code ignored;
  std::filesystem::remove(next, ignored);
  return failed(error.message());
}

}  // namespace

absl::StatusOr<std::string> ProgramCache::Folder(const std::string& digest, const Fetch& fetch) {
  if (!IsSha256Hex(digest)) {
    return absl::InvalidArgumentError(absl::StrCat("program digest '", digest, "' is none"));
  }
  std::string folder = absl::StrCat(folder_, "/", digest);
  {
    MutexLock lock(&mutex_);
    Entry& entry = entries_[digest];
    while (entry.busy) changed_.Wait(&mutex_);
    if (entry.known) return folder;
    entry.busy = true;
  }
  const absl::Status written = Write(digest, folder, fetch);
  MutexLock lock(&mutex_);
  Entry& entry = entries_[digest];
  entry.busy = false;
  entry.known = written.ok();
  changed_.NotifyAll();
  if (!written.ok()) return written;
  return folder;
}

absl::Status ProgramCache::Write(const std::string& digest, const std::string& folder,
                                 const Fetch& fetch) {
  const absl::StatusOr<ProgramFiles> files = fetch();
  if (!files.ok()) return files.status();
  if (const std::string error = CheckProgramFiles(*files); !error.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("program files: ", error));
  }
  if (ProgramDigest(*files) != digest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "program files: the sweep's are others by now, not those with digest ", digest));
  }
  for (const auto& [name, text] : *files) {
    if (absl::Status status = WriteFile(std::filesystem::path(folder) / name, text); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace sweep
