#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// Files named by their SHA-256 in a folder beside the database ("sweep.db.blobs/ab/abcd…").
// Written to a temporary name, fsynced, checked and renamed, so that a name always has its bytes.
// Thread-safe.
class BlobStore {
 public:
  static constexpr std::int64_t kMaxSizeBytes = 64 << 20;

  // Creates the folder. "" keeps the blobs in a temporary folder that goes with the object.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& folder);
  virtual ~BlobStore() = default;

  // One blob on its way in. Dropping it without Commit leaves nothing behind.
  class Writer {
   public:
    virtual ~Writer() = default;
    // ResourceExhausted past kMaxSizeBytes; Unavailable while the disk is full, also from Commit.
    virtual absl::Status Append(std::string_view data) = 0;
    // InvalidArgument when the bytes are not those of the announced digest or size.
    virtual absl::Status Commit() = 0;
  };
  virtual absl::StatusOr<std::unique_ptr<Writer>> Put(const std::string& sha256,
                                                      std::int64_t size_bytes) = 0;
  virtual bool Has(const std::string& sha256) const = 0;
  // NotFound when there is none. At most `limit` bytes from `offset`; empty at the end.
  virtual absl::StatusOr<std::string> Read(const std::string& sha256, std::int64_t offset,
                                           std::int64_t limit) const = 0;
  virtual absl::StatusOr<std::int64_t> Size(const std::string& sha256) const = 0;
};

}  // namespace sweep
