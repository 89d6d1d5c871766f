#pragma once

#include <string>

namespace sweep {

// How a coordinator is protected; "" leaves out a part. docs/security.md says what each stops.
struct SecurityOptions {
  std::string tls_certificate;  // file: its certificate, and those that signed it
  std::string tls_key;          // file: the certificate's key
  std::string tls_client_ca;    // file: the authorities of clients' certificates; then all need one
  std::string tokens;           // file: who may call, and with which role
  double calls_per_second = 0;  // that each token may make; 0: no limit
  bool insecure = false;        // other machines may call without TLS

  bool HasTls() const { return !tls_certificate.empty(); }
};

}  // namespace sweep
