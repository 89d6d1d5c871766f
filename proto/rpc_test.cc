#include "gtest/gtest.h"
#include "proto/address.h"
#include "proto/grpc_status.h"
#include "proto/names.h"

namespace sweep {
namespace {

TEST(Names, ResourcesAndShortFormsAreTheSameTrial) {
  const TrialId want{"seed-002", 17};
  EXPECT_EQ(ParseTrialResource("sweeps/seed-002/trials/17").value(), want);
  EXPECT_EQ(ParseTrialResource("seed-002/17").value(), want);
  EXPECT_EQ(ParseTrialResource(TrialResource("seed-002", 17)).value(), want);
  EXPECT_EQ(want.short_name(), "seed-002/17");
}

TEST(Names, BadTrialsAreRefusedByName) {
  for (const char* text : {"", "x", "x/", "x/0", "x/-1", "x/+1", "x/1/2", "/1", "x/1.5", "x/ 1",
                           "sweeps/x/trial/3", "sweeps/x/trials/", "x/99999999999999999999"}) {
    const auto id = ParseTrialResource(text);
    ASSERT_FALSE(id.ok()) << text;
    EXPECT_EQ(id.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(id.status().message().find(text), std::string::npos);
  }
}

TEST(Names, Sweeps) {
  EXPECT_EQ(ParseSweepResource("sweeps/a.b").value(), "a.b");
  EXPECT_EQ(ParseSweepResource("a.b").value(), "a.b");
  EXPECT_FALSE(ParseSweepResource("sweeps/").ok());
  EXPECT_FALSE(ParseSweepResource("a/b").ok());
  EXPECT_FALSE(ParseSweepResource("sweeps/sweeps/a").ok());
}

TEST(Names, Workers) {
  EXPECT_EQ(ParseWorkerResource(WorkerResource("w-1")).value(), "w-1");
  EXPECT_EQ(WorkerResource(""), "");
  EXPECT_FALSE(ParseWorkerResource("workers/").ok());
  EXPECT_EQ(ParseWorkerResource("workers/caller:lab").status().message(),
            "'caller:lab' is not a worker but a caller: it asks for each trial itself; pause the "
            "sweep instead");
}

TEST(Address, IsHostAndPort) {
  const std::pair<const char*, const char*> good[] = {
      {"127.0.0.1:7077", "127.0.0.1:7077"},
      {"trainer-1:80", "trainer-1:80"},
      {"trainer-1", "trainer-1:7077"},
      {"a.b_c.example:65535", "a.b_c.example:65535"},
      {"[::1]:7077", "[::1]:7077"},
      {"[::1]", "[::1]:7077"},
      {"[fe80::1%eth0]:1", "[fe80::1%eth0]:1"},
  };
  for (const auto& [text, address] : good) EXPECT_EQ(ParseAddress(text).value_or(""), address);
}

TEST(Address, OthersAreRefusedWithWhatToWrite) {
  const std::pair<const char*, const char*> bad[] = {
      {"http://127.0.0.1:7077", "write 127.0.0.1:7077"},
      {"https://host/", "write host:7077"},
      {"grpc://host:1", "write host:1"},
      {"dns:///host:1", "write host:1"},
      {"host:7077/", "write host:7077"},
      {"::1", "write an IPv6 address in brackets: [::1]:7077"},
      {"::1:8099", "write an IPv6 address in brackets: [::1]:8099"},
      {"::1:8099", " or [::1:8099]:7077"},
      {"fe80::5054:ff:fe12:3456", "[fe80::5054:ff:fe12]:3456 or [fe80::5054:ff:fe12:3456]:7077"},
      {"::1:65535", "in brackets: [::1]:65535"},
      {"::1:70000", "the port is a number from 1 to 65535"},
      {"::1:0000", "in brackets: [::1:0000]:7077"},
      {"::1:0080", "in brackets: [::1:0080]:7077"},
      {"00:1a:2b:3c:4d:5e", ""},
      {"[::1:70000]:7077", ""},
      {"fe80::2%eth0:8099", "write an IPv6 address in brackets: [fe80::2%eth0]:8099"},
      {"2001:db8::8099", "write an IPv6 address in brackets: [2001:db8::8099]:7077"},
      {"1:2:3:4:5:6:7:8099", "write an IPv6 address in brackets: [1:2:3:4:5:6:7:8099]:7077"},
      {"7077", "write 127.0.0.1:7077"},
      {"host:0", "1 to 65535"},
      {"host:99999", "1 to 65535"},
      {"host:", "1 to 65535"},
      {"host:+7", "1 to 65535"},
      {"host:70 77", "1 to 65535"},
      {"a b:1", ""},
      {" host:1", ""},
      {":7077", ""},
      {"", ""},
      {"[::1:7077", ""},
      {"[host]:1", ""},
  };
  for (const auto& [text, advice] : bad) {
    const absl::StatusOr<std::string> address = ParseAddress(text);
    ASSERT_FALSE(address.ok()) << text << " is " << *address;
    const std::string message(address.status().message());
    EXPECT_TRUE(message.starts_with("'" + std::string(text) + "' is no HOST:PORT")) << message;
    EXPECT_NE(message.find(advice), std::string::npos) << message;
    // The advised spelling must be accepted.
    const std::size_t at = message.rfind("write ");
    if (at == message.npos) continue;
    const std::string written = message.substr(message.find_last_of(' ') + 1);
    EXPECT_EQ(ParseAddress(written).value_or(""), written);
  }
}

TEST(GrpcStatus, RoundTrip) {
  for (const auto& status : {absl::OkStatus(), absl::NotFoundError("sweep x"),
                             absl::FailedPreconditionError("ä\nb"), absl::UnavailableError("")}) {
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
  }
}

TEST(GrpcStatus, LongMessagesAreCutBetweenCharacters) {
  std::string text;
  while (text.size() < 100'000) text += "ä";
  const std::string cut = ToGrpcStatus(absl::InternalError(text)).error_message();
  EXPECT_LT(cut.size() * 3, static_cast<std::size_t>(kMaxMetadataBytes));
  EXPECT_EQ(cut.size() % 2, 1u);  // pairs of bytes and the three of "…"
  EXPECT_EQ(cut.substr(cut.size() - 3), "…");
}

}  // namespace
}  // namespace sweep
