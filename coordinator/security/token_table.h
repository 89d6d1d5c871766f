#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "coordinator/security/token_file.h"

namespace sweep {

// Tells whether a file at a path is another one, or has changed. A file that is not there differs
// from every other.
struct FileState {
  static FileState Of(const std::string& path);
  bool operator==(const FileState&) const = default;

  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = -1;
  std::int64_t changed_ns = 0;  // st_ctim: cannot be set, unlike st_mtim
};

// The tokens that are valid now. Follows changes of its file with the next call; a file that cannot
// be read any more leaves the last tokens in force, with an error in the log. Thread-safe.
class TokenTable {
 public:
  // Errors of ReadTokens.
  static absl::StatusOr<std::unique_ptr<TokenTable>> Open(const std::string& path);

  // The entry of a token, revoked or not; null when there is none. Takes the same time wherever the
  // digests differ.
  std::shared_ptr<const StoredToken> Find(std::string_view token);

 private:
  // Shared with calls that look something up while the file is read again.
  using Tokens = std::shared_ptr<const std::vector<StoredToken>>;

  TokenTable(std::string path, FileState state, Tokens tokens);
  Tokens Current();

  const std::string path_;
  Mutex mutex_;
  FileState state_ ABSL_GUARDED_BY(mutex_);
  Tokens tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
