#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/security/security_options.h"
#include "coordinator/security/token_table.h"

namespace sweep {

// A server's certificate and key, and the authorities of its clients, from files that may change.
// Thread-safe.
class CertificateSource {
 public:
  struct Certificates {
    std::string certificate;  // as PEM, like all
    std::string key;
    std::string client_authorities;  // "": clients need no certificate
  };

  // Errors of ReadIdentity and ReadAuthorities. `clock` must outlive it.
  static absl::StatusOr<std::unique_ptr<CertificateSource>> Open(const SecurityOptions& options,
                                                                 Clock* clock);

  // What changed since the last call: everything at the first one. Nothing when the files are the
  // same, or cannot be used; the latter is logged once, and tried again with each call.
  std::optional<Certificates> TakeNews();

 private:
  struct States {
    FileState certificate, key, client_ca;
    bool operator==(const States&) const = default;
  };

  CertificateSource(const SecurityOptions& options, Clock* clock)
      : options_(options), clock_(clock) {}
  States CurrentStates() const;
  absl::StatusOr<Certificates> Read() const;

  const SecurityOptions options_;
  Clock* const clock_;
  Mutex mutex_;
  States states_ ABSL_GUARDED_BY(mutex_);
  States unusable_ ABSL_GUARDED_BY(mutex_);  // those that were logged
  std::optional<Certificates> first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
