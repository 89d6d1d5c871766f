#pragma once

#include <string>

#include "absl/status/status.h"

namespace sweep {

// Before the address of a coordinator that speaks TLS, where a process publishes its own.
inline constexpr char kTlsScheme[] = "tls:";

// How a client or a worker reaches a coordinator; "" leaves out a part. Needs no gRPC headers.
struct ChannelSecurity {
  std::string tls_ca;      // file: the authorities whose servers are believed; then TLS is used
  std::string tls_cert;    // file: the own certificate, for a coordinator that wants one
  std::string tls_key;     // file: its key
  std::string token_file;  // file: the own token
  bool UsesTls() const { return !tls_ca.empty(); }
};

// How the message of every refusal for lack of a token or a role begins. The codes alone do not
// say it: a file that cannot be written is also PERMISSION_DENIED.
inline constexpr char kAccessRefused[] = "not allowed: ";

// True for such a refusal, whatever somebody has put before its message.
bool IsAccessRefusal(const absl::Status& status);

}  // namespace sweep
