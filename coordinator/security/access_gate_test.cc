#include "coordinator/security/access_gate.h"

#include <gmock/gmock.h>

#include "absl/strings/escaping.h"
#include "common/logging/testing/captured_log.h"
#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"
#include "coordinator/security/method_roles.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class AccessGateTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& name : RoleNames()) {
      tokens_.push_back(*AddToken(path_, "the-" + name, *ParseRole(name), absl::Now()));
    }
    gate_ = std::make_unique<AccessGate>(*TokenTable::Open(path_), RealClock());
  }

  const std::string& Token(Role role) const { return tokens_[static_cast<std::size_t>(role)]; }
  absl::Status Call(const std::string& method, const std::string& header) {
    const std::string_view headers[] = {header};
    return gate_->CheckCall(method, headers);
  }
  absl::Status CallAs(Role role, const std::string& method) {
    return Call(method, "Bearer " + Token(role));
  }

  const SecretsFolder folder_;
  const std::string path_ = folder_.File("tokens");
  std::vector<std::string> tokens_;
  std::unique_ptr<AccessGate> gate_;
};

constexpr char kGet[] = "/sweep.v1.SweepService/GetSweep";
constexpr char kCreate[] = "/sweep.v1.SweepService/CreateSweep";
constexpr char kReport[] = "/sweep.v1.WorkerService/ReportEpochs";
constexpr char kDrain[] = "/sweep.v1.WorkerService/DrainWorker";

TEST_F(AccessGateTest, EveryRoleMayWhatTheTableSays) {
  for (const Role role : {Role::kReader, Role::kSubmitter, Role::kWorker, Role::kAdmin}) {
    for (const MethodRule& rule : MethodRules()) {
      const absl::Status status = CallAs(role, std::string(rule.path));
      const bool allowed = rule.is_open || rule.Allows(role);
      EXPECT_EQ(status.code(),
                allowed ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied)
          << rule.path << ' ' << RoleName(role);
    }
  }
}

TEST_F(AccessGateTest, RolesDifferWhereItMatters) {
  EXPECT_TRUE(CallAs(Role::kReader, kGet).ok());
  EXPECT_FALSE(CallAs(Role::kReader, kCreate).ok());
  EXPECT_TRUE(CallAs(Role::kSubmitter, kCreate).ok());
  EXPECT_FALSE(CallAs(Role::kSubmitter, kReport).ok());
  EXPECT_TRUE(CallAs(Role::kWorker, kReport).ok());
  EXPECT_FALSE(CallAs(Role::kWorker, kCreate).ok());
  EXPECT_FALSE(CallAs(Role::kWorker, kDrain).ok());
  EXPECT_TRUE(CallAs(Role::kAdmin, kDrain).ok());
}

TEST_F(AccessGateTest, ARefusalNamesBothRoles) {
  EXPECT_EQ(std::string(CallAs(Role::kReader, kCreate).message()),
            "not allowed: CreateSweep needs the role submitter; token 'the-reader' has the role "
            "reader");
}

TEST_F(AccessGateTest, WithoutAValidTokenNobodyGetsIn) {
  const std::string& admin = Token(Role::kAdmin);
  for (const std::string& header :
       {std::string(), std::string("Bearer "), std::string("Bearer x"), admin,
        "Bearer " + admin + " ", "Bearer " + admin.substr(0, admin.size() - 1), "Token " + admin,
        "Bearer " + NewToken(), std::string("Basic !!!"), std::string("Basic eA==")}) {
    const absl::Status status = Call(kGet, header);
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << header << ' ' << status;
    EXPECT_THAT(std::string(status.message()), StartsWith("not allowed: "));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("swt_")));
  }
  const std::string header = "Bearer " + admin;
  const std::string_view twice[] = {header, header};
  EXPECT_TRUE(absl::IsUnauthenticated(gate_->CheckCall(kGet, twice)));
  EXPECT_TRUE(absl::IsUnauthenticated(gate_->CheckCall(kGet, {})));
}

TEST_F(AccessGateTest, ACallWithoutARuleIsRefusedToEverybody) {
  for (const char* path : {"/sweep.v1.SweepService/NewCall", "", "/", "*",
                           "/sweep.v1.SweepService/GetSweep/", "sweep.v1.SweepService/GetSweep"}) {
    EXPECT_TRUE(absl::IsPermissionDenied(CallAs(Role::kAdmin, path))) << path;
  }
}

TEST_F(AccessGateTest, HealthNeedsNoToken) {
  EXPECT_TRUE(gate_->CheckCall("/grpc.health.v1.Health/Check", {}).ok());
  EXPECT_FALSE(gate_->CheckCall("/grpc.health.v1.HealthX/Check", {}).ok());
}

TEST_F(AccessGateTest, ARevokedTokenIsRefusedWithTheNextCall) {
  EXPECT_TRUE(CallAs(Role::kReader, kGet).ok());
  EXPECT_EQ(RevokeToken(path_, "the-reader", absl::Now()), absl::OkStatus());
  const absl::Status refused = CallAs(Role::kReader, kGet);
  EXPECT_TRUE(absl::IsUnauthenticated(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("token 'the-reader' was revoked"));
  EXPECT_TRUE(CallAs(Role::kAdmin, kGet).ok());
}

TEST_F(AccessGateTest, ATokenHasACallLimitOfItsOwn) {
  FakeClock clock;
  gate_ = std::make_unique<AccessGate>(*TokenTable::Open(path_), &clock, /*calls_per_second=*/2);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(CallAs(Role::kReader, kGet).ok()) << i;
  const absl::Status refused = CallAs(Role::kReader, kGet);
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("'the-reader' makes more than 2 calls"));
  EXPECT_TRUE(CallAs(Role::kAdmin, kGet).ok()) << "others go on";
  clock.Advance(absl::Milliseconds(500));
  EXPECT_TRUE(CallAs(Role::kReader, kGet).ok());
  EXPECT_FALSE(CallAs(Role::kReader, kGet).ok());
  clock.Advance(absl::Hours(1));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(CallAs(Role::kReader, kGet).ok()) << i;
  EXPECT_FALSE(CallAs(Role::kReader, kGet).ok()) << "a long rest does not save more";
}

TEST_F(AccessGateTest, BrowsersSendTheTokenAsAPassword) {
  const std::string pair = "anybody:" + Token(Role::kReader);
  const std::string header = "Basic " + std::string(absl::Base64Escape(pair));
  EXPECT_TRUE(gate_->CheckRole("the dashboard", Role::kReader, header).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(gate_->CheckRole("a change", Role::kSubmitter, header)));
  EXPECT_TRUE(gate_->CheckRole("a change", Role::kSubmitter, "Bearer " + Token(Role::kAdmin)).ok());
  EXPECT_FALSE(
      gate_->CheckRole("the dashboard", Role::kReader, "Bearer " + Token(Role::kWorker)).ok());
}

TEST_F(AccessGateTest, TheLogHasNoTokensAndIsNotFlooded) {
  CapturedLog log(spdlog::level::trace);
  const std::string unknown = NewToken();
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Call(kGet, "Bearer " + unknown).ok());
    EXPECT_FALSE(CallAs(Role::kReader, kCreate).ok());
    EXPECT_FALSE(Call("/evil\n[error] forged " + unknown, "").ok());
  }
  log.End();
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("call refused"));
  EXPECT_THAT(text, Not(HasSubstr("swt_")));
  EXPECT_THAT(text, Not(HasSubstr("forged")));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 10);
}

}  // namespace
}  // namespace sweep
