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

absl::StatusOr<std::unique_ptr<TokenTable>> TokenTable::Open(const std::string& path) {
  // Before reading: a change in between is then seen with the next call.
  const FileState state = FileState::Of(path);
  absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path);
  if (!tokens.ok()) return tokens.status();
  return std::unique_ptr<TokenTable>(new TokenTable(
      path, state, std::make_shared<const std::vector<StoredToken>>(*std::move(tokens))));
}

TokenTable::TokenTable(std::string path, FileState state, Tokens tokens)
    : path_(std::move(path)), state_(state), tokens_(std::move(tokens)) {}

TokenTable::Tokens TokenTable::Current() {
  const FileState state = FileState::Of(path_);
  {
    MutexLock lock(&mutex_);
    if (state == state_) return tokens_;
    // Only this call reads the file; others meanwhile use what they have.
    state_ = state;
  }
  absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path_);
  if (!tokens.ok()) {
    spdlog::error("tokens not read again, the last ones stay in force error={:?}",
                  std::string(tokens.status().message()));
  }
  MutexLock lock(&mutex_);
  if (tokens.ok() && state == state_) {
    spdlog::info("tokens read again file={:?} tokens={}", path_, tokens->size());
    tokens_ = std::make_shared<const std::vector<StoredToken>>(*std::move(tokens));
  }
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
