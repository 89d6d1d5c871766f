#include "coordinator/security_commands.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "common/base/printable.h"
#include "common/base/shell_quote.h"
#include "common/command_line/options.h"
#include "common/command_line/program.h"
#include "common/secrets/secret_file.h"
#include "coordinator/maintenance.h"
#include "coordinator/security/key_folder.h"
#include "coordinator/security/token_file.h"
#include "fmt/format.h"

namespace sweep {
namespace {

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "sweep-coordinator: %s\n",
               PrintableLines(std::string(status.message())).c_str());
  const bool is_wish =
      absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsAlreadyExists(status);
  return is_wish ? kBadArguments : kFailed;
}

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// What to do with a new folder of keys.
std::string NextSteps(const std::string& folder) {
  const std::string in = ShellQuote(folder) + "/";
  return fmt::format(
      "made {0}: an authority, certificates, and tokens for the roles admin and worker\n\n"
      "Start the coordinator:\n"
      "  sweep-coordinator --listen 0.0.0.0:7077 --tls-cert {0}server.crt --tls-key {0}server.key "
      "--tls-client-ca {0}ca.crt --tokens {0}tokens\n\n"
      "Copy ca.crt, client.crt, client.key and worker.token to each worker's machine:\n"
      "  sweep-worker --coordinator HOST:7077 --tls-ca ca.crt --tls-cert client.crt --tls-key "
      "client.key --token-file worker.token\n\n"
      "Clients need the same files with a token of their own:\n"
      "  sweep-coordinator token add NAME --role submitter --tokens {0}tokens --out NAME.token\n\n"
      "Keep ca.key away from all of them: whoever has it can make certificates. Certificates are\n"
      "valid for a year; sweep-coordinator init {1} --renew makes new ones.\n",
      in, ShellQuote(folder));
}

int Init(int argc, char** argv) {
  CLI::App app{"Makes a small certificate authority, certificates and tokens in a new folder."};
  app.name("sweep-coordinator init");
  std::string folder;
  std::vector<std::string> hosts;
  bool renew = false;
  app.add_option("FOLDER", folder, "where to make them")->required();
  app.add_option("--host", hosts,
                 "a name or address by which others reach the coordinator; repeatable. It always "
                 "has localhost and this machine's name")
      ->type_name("NAME");
  app.add_flag("--renew", renew,
               "sign new certificates in a folder with keys; a running coordinator takes them up");
  if (const std::optional<int> code = ParseCommand(&app, argc, argv)) return *code;
  if (renew) {
    const absl::Status status =
        RenewKeyFolder(folder, hosts.empty() ? hosts : HostsOfServer(hosts), absl::Now());
    if (!status.ok()) return Complain(status);
    Print(
        fmt::format("new certificates in {}; clients and workers need the new client.crt and "
                    "client.key before theirs expire\n",
                    ShellQuote(folder)));
    return 0;
  }
  const absl::Status status = MakeKeyFolder(folder, HostsOfServer(hosts), absl::Now());
  if (!status.ok()) return Complain(status);
  Print(NextSteps(folder));
  return 0;
}

CLI::Option* AddTokensOption(CLI::App* app, std::string* path) {
  return app->add_option("--tokens", *path, "the coordinator's file of tokens")
      ->type_name("FILE")
      ->required();
}

int AddCommand(int argc, char** argv) {
  CLI::App app{"Makes a token, and prints it or writes it to a file; only its digest is kept."};
  app.name("sweep-coordinator token add");
  std::string name, role, path, out;
  app.add_option("NAME", name, "whose it is")->required();
  AddTokensOption(&app, &path);
  app.add_option("--role", role,
                 "reader sees everything, submitter also changes sweeps, worker trains, admin may "
                 "do everything")
      ->check(OneOf(RoleNames()))
      ->required();
  app.add_option("--out", out, "write it there, readable for its owner only")->type_name("FILE");
  if (const std::optional<int> code = ParseCommand(&app, argc, argv)) return *code;
  // First: a token whose file cannot be written would be valid and lost.
  if (!out.empty()) {
    if (absl::Status status = WriteNewSecretFile(out, "\n"); !status.ok()) return Complain(status);
  }
  const absl::StatusOr<std::string> token = AddToken(path, name, *ParseRole(role), absl::Now());
  if (!token.ok()) {
    if (!out.empty()) std::remove(out.c_str());
    return Complain(token.status());
  }
  if (out.empty()) {
    Print(*token + "\n");
    return 0;
  }
  const absl::Status status = ReplaceSecretFile(out, *token + "\n");
  if (!status.ok()) return Complain(status);
  Print(fmt::format("token '{}' with the role {} is in {}\n", name, role, ShellQuote(out)));
  return 0;
}

int ListCommand(int argc, char** argv) {
  CLI::App app{"Lists the tokens by name, without their secrets."};
  app.name("sweep-coordinator token list");
  std::string path;
  AddTokensOption(&app, &path);
  if (const std::optional<int> code = ParseCommand(&app, argc, argv)) return *code;
  const absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path);
  if (!tokens.ok()) return Complain(tokens.status());
  const auto text = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M", time, absl::UTCTimeZone());
  };
  Print(fmt::format("{:<24}{:<12}{:<18}{}\n", "NAME", "ROLE", "MADE (UTC)", "STATE"));
  for (const StoredToken& token : *tokens) {
    Print(fmt::format("{:<24}{:<12}{:<18}{}\n", token.name, RoleName(token.role), text(token.made),
                      token.revoked.has_value() ? "revoked " + text(*token.revoked) : "valid"));
  }
  return 0;
}

int RevokeCommand(int argc, char** argv) {
  CLI::App app{"Revokes a token; a running coordinator refuses it from the next call on."};
  app.name("sweep-coordinator token revoke");
  std::string name, path;
  app.add_option("NAME", name, "whose it is")->required();
  AddTokensOption(&app, &path);
  if (const std::optional<int> code = ParseCommand(&app, argc, argv)) return *code;
  const absl::Status status = RevokeToken(path, name, absl::Now());
  if (!status.ok()) return Complain(status);
  Print(fmt::format("token '{}' is revoked\n", name));
  return 0;
}

int TokenCommand(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "add") return AddCommand(argc - 1, argv + 1);
  if (verb == "list") return ListCommand(argc - 1, argv + 1);
  if (verb == "revoke") return RevokeCommand(argc - 1, argv + 1);
  std::fprintf(stderr, "sweep-coordinator: 'token' needs a command: add, list or revoke\n");
  return kBadArguments;
}

}  // namespace

std::optional<int> RunSecurityCommand(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "init") return Init(argc - 1, argv + 1);
  if (command == "token") return TokenCommand(argc - 1, argv + 1);
  return std::nullopt;
}

}  // namespace sweep
