#include "coordinator/security/token_table.h"

#include <sys/stat.h>

#include <utility>

#include "common/secrets/token.h"
#include "spdlog/spdlog.h"

namespace sweep {

FileState FileState::Of(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .changed_ns = info.st_ctim.tv_sec * kSecond + info.st_ctim.tv_nsec};
}

absl::StatusOr<std::unique_ptr<TokenTable>> TokenTable::Open(const std::string& path,
                                                             absl::Duration pause) {
  // Before reading: a change in between is then seen with the next call.
  const FileState state = FileState::Of(path);
  absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path);
  if (!tokens.ok()) return tokens.status();
  return std::unique_ptr<TokenTable>(new TokenTable(
      path, pause, state, std::make_shared<const std::vector<StoredToken>>(*std::move(tokens))));
}

TokenTable::TokenTable(std::string path, absl::Duration pause, FileState state, Tokens tokens)
    : path_(std::move(path)), pause_(pause), state_(state), tokens_(std::move(tokens)) {}

TokenTable::Tokens TokenTable::Current() {
  using std::chrono::steady_clock;
  const FileState state = FileState::Of(path_);
  bool is_first_try = true;
  {
    MutexLock lock(&mutex_);
    if (state == state_) {
      if (!retry_at_ || steady_clock::now() < *retry_at_) return tokens_;
      is_first_try = false;
    }
    // Only this call reads the file; others meanwhile use what they have.
    state_ = state;
    retry_at_.reset();
  }
  absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path_);
  if (!tokens.ok() && is_first_try) {
    spdlog::error("tokens not read again, the last ones stay in force error={:?}",
                  std::string(tokens.status().message()));
  }
  MutexLock lock(&mutex_);
  if (!(state == state_)) return tokens_;  // another call reads what came after
  if (!tokens.ok()) {
    retry_at_ = steady_clock::now() + absl::ToChronoNanoseconds(pause_);
    return tokens_;
  }
  spdlog::info("tokens read again file={:?} tokens={}", path_, tokens->size());
  tokens_ = std::make_shared<const std::vector<StoredToken>>(*std::move(tokens));
  return tokens_;
}

std::shared_ptr<const StoredToken> TokenTable::Find(std::string_view token) {
  const std::string digest = TokenDigest(token);
  const Tokens tokens = Current();
  const StoredToken* found = nullptr;
  for (const StoredToken& stored : *tokens) {
    if (IsSameDigest(stored.digest, digest)) found = &stored;
  }
  return found == nullptr ? nullptr : std::shared_ptr<const StoredToken>(tokens, found);
}

}  // namespace sweep
