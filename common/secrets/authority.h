#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sweep {

// A certificate and its key, as PEM.
struct IssuedIdentity {
  std::string certificate;
  std::string key;
};

// A small certificate authority, for one coordinator and those who talk to it: keys on the curve
// P-256, signatures with SHA-256. Not thread-safe.
class Authority {
 public:
  static constexpr absl::Duration kLifetime = absl::Hours(24 * 3650);
  static constexpr absl::Duration kIdentityLifetime = absl::Hours(24 * 365);

  // A new one, valid from an hour before `now`, because clocks differ. Internal when libcrypto
  // fails.
  static absl::StatusOr<Authority> Make(absl::Time now);
  // One whose PEM texts were stored. InvalidArgument when they are none, or do not belong together.
  static absl::StatusOr<Authority> Load(const std::string& certificate, const std::string& key);

  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  // As PEM. The key signs new certificates: whoever has it can be anybody.
  absl::StatusOr<IssuedIdentity> Text() const;

  // For a server that is reached by `hosts`: names and addresses (IPv6 without brackets).
  // InvalidArgument for what is neither.
  absl::StatusOr<IssuedIdentity> IssueServer(const std::vector<std::string>& hosts, absl::Time now,
                                             absl::Duration lifetime = kIdentityLifetime) const;
  // For a client or a worker; cannot be used as a server.
  absl::StatusOr<IssuedIdentity> IssueClient(const std::string& name, absl::Time now,
                                             absl::Duration lifetime = kIdentityLifetime) const;

 private:
  struct Parts;
  explicit Authority(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace sweep
