// TLS and tokens as people set them up: the real programs with the files that `init` makes.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/process.h"

namespace sweep::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SecurityProcessTest : public ::testing::Test {
 protected:
  Result Call(std::vector<std::string> command, std::map<std::string, std::string> more = {}) {
    if (!address_.empty()) more["SWEEP_COORDINATOR"] = address_;
    return testing::Run(
        {.command = std::move(command), .folder = folder_.path(), .environment = more});
  }
  void MakeKeys() {
    const Result made = Call({"sweep-coordinator", "init", "keys"});
    ASSERT_EQ(made.code, 0) << made.output;
    EXPECT_THAT(made.output, AllOf(HasSubstr("--tls-cert keys/server.crt"), HasSubstr("ca.key")));
    EXPECT_THAT(made.output, Not(HasSubstr("swt_")));
  }
  void Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {"sweep-coordinator",
                                        "--http",
                                        "off",
                                        "--listen",
                                        "127.0.0.1:0",
                                        "--db",
                                        "server.db",
                                        "--tls-cert",
                                        "keys/server.crt",
                                        "--tls-key",
                                        "keys/server.key",
                                        "--log-level",
                                        "debug"};
    command.insert(command.end(), more.begin(), more.end());
    coordinator_ =
        std::make_unique<Process>(Process::Options{.command = command, .folder = folder_.path()});
    address_ = WaitForAddress(*coordinator_);
  }
  // The environment of somebody with a token of this role.
  std::map<std::string, std::string> As(const std::string& role) {
    const std::string file = role + ".own";
    if (!fs::exists(folder_.path() + "/" + file)) {
      const Result made = Call({"sweep-coordinator", "token", "add", "my-" + role, "--role", role,
                                "--tokens", "keys/tokens", "--out", file});
      EXPECT_EQ(made.code, 0) << made.output;
    }
    return {{"SWEEP_TLS_CA", "keys/ca.crt"}, {"SWEEP_TOKEN_FILE", file}};
  }

  TemporaryFolder folder_;
  std::unique_ptr<Process> coordinator_;
  std::string address_;
};

TEST_F(SecurityProcessTest, ClientsNeedTheAuthorityAndATokenWithTheRole) {
  ASSERT_NO_FATAL_FAILURE(MakeKeys());
  ASSERT_NO_FATAL_FAILURE(Start({"--tokens", "keys/tokens"}));
  const Result plain = Call({"sweep", "list"});
  EXPECT_EQ(plain.code, 4) << plain.output;
  EXPECT_THAT(plain.output, HasSubstr("--tls-ca"));
  const Result nobody = Call({"sweep", "list"}, {{"SWEEP_TLS_CA", "keys/ca.crt"}});
  EXPECT_EQ(nobody.code, 5) << nobody.output;
  EXPECT_THAT(nobody.output, HasSubstr("--token-file"));
  EXPECT_EQ(Call({"sweep", "list"}, As("reader")).code, 0);
  const Result drain = Call({"sweep", "worker", "drain", "w"}, As("submitter"));
  EXPECT_EQ(drain.code, 5) << drain.output;
  EXPECT_THAT(drain.output, HasSubstr("needs the role admin; token 'my-submitter' has the role"));
  const Result revoked =
      Call({"sweep-coordinator", "token", "revoke", "my-reader", "--tokens", "keys/tokens"});
  EXPECT_EQ(revoked.code, 0) << revoked.output;
  EXPECT_EQ(Call({"sweep", "list"}, As("reader")).code, 5);
  const Result list = Call({"sweep-coordinator", "token", "list", "--tokens", "keys/tokens"});
  EXPECT_THAT(list.output, AllOf(HasSubstr("my-reader"), HasSubstr("revoked")));
  coordinator_->Signal(SIGTERM);
  EXPECT_EQ(coordinator_->Wait(), 0);
  EXPECT_THAT(coordinator_->Output(), AllOf(HasSubstr("call refused"), Not(HasSubstr("swt_"))));
}

TEST_F(SecurityProcessTest, AClientFindsATlsCoordinatorThroughItsDatabase) {
  ASSERT_NO_FATAL_FAILURE(MakeKeys());
  ASSERT_NO_FATAL_FAILURE(Start());
  address_.clear();
  const Result plain = Call({"sweep", "list", "--db", "server.db"});
  EXPECT_EQ(plain.code, 2) << plain.output;
  EXPECT_THAT(plain.output, AllOf(HasSubstr("speaks TLS"), HasSubstr("--tls-ca")));
  const Result known = Call({"sweep", "list", "--db", "server.db", "--tls-ca", "keys/ca.crt"});
  EXPECT_EQ(known.code, 0) << known.output;
}

