#include "gtest/gtest.h"
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
