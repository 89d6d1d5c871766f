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
// A file is written under a temporary name, synced, checked and then renamed, so a file with a
// digest as its name always has the right bytes.
// Thread-safe.
class BlobStore {
 public:
  static constexpr std::int64_t kMaxSizeBytes = 64 << 20;

  // Creates the folder. With "" the blobs are in a temporary folder, removed with the object.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& folder);
  virtual ~BlobStore() = default;

  // Stores one blob. Without Commit nothing is kept.
  class Writer {
   public:
    virtual ~Writer() = default;
    // ResourceExhausted past kMaxSizeBytes; Unavailable while the disk is full, also from Commit.
    virtual absl::Status Append(std::string_view data) = 0;
    // InvalidArgument when the bytes do not have the announced digest or size.
    virtual absl::Status Commit() = 0;
  };
  virtual absl::StatusOr<std::unique_ptr<Writer>> Put(const std::string& sha256,
                                                      std::int64_t size_bytes) = 0;
  virtual bool Has(const std::string& sha256) const = 0;
  virtual absl::StatusOr<std::int64_t> Size(const std::string& sha256) const = 0;
  // Makes the name of an existing blob durable. Call it before relying on a blob that somebody else
  // has stored, who may not have synced the folder yet.
  virtual absl::Status Confirm(const std::string& sha256) = 0;

  // Reads one blob, which stays readable if it is removed meanwhile. Used by one thread.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual std::int64_t size_bytes() const = 0;
    // The next bytes, at most `limit`; empty at the end. DataLoss instead of the last bytes when
    // the digest differs from the blob's name.
    virtual absl::StatusOr<std::string> Next(std::int64_t limit) = 0;
  };
  // NotFound when there is no such blob.
  virtual absl::StatusOr<std::unique_ptr<Reader>> Read(const std::string& sha256) const = 0;

  // The blob is not removed while its Hold exists. HoldBlob waits for a Removal to end.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  virtual std::unique_ptr<Hold> HoldBlob(const std::string& sha256) = 0;
  // The right to remove a blob, while it exists. BeginRemoval returns nullptr while there is a
  // Hold.
  class Removal {
   public:
    virtual ~Removal() = default;
    // OK also when there is no such blob.
    virtual absl::Status Remove() = 0;
  };
  virtual std::unique_ptr<Removal> BeginRemoval(const std::string& sha256) = 0;
  // Moves a damaged blob to the folder "damaged", so that the right bytes can be stored again.
  // Returns the new path.
  virtual absl::StatusOr<std::string> PutAside(const std::string& sha256) = 0;

  // The blobs whose names begin with these digits and whose files were last written before
  // `before`.
  virtual std::vector<std::string> List(const std::string& two_digits, absl::Time before) const = 0;
};

}  // namespace sweep
