#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sweep::cli {

// Blobs that were fetched before, as files named by their SHA-256, so that the weights of a remote
// trial travel once. Bounded: the ones that were not used for longest go first. Several processes
// may use it at once. It is only ever a help: where it cannot be read or written it is as if empty.
class BlobCache {
 public:
  static constexpr std::int64_t kDefaultLimitBytes = std::int64_t{256} << 20;

  // In `folder`; "" keeps nothing.
  explicit BlobCache(std::string folder, std::int64_t limit_bytes = kDefaultLimitBytes);
  // $XDG_CACHE_HOME/sweep/blobs, or else ~/.cache/sweep/blobs.
  static BlobCache OfUser();

  // Bytes with that digest; a file whose bytes have another one is removed.
  std::optional<std::string> Find(const std::string& sha256) const;
  // Requires that `bytes` have that digest.
  void Store(const std::string& sha256, std::string_view bytes) const;

 private:
  void Trim() const;

  const std::string folder_;
  const std::int64_t limit_bytes_;
};

}  // namespace sweep::cli
