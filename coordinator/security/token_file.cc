#include "coordinator/security/token_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <sstream>

#include "common/base/ids.h"
#include "common/base/nearest.h"
#include "common/base/sha256.h"
#include "common/secrets/secret_file.h"
#include "common/secrets/token.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr char kDigestMark[] = "sha256:";
constexpr char kRevoked[] = "revoked";
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%SZ";
constexpr char kHead[] =
    "# Tokens of a sweep coordinator: NAME ROLE DIGEST MADE [revoked WHEN].\n"
    "# `sweep-coordinator token add` and `token revoke` edit it.\n";

std::string TimeText(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

bool ParseTime(const std::string& text, absl::Time* time) {
  return absl::ParseTime(kTimeFormat, text, absl::UTCTimeZone(), time, nullptr);
}

// The token that a line describes; otherwise what is wrong with it, in `*complaint`.
StoredToken ParseLine(const std::string& line, std::string* complaint) {
  std::istringstream words(line);
  std::string role, digest, made, word, when, rest;
  StoredToken token;
  words >> token.name >> role >> digest >> made;
  const bool is_revoked = static_cast<bool>(words >> word);
  words >> when >> rest;
  const std::optional<Role> known = ParseRole(role);
  if (!IsValidName(token.name)) {
    *complaint = "the name is not 1 to 63 letters, digits, '.', '_' or '-'";
  } else if (!known.has_value()) {
    *complaint = fmt::format("token '{}' has no role that exists{}", token.name,
                             DidYouMean(role, RoleNames()));
  } else if (!digest.starts_with(kDigestMark) ||
             !IsSha256Hex(digest.substr(sizeof(kDigestMark) - 1))) {
    *complaint = fmt::format("token '{}' has no 'sha256:' and 64 hexadecimal digits", token.name);
  } else if (!ParseTime(made, &token.made)) {
    *complaint = fmt::format("token '{}' has no time such as 2026-12-01T00:00:00Z", token.name);
  } else if (is_revoked) {
    absl::Time time;
    if (word != kRevoked || !ParseTime(when, &time) || !rest.empty()) {
      *complaint =
          fmt::format("token '{}' has more than 'revoked' and a time behind it", token.name);
    }
    token.revoked = time;
  }
  token.role = known.value_or(Role::kReader);
  token.digest = digest.substr(std::min(digest.size(), sizeof(kDigestMark) - 1));
  return token;
}

bool IsBlank(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string::npos || line[first] == '#';
}

std::string NameOf(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  words >> name;
  return name;
}

// The lock of those who edit a file; lies beside it, since the file itself is replaced.
class EditLock {
 public:
  static absl::StatusOr<std::unique_ptr<EditLock>> Take(const std::string& path) {
    const std::string name = path + ".lock";
    const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
      return absl::PermissionDeniedError(
          fmt::format("{}: cannot be opened: {}", name, std::strerror(errno)));
    }
    std::unique_ptr<EditLock> lock(new EditLock(fd));
    while (flock(fd, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      return absl::UnavailableError(
          fmt::format("{}: cannot be locked: {}", name, std::strerror(errno)));
    }
    return lock;
  }
  ~EditLock() { close(fd_); }

 private:
  explicit EditLock(int fd) : fd_(fd) {}
  const int fd_;
};

// Replaces the file by what `change` makes of its text and tokens. A file that is not there yet has
// no tokens.
absl::Status Edit(const std::string& path,
                  const std::function<absl::StatusOr<std::string>(
                      const std::string& text, const std::vector<StoredToken>&)>& change) {
  const absl::StatusOr<std::unique_ptr<EditLock>> lock = EditLock::Take(path);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<std::string> text = ReadSecretFile(path);
  if (absl::IsNotFound(text.status())) text = std::string(kHead);
  if (!text.ok()) return text.status();
  if (!text->ends_with("\n")) *text += '\n';
  const absl::StatusOr<std::vector<StoredToken>> tokens = ParseTokens(*text);
  if (!tokens.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", path, std::string(tokens.status().message())));
  }
  const absl::StatusOr<std::string> changed = change(*text, *tokens);
  if (!changed.ok()) return changed.status();
  return *changed == *text ? absl::OkStatus() : ReplaceSecretFile(path, *changed);
}

}  // namespace

absl::StatusOr<std::vector<StoredToken>> ParseTokens(std::string_view text) {
  std::vector<StoredToken> tokens;
  std::set<std::string> names;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (IsBlank(line)) continue;
    std::string complaint;
    StoredToken token = ParseLine(line, &complaint);
    if (complaint.empty() && !names.insert(token.name).second) {
      complaint = fmt::format("token '{}' is there twice", token.name);
    }
    if (!complaint.empty()) {
      return absl::InvalidArgumentError(fmt::format("line {}: {}", number, complaint));
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

absl::StatusOr<std::vector<StoredToken>> ReadTokens(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSecretFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<StoredToken>> tokens = ParseTokens(*text);
  if (tokens.ok()) return tokens;
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", path, std::string(tokens.status().message())));
}

absl::StatusOr<std::string> AddToken(const std::string& path, const std::string& name, Role role,
                                     absl::Time now) {
  if (!IsValidName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no name of a token: 1 to 63 letters, digits, '.', '_' or '-'", name));
  }
  const std::string secret = NewToken();
  const absl::Status status =
      Edit(path,
           [&](const std::string& text,
               const std::vector<StoredToken>& tokens) -> absl::StatusOr<std::string> {
             for (const StoredToken& token : tokens) {
               if (token.name != name) continue;
               return absl::AlreadyExistsError(fmt::format(
                   "{}: token '{}' {}; take another name", path, name,
                   token.revoked.has_value() ? "was there, and is revoked" : "is there already"));
             }
             return text + fmt::format("{} {} {}{} {}\n", name, RoleName(role), kDigestMark,
                                       TokenDigest(secret), TimeText(now));
           });
  if (!status.ok()) return status;
  return secret;
}

absl::Status RevokeToken(const std::string& path, const std::string& name, absl::Time now) {
  return Edit(path,
              [&](const std::string& text,
                  const std::vector<StoredToken>& tokens) -> absl::StatusOr<std::string> {
                std::vector<std::string> names;
                bool is_revoked = false;
                for (const StoredToken& token : tokens) {
                  names.push_back(token.name);
                  if (token.name == name) is_revoked = token.revoked.has_value();
                }
                if (std::find(names.begin(), names.end(), name) == names.end()) {
                  return absl::NotFoundError(fmt::format("{}: there is no token '{}'{}", path, name,
                                                         DidYouMean(name, names)));
                }
                if (is_revoked) return text;
                std::string changed;
                std::istringstream lines(text);
                for (std::string line; std::getline(lines, line);) {
                  changed += line;
                  if (!IsBlank(line) && NameOf(line) == name) {
                    changed += fmt::format(" {} {}", kRevoked, TimeText(now));
                  }
                  changed += '\n';
                }
                return changed;
              });
}

}  // namespace sweep
