#include "coordinator/api/certificate_source.h"

#include <utility>

#include "common/secrets/certificates.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Before this a person should have replaced the certificate.
constexpr absl::Duration kSoon = absl::Hours(24 * 14);

}  // namespace

absl::StatusOr<std::unique_ptr<CertificateSource>> CertificateSource::Open(
    const SecurityOptions& options, Clock* clock) {
  std::unique_ptr<CertificateSource> source(new CertificateSource(options, clock));
  // Before reading: a change in between is then seen with the next call.
  const States states = source->CurrentStates();
  absl::StatusOr<Certificates> first = source->Read();
  if (!first.ok()) return first.status();
  MutexLock lock(&source->mutex_);
  source->states_ = states;
  source->first_ = *std::move(first);
  return source;
}

CertificateSource::States CertificateSource::CurrentStates() const {
  States states{.certificate = FileState::Of(options_.tls_certificate),
                .key = FileState::Of(options_.tls_key)};
  if (!options_.tls_client_ca.empty()) states.client_ca = FileState::Of(options_.tls_client_ca);
  return states;
}

absl::StatusOr<CertificateSource::Certificates> CertificateSource::Read() const {
  absl::StatusOr<Identity> identity =
      ReadIdentity(options_.tls_certificate, options_.tls_key, clock_->Now());
  if (!identity.ok()) return identity.status();
  Certificates read{.certificate = std::move(identity->certificate),
                    .key = std::move(identity->key)};
  if (!options_.tls_client_ca.empty()) {
    absl::StatusOr<std::string> authorities = ReadAuthorities(options_.tls_client_ca);
    if (!authorities.ok()) return authorities.status();
    read.client_authorities = *std::move(authorities);
  }
  const std::string until = absl::FormatTime(identity->until, absl::UTCTimeZone());
  spdlog::info("certificate read file={:?} until={}", options_.tls_certificate, until);
  if (identity->until - clock_->Now() < kSoon) {
    spdlog::warn("certificate expires soon file={:?} until={}", options_.tls_certificate, until);
  }
  return read;
}

std::optional<CertificateSource::Certificates> CertificateSource::TakeNews() {
  const States states = CurrentStates();
  {
    MutexLock lock(&mutex_);
    if (first_.has_value()) return std::exchange(first_, std::nullopt);
    if (states == states_) return std::nullopt;
    states_ = states;
  }
  absl::StatusOr<Certificates> read = Read();
  if (read.ok()) return *std::move(read);
  MutexLock lock(&mutex_);
  // The same files may be usable later: not yet valid, or a failure that passes.
  if (states == states_) states_ = {};
  if (states == unusable_) return std::nullopt;
  unusable_ = states;
  spdlog::error("certificate not read again, the last one stays in force error={:?}",
                std::string(read.status().message()));
  return std::nullopt;
}

}  // namespace sweep
