#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "coordinator/api/testing/server_testing.h"

namespace sweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string Calls(const std::string& method, const std::string& code) {
  return "sweep_rpc_calls_total{code=\"" + code + "\",method=\"" + method + "\"} ";
}
std::string Timed(const std::string& method, const std::string& code) {
  return "sweep_rpc_duration_seconds_count{code=\"" + code + "\",method=\"" + method + "\"} ";
}

TEST_F(ServerTest, MetricsTellOfWorkAndCalls) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(1);
  EXPECT_FALSE(Create("not a name").ok());
  const std::string text = server_->MetricsText();
  EXPECT_THAT(text, AllOf(HasSubstr("\nsweep_epochs_total 5\n"),
                          HasSubstr("\nsweep_trials_ended_total{outcome=\"completed\"} 1\n"),
                          HasSubstr("\nsweep_attempts_ended_total{outcome=\"completed\"} 1\n"),
                          HasSubstr("\nsweep_workers{state=\"connected\"} 1\n"),
                          HasSubstr("\nsweep_readers_max 8\n"),
                          Not(HasSubstr("\nsweep_commit_duration_seconds_count 0\n"))));
  EXPECT_THAT(text, AllOf(HasSubstr(Timed("WorkerService/ReportEpochs", "OK") + "1\n"),
                          HasSubstr(Calls("WorkerService/ReportEpochs", "OK") + "1\n"),
                          HasSubstr(Timed("SweepService/CreateSweep", "INVALID_ARGUMENT") + "1\n"),
                          HasSubstr(Calls("WorkerService/Synchronize", "OK"))));
}

// Each scrape shows the result of the reading that the previous one started.
TEST_F(ServerTest, MetricsTellTheTimeLeftOfWhatRuns) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  EXPECT_THAT(server_->MetricsText(), Not(HasSubstr("sweep_time_left_seconds")));
  Train(1);
  const v1::Lease lease = Lease("w");
  const absl::Time end = absl::Now() + absl::Minutes(1);
  std::string text;
  do {
    text = server_->MetricsText();
  } while (!absl::StrContains(text, "\nsweep_time_left_seconds ") && absl::Now() < end);
  EXPECT_THAT(text, HasSubstr("\nsweep_time_left_seconds "));
}

TEST_F(ServerTest, CallsThatWaitAreNotTimed) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Lease("w");
  const std::string sha256(64, 'a');
  EXPECT_FALSE(GetBlob(sha256).ok());
  const std::string text = server_->MetricsText();
  EXPECT_THAT(text, HasSubstr(Calls("WorkerService/Synchronize", "OK") + "1\n"));
  EXPECT_THAT(text, Not(HasSubstr("sweep_rpc_duration_seconds_count{code=\"OK\",method=\"Worker")));
  EXPECT_THAT(text, HasSubstr(Calls("BlobService/GetBlob", "NOT_FOUND") + "1\n"));
  EXPECT_THAT(text, Not(HasSubstr(Timed("BlobService/GetBlob", "NOT_FOUND"))));
}

}  // namespace
}  // namespace sweep
