#include "coordinator/security/key_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "common/base/ids.h"
#include "common/secrets/authority.h"
#include "common/secrets/secret_file.h"
#include "coordinator/security/token_file.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr const char* kFiles[] = {"ca.crt",     "ca.key",     "server.crt",  "server.key",
                                  "client.crt", "client.key", "admin.token", "worker.token",
                                  "tokens",     "hosts"};
constexpr char kClientName[] = "sweep-client";

std::string In(const std::string& folder, const char* file) { return folder + "/" + file; }

// A folder that others can write could have its keys exchanged under way.
absl::Status CheckFolder(const std::string& folder) {
  struct stat info{};
  if (stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("{}: is not a folder", folder));
  }
  if ((info.st_mode & S_IWOTH) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "{}: everybody on this machine may write in it (mode {:04o}); take another folder", folder,
      info.st_mode & 07777));
}

absl::Status OpenFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be made: {}", folder, std::strerror(errno)));
  }
  if (absl::Status status = CheckFolder(folder); !status.ok()) return status;
  for (const char* const file : kFiles) {
    struct stat info{};
    if (lstat(In(folder, file).c_str(), &info) != 0) continue;
    return absl::AlreadyExistsError(fmt::format(
        "{} is there already, and nothing was changed; --renew signs new certificates in a folder "
        "with keys",
        In(folder, file)));
  }
  return absl::OkStatus();
}

std::string HostsText(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) text += host + "\n";
  return text;
}

using File = std::pair<const char*, std::string>;  // name and content

// The pairs of server and clients, and the server's names.
absl::StatusOr<std::vector<File>> Identities(const Authority& authority,
                                             const std::vector<std::string>& hosts,
                                             absl::Time now) {
  const absl::StatusOr<IssuedIdentity> server = authority.IssueServer(hosts, now);
  if (!server.ok()) return server.status();
  const absl::StatusOr<IssuedIdentity> client = authority.IssueClient(kClientName, now);
  if (!client.ok()) return client.status();
  return std::vector<File>{{"server.crt", server->certificate},
                           {"server.key", server->key},
                           {"client.crt", client->certificate},
                           {"client.key", client->key},
                           {"hosts", HostsText(hosts)}};
}

absl::Status AddTokens(const std::string& folder, absl::Time now) {
  for (const auto& [file, role] :
       {std::pair{"admin.token", Role::kAdmin}, std::pair{"worker.token", Role::kWorker}}) {
    const absl::StatusOr<std::string> token =
        AddToken(In(folder, "tokens"), std::string(RoleName(role)), role, now);
    if (!token.ok()) return token.status();
    absl::Status written = WriteNewSecretFile(In(folder, file), *token + "\n");
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

absl::Status Fill(const std::string& folder, const std::vector<std::string>& hosts,
                  absl::Time now) {
  const absl::StatusOr<Authority> authority = Authority::Make(now);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<IssuedIdentity> own = authority->Text();
  if (!own.ok()) return own.status();
  absl::StatusOr<std::vector<File>> files = Identities(*authority, hosts, now);
  if (!files.ok()) return files.status();
  files->insert(files->end(), {{"ca.crt", own->certificate}, {"ca.key", own->key}});
  for (const auto& [name, text] : *files) {
    if (absl::Status status = WriteNewSecretFile(In(folder, name), text); !status.ok()) {
      return status;
    }
  }
  return AddTokens(folder, now);
}

absl::StatusOr<std::vector<std::string>> ReadHosts(const std::string& folder) {
  const absl::StatusOr<std::string> text = ReadPublicFile(In(folder, "hosts"));
  if (!text.ok()) return text.status();
  std::vector<std::string> hosts;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) hosts.push_back(line);
  return hosts;
}

}  // namespace

std::vector<std::string> HostsOfServer(const std::vector<std::string>& more) {
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};
  std::array<char, 256> name{};
  // A name with characters that no certificate takes is left out.
  if (gethostname(name.data(), name.size() - 1) == 0 && IsValidName(name.data())) {
    hosts.emplace_back(name.data());
  }
  for (const std::string& host : more) {
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

absl::Status MakeKeyFolder(const std::string& folder, const std::vector<std::string>& hosts,
                           absl::Time now) {
  if (absl::Status status = OpenFolder(folder); !status.ok()) return status;
  absl::Status status = Fill(folder, hosts, now);
  // Another process may have made a file meanwhile: then some are not ours to remove.
  if (!status.ok() && !absl::IsAlreadyExists(status)) {
    for (const char* const file : kFiles) unlink(In(folder, file).c_str());
    unlink(In(folder, "tokens.lock").c_str());
  }
  return status;
}

absl::Status RenewKeyFolder(const std::string& folder, const std::vector<std::string>& hosts,
                            absl::Time now) {
  if (absl::Status status = CheckFolder(folder); !status.ok()) return status;
  const absl::StatusOr<std::string> certificate = ReadPublicFile(In(folder, "ca.crt"));
  if (!certificate.ok()) return certificate.status();
  const absl::StatusOr<std::string> key = ReadSecretFile(In(folder, "ca.key"));
  if (!key.ok()) return key.status();
  const absl::StatusOr<Authority> authority = Authority::Load(*certificate, *key);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<std::vector<std::string>> names =
      hosts.empty() ? ReadHosts(folder) : absl::StatusOr<std::vector<std::string>>(hosts);
  if (!names.ok()) return names.status();
  const absl::StatusOr<std::vector<File>> files = Identities(*authority, *names, now);
  if (!files.ok()) return files.status();
  for (const auto& [name, text] : *files) {
    if (absl::Status status = ReplaceSecretFile(In(folder, name), text); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace sweep
