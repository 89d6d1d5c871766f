#include "cli/models/blob_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/base/sha256.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

BlobCache::BlobCache(std::string folder, std::int64_t limit_bytes)
    : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}

BlobCache BlobCache::OfUser() {
  std::string base = Variable("XDG_CACHE_HOME");
  if (base.empty() && !Variable("HOME").empty()) base = Variable("HOME") + "/.cache";
  return BlobCache(base.empty() ? "" : base + "/sweep/blobs");
}

std::optional<std::string> BlobCache::Find(const std::string& sha256) const {
  if (folder_.empty() || !IsSha256Hex(sha256)) return std::nullopt;
  const fs::path path = fs::path(folder_) / sha256;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::error_code ignored;
  if (Sha256Hex(bytes) != sha256) {
    fs::remove(path, ignored);
    return std::nullopt;
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return bytes;
}

void BlobCache::Store(const std::string& sha256, std::string_view bytes) const {
  if (folder_.empty() || static_cast<std::int64_t>(bytes.size()) > limit_bytes_) return;
  std::error_code error;
  fs::create_directories(folder_, error);
  // Another process may write the same blob: each writes its own file and renames it.
  const fs::path temporary = fs::path(folder_) / (sha256 + ".tmp-" + RandomHex(8));
  std::ofstream file(temporary, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) fs::rename(temporary, fs::path(folder_) / sha256, error);
  if (!file || error) fs::remove(temporary, error);
  Trim();
}

void BlobCache::Trim() const {
  std::vector<std::tuple<fs::file_time_type, std::int64_t, fs::path>> files;
  std::int64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;  // another process may trim too
    const auto size = static_cast<std::int64_t>(at->file_size(gone));
    const fs::file_time_type used = gone ? fs::file_time_type() : at->last_write_time(gone);
    if (gone) continue;
    files.emplace_back(used, size, at->path());
    total += size;
  }
  std::sort(files.begin(), files.end());
  for (const auto& [used, size, path] : files) {
    if (total <= limit_bytes_) return;
    if (fs::remove(path, error)) total -= size;
  }
}

}  // namespace sweep::cli
