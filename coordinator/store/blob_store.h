#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

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
  virtual absl::StatusOr<std::int64_t> Size(const std::string& sha256) const = 0;
  // For one who relies on a blob that was there already: makes its name durable, which the one who
  // stored it may not have done yet.
  virtual absl::Status Confirm(const std::string& sha256) = 0;

  // One blob on its way out; it stays readable when it is removed meanwhile. One thread.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual std::int64_t size_bytes() const = 0;
    // The next bytes, at most `limit`; empty at the end. DataLoss, instead of the last of them,
    // when they are not those of the blob's name.
    virtual absl::StatusOr<std::string> Next(std::int64_t limit) = 0;
  };
  // NotFound when there is none.
  virtual absl::StatusOr<std::unique_ptr<Reader>> Read(const std::string& sha256) const = 0;

  // While a hold lives, the blob is not removed. Waits while it is being removed.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  virtual std::unique_ptr<Hold> HoldBlob(const std::string& sha256) = 0;
  // The right to remove a blob, for as long as it lives; nullptr while somebody holds the blob.
  class Removal {
   public:
    virtual ~Removal() = default;
    // Also when there is none.
    virtual absl::Status Remove() = 0;
  };
  virtual std::unique_ptr<Removal> BeginRemoval(const std::string& sha256) = 0;
  // Moves a blob whose bytes are wrong to the folder "damaged", so that the right ones can be
  // stored again. The new path.
  virtual absl::StatusOr<std::string> PutAside(const std::string& sha256) = 0;

  // The blobs whose names begin with these two digits and whose files were last written before.
  virtual std::vector<std::string> List(const std::string& two_digits, absl::Time before) const = 0;
};

}  // namespace sweep
