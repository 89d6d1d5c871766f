#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/security/access_gate.h"
#include "coordinator/security/security_options.h"
#include "grpcpp/security/server_credentials.h"

namespace sweep {

// How a coordinator's port speaks and whom it lets in: with TLS if the options have a certificate,
// and behind `gate` if there is one, which decides on every call of every service before it is
// handled.
//
// Certificates are read again when their files have changed, with the next connection. Files that
// cannot be used, such as a new key whose certificate is not there yet, leave the last ones in
// force, with an error in the log.
//
// Errors of ReadIdentity and ReadAuthorities. Not thread-safe; the result is. The gate is shared
// with the dashboard.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SecurityOptions& options, std::shared_ptr<AccessGate> gate, Clock* clock);

}  // namespace sweep
