#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace sweep {

// A folder with what one coordinator and those who talk to it need: ca.crt and ca.key (the
// authority), server.crt and server.key, client.crt and client.key (for clients and workers),
// tokens (for --tokens), admin.token and worker.token, and hosts (the server's names). Every file
// is secret; see common/secrets/secret_file.h.

// The names by which a coordinator on this machine is reached anyway, and `more`.
std::vector<std::string> HostsOfServer(const std::vector<std::string>& more);

// Makes the folder and its files. AlreadyExists, and nothing is changed, when one of the files is
// there; PermissionDenied when others could change the folder. After any other error no file is
// left behind.
absl::Status MakeKeyFolder(const std::string& folder, const std::vector<std::string>& hosts,
                           absl::Time now);

// Signs new certificates for server and clients, with new keys; the authority and the tokens stay.
// `hosts`: the server's names; empty: those that it has. A running coordinator takes them up.
absl::Status RenewKeyFolder(const std::string& folder, const std::vector<std::string>& hosts,
                            absl::Time now);

}  // namespace sweep
