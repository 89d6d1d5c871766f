#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sweep::cli {

// Cache of fetched blobs as files named by their SHA-256, so that the weights of a remote trial are
// fetched once. Bounded; removes the least recently used blobs first. Several processes may share
// it. Optional: an unreadable or unwritable folder acts like an empty cache.
class BlobCache {
 public:
  static constexpr std::int64_t kDefaultLimitBytes = std::int64_t{256} << 20;

  // In `folder`; "" stores nothing.
  explicit BlobCache(std::string folder, std::int64_t limit_bytes = kDefaultLimitBytes);
  // $XDG_CACHE_HOME/sweep/blobs, or else ~/.cache/sweep/blobs.
  static BlobCache OfUser();

  // The bytes with that digest; removes a file whose bytes do not match.
  std::optional<std::string> Find(const std::string& sha256) const;
  // Requires that `bytes` has that digest.
  void Store(const std::string& sha256, std::string_view bytes) const;

 private:
  void Trim() const;

  const std::string folder_;
  const std::int64_t limit_bytes_;
};

}  // namespace sweep::cli
