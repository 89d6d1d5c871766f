#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
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
// be read leaves the last tokens in force, with an error in the log, and is tried again, since it
// may have a revocation. Thread-safe.
class TokenTable {
 public:
  // Errors of ReadTokens. `pause`: between tries to read a file that could not be read.
  static absl::StatusOr<std::unique_ptr<TokenTable>> Open(const std::string& path,
                                                          absl::Duration pause = absl::Seconds(1));

  // The entry of a token, revoked or not; null when there is none. Takes the same time wherever the
  // digests differ.
  std::shared_ptr<const StoredToken> Find(std::string_view token);

 private:
  // Shared with calls that look something up while the file is read again.
  using Tokens = std::shared_ptr<const std::vector<StoredToken>>;

  TokenTable(std::string path, absl::Duration pause, FileState state, Tokens tokens);
  Tokens Current();

  const std::string path_;
  const absl::Duration pause_;
  Mutex mutex_;
  FileState state_ ABSL_GUARDED_BY(mutex_);
  Tokens tokens_ ABSL_GUARDED_BY(mutex_);
  // Set: the file with `state_` could not be read; when to try again.
  std::optional<std::chrono::steady_clock::time_point> retry_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
