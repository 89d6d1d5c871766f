#include "coordinator/security/access_gate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "coordinator/security/method_roles.h"
#include "fmt/format.h"
#include "proto/channel_security.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// A flood of wrong calls must not fill the disk with log lines.
constexpr absl::Duration kBetweenLines = absl::Seconds(1);

// Commands make a few calls at once, and nobody is to notice a limit that holds in the long run.
constexpr absl::Duration kBurst = absl::Seconds(10);

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kBasic = "Basic ";

bool StartsWithIgnoringCase(std::string_view text, std::string_view start) {
  return absl::StartsWithIgnoreCase({text.data(), text.size()}, {start.data(), start.size()});
}

// The token in a header; "" when it has none. Browsers, which ask a person for a name and a
// password, send the token as the password (RFC 7617).
std::string TokenIn(std::string_view header) {
  if (StartsWithIgnoringCase(header, kBearer)) return std::string(header.substr(kBearer.size()));
  if (!StartsWithIgnoringCase(header, kBasic)) return "";
  const std::string_view encoded = header.substr(kBasic.size());
  std::string pair;
  if (!absl::Base64Unescape({encoded.data(), encoded.size()}, &pair)) return "";
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? "" : pair.substr(colon + 1);
}

absl::Status Unauthenticated(const std::string& why) {
  return absl::UnauthenticatedError(kAccessRefused + why);
}

absl::Status WrongRole(std::string_view what, std::string_view needed, const StoredToken& token) {
  return absl::PermissionDeniedError(
      fmt::format("{}{} needs the role {}; token '{}' has the role {}", kAccessRefused, what,
                  needed, token.name, RoleName(token.role)));
}

// Roles of the dashboard are in a line: who may more may also do less.
bool Includes(Role held, Role least) {
  if (held == Role::kAdmin || held == least) return true;
  return held == Role::kSubmitter && least == Role::kReader;
}

}  // namespace

AccessGate::AccessGate(std::unique_ptr<TokenTable> tokens, Clock* clock, double calls_per_second)
    : tokens_(std::move(tokens)), clock_(clock), calls_per_second_(calls_per_second) {}

absl::StatusOr<std::shared_ptr<const StoredToken>> AccessGate::Authenticate(
    std::string_view what, std::string_view authorization) {
  const std::string token = TokenIn(authorization);
  if (token.empty()) {
    return Unauthenticated(fmt::format(
        "{} needs a token; --token-file FILE or SWEEP_TOKEN_FILE names a file with one", what));
  }
  std::shared_ptr<const StoredToken> stored = tokens_->Find(token);
  if (stored == nullptr) {
    return Unauthenticated(fmt::format("{}: this coordinator does not know the token", what));
  }
  if (stored->revoked.has_value()) {
    return Unauthenticated(fmt::format("{}: token '{}' was revoked", what, stored->name));
  }
  return stored;
}

absl::Status AccessGate::CheckCall(std::string_view path,
                                   std::span<const std::string_view> authorization) {
  const MethodRule* const rule = FindMethodRule(path);
  if (rule == nullptr) {
    const absl::Status refusal = absl::PermissionDeniedError(
        fmt::format("{}no role of this coordinator may make this call", kAccessRefused));
    LogRefusal("a call without a rule", refusal);
    return refusal;
  }
  if (rule->is_open) return absl::OkStatus();
  // Two headers could mean two callers: of these, none is believed.
  const std::string_view header = authorization.size() == 1 ? authorization[0] : "";
  const auto token = Authenticate(rule->Method(), header);
  absl::Status status = token.status();
  if (token.ok() && !rule->Allows((*token)->role)) {
    status = WrongRole(rule->Method(), rule->RolesText(), **token);
  }
  if (status.ok()) status = Count(**token);
  if (!status.ok()) LogRefusal(rule->Method(), status);
  return status;
}

absl::Status AccessGate::CheckRole(std::string_view what, Role least,
                                   std::string_view authorization) {
  const auto token = Authenticate(what, authorization);
  absl::Status status = token.status();
  if (token.ok() && !Includes((*token)->role, least)) {
    status = WrongRole(what, RoleName(least), **token);
  }
  if (status.ok()) status = Count(**token);
  if (!status.ok()) LogRefusal(what, status);
  return status;
}

absl::Status AccessGate::Count(const StoredToken& token) {
  if (calls_per_second_ <= 0) return absl::OkStatus();
  const double most = calls_per_second_ * absl::ToDoubleSeconds(kBurst);
  MutexLock lock(&mutex_);
  const absl::Duration now = clock_->Monotonic();
  Budget& budget = budgets_.try_emplace(token.name, Budget{most, now}).first->second;
  const double gained = absl::ToDoubleSeconds(now - budget.as_of) * calls_per_second_;
  budget = {.calls = std::min(most, budget.calls + gained), .as_of = now};
  if (budget.calls < 1) {
    return absl::ResourceExhaustedError(
        fmt::format("token '{}' makes more than {:g} calls per second; try again later", token.name,
                    calls_per_second_));
  }
  budget.calls -= 1;
  return absl::OkStatus();
}

bool AccessGate::Allows(Role least, std::string_view authorization) {
  const auto token = Authenticate("", authorization);
  return token.ok() && Includes((*token)->role, least);
}

void AccessGate::LogRefusal(std::string_view what, const absl::Status& refusal) {
  std::int64_t others = 0;
  {
    MutexLock lock(&mutex_);
    const absl::Duration now = clock_->Monotonic();
    if (now - logged_ < kBetweenLines) {
      ++unlogged_;
      return;
    }
    logged_ = now;
    others = std::exchange(unlogged_, 0);
  }
  spdlog::warn("call refused call={:?} reason={:?} others_since_last_line={}", what,
               std::string(refusal.message()), others);
}

}  // namespace sweep