TEST_F(SecurityProcessTest, AWorkerNeedsItsRole) {
  ASSERT_NO_FATAL_FAILURE(MakeKeys());
  ASSERT_NO_FATAL_FAILURE(Start({"--tokens", "keys/tokens", "--tls-client-ca", "keys/ca.crt"}));
  const std::vector<std::string> command = {"sweep-worker",    "--trainer", FAKE_TRAINER,
                                            "--slots",         "1",         "--tls-cert",
                                            "keys/client.crt", "--tls-key", "keys/client.key"};
  const Result reader = Call(command, As("reader"));
  EXPECT_EQ(reader.code, 5) << reader.output;
  EXPECT_THAT(reader.output, HasSubstr("needs the role worker"));
  std::map<std::string, std::string> environment = As("worker");
  environment["SWEEP_COORDINATOR"] = address_;
  Process worker({.command = command, .folder = folder_.path(), .environment = environment});
  EXPECT_TRUE(Eventually([&] {
    return worker.Output().find("worker started") != std::string::npos;
  })) << worker.Output();
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(), 0) << worker.Output();
  EXPECT_THAT(worker.Output(), Not(HasSubstr("swt_")));
}

TEST_F(SecurityProcessTest, RenewedCertificatesAreServedByARunningCoordinator) {
  ASSERT_NO_FATAL_FAILURE(MakeKeys());
  ASSERT_NO_FATAL_FAILURE(Start());
  const std::map<std::string, std::string> me = {{"SWEEP_TLS_CA", "keys/ca.crt"}};
  EXPECT_EQ(Call({"sweep", "list"}, me).code, 0);
  ASSERT_EQ(Call({"sweep-coordinator", "init", "keys", "--renew"}).code, 0);
  EXPECT_EQ(Call({"sweep", "list"}, me).code, 0);
  EXPECT_TRUE(Eventually([&] {
    const std::string log = coordinator_->Output();
    return log.find("certificate read", log.find("certificate read") + 1) != std::string::npos;
  })) << coordinator_->Output();
}

TEST_F(SecurityProcessTest, MistakesAreRefusedWithTheWayOut) {
  const Result open = Call({"sweep-coordinator", "--listen", "0.0.0.0:0", "--http", "off"});
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.output, AllOf(HasSubstr("--tls-cert"), HasSubstr("--insecure")));
  EXPECT_FALSE(fs::exists(folder_.path() + "/sweep.db")) << "it left a database behind";
  ASSERT_NO_FATAL_FAILURE(MakeKeys());
  const Result again = Call({"sweep-coordinator", "init", "keys"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.output, HasSubstr("nothing was changed"));
  EXPECT_EQ(Call({"sweep-coordinator", "token"}).code, 2);
  const Result role =
      Call({"sweep-coordinator", "token", "add", "x", "--role", "root", "--tokens", "keys/tokens"});
  EXPECT_EQ(role.code, 2);
  EXPECT_THAT(role.output, HasSubstr("admin"));
  const Result leak = Call(
      {"sweep", "list", "--coordinator", "192.0.2.1:7077", "--token-file", "keys/admin.token"});
  EXPECT_EQ(leak.code, 2);
  EXPECT_THAT(leak.output, HasSubstr("without TLS"));
  fs::permissions(folder_.path() + "/keys/admin.token", fs::perms::others_read,
                  fs::perm_options::add);
  const Result readable =
      Call({"sweep", "list", "--coordinator", "127.0.0.1:1", "--token-file", "keys/admin.token"});
  EXPECT_EQ(readable.code, 1);
  EXPECT_THAT(readable.output, HasSubstr("chmod 600"));
}

TEST_F(SecurityProcessTest, OpenDoorsAreOpenedLoudly) {
  coordinator_ = std::make_unique<Process>(
      Process::Options{.command = {"sweep-coordinator", "--http", "off", "--listen", "0.0.0.0:0",
                                   "--insecure", "--db", "server.db"},
                       .folder = folder_.path()});
  WaitForAddress(*coordinator_);
  EXPECT_THAT(coordinator_->Output(), HasSubstr("INSECURE: listening on 0.0.0.0"));
}

}  // namespace
}  // namespace sweep::testing
