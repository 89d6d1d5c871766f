#include "coordinator/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace sweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kOk = 0;
constexpr int kUnavailable = 14;

class MetricsTest : public testing::Test {
 protected:
  std::string Text() {
    return metrics_->Text({.now = [] { return absl::FromUnixMillis(1'700'000'000'500); },
                           .scheduler = [this] { return counts_; },
                           .store = [this] { return load_; },
                           .time_left = [this] { return time_left_; },
                           .waiting = [] { return CoordinatorMetrics::Waiting{3, 4}; }});
  }

  SchedulerCounts counts_;
  StoreLoad load_;
  std::optional<double> time_left_;
  const std::unique_ptr<CoordinatorMetrics> metrics_ = CoordinatorMetrics::Make(
      {.version = "1.2", .methods = {{.name = "S/Report"}, {.name = "S/Park", .timed = false}}});
};

TEST_F(MetricsTest, TellsTheNumbersThatItIsGiven) {
  counts_ = {.active_sweeps = 1, .pending = 5, .leased = 2, .running = 3, .slots = 8};
  counts_.images_per_second = 12'345;
  counts_.workers_put_aside = 4;
  counts_.workers_gone = 2;
  counts_.attempts_lost = 6;
  counts_.cancelled = 7;
  load_ = {.disk_is_full = true,
           .files_are_lost = true,
           .log_bytes = 4096,
           .free_disk_bytes = 1'000'000'000'000};
  EXPECT_THAT(Text(),
              AllOf(HasSubstr("\nsweep_build_info{version=\"1.2\"} 1\n"),
                    HasSubstr("\nsweep_time_seconds 1700000000.5\n"),
                    HasSubstr("\nsweep_sweeps{state=\"active\"} 1\n"),
                    HasSubstr("\nsweep_trials{state=\"pending\"} 5\n"),
                    HasSubstr("\nsweep_leases_held 5\n"), HasSubstr("\nsweep_slots 8\n"),
                    HasSubstr("\nsweep_images_per_second 12345\n"),
                    HasSubstr("\nsweep_workers{state=\"put_aside\"} 4\n"),
                    HasSubstr("\nsweep_workers{state=\"lost\"} 2\n"),
                    HasSubstr("\nsweep_attempts_ended_total{outcome=\"lost\"} 6\n"),
                    HasSubstr("\nsweep_trials_ended_total{outcome=\"cancelled\"} 7\n"),
                    HasSubstr("\nsweep_disk_full 1\n"), HasSubstr("\nsweep_database_lost 1\n"),
                    HasSubstr("\nsweep_wal_bytes 4096\n"),
                    HasSubstr("\nsweep_disk_free_bytes 1000000000000\n"),
                    HasSubstr("\nsweep_rpc_waiting{pool=\"files\"} 4\n")));
}

TEST_F(MetricsTest, CountsNumbersByTheirMeasure) {
  counts_.measures["val/f1"] = {.values = 7, .not_finite = 2};
  counts_.measures[kOtherMeasures] = {.values = 3};
  EXPECT_THAT(Text(),
              AllOf(HasSubstr("\nsweep_measurements_total{measure=\"val/f1\"} 7\n"),
                    HasSubstr("\nsweep_measurements_total{measure=\"(others)\"} 3\n"),
                    HasSubstr("\nsweep_measurements_not_finite_total{measure=\"val/f1\"} 2\n")));
}

TEST_F(MetricsTest, TimeLeftIsLeftOutWhileItCannotBeSaid) {
  EXPECT_THAT(Text(), Not(HasSubstr("sweep_time_left_seconds")));
  time_left_ = 90;
  EXPECT_THAT(Text(), HasSubstr("\nsweep_time_left_seconds 90\n"));
}

TEST_F(MetricsTest, CallsAreTimedByMethodAndCode) {
  metrics_->OnCall(0, kOk, absl::Milliseconds(3));
  metrics_->OnCall(0, kOk, absl::Milliseconds(30));
  metrics_->OnCall(0, kUnavailable, absl::Milliseconds(1));
  metrics_->OnCall(0, 99, absl::Milliseconds(1));
  const std::string text = Text();
  const std::string series = "sweep_rpc_duration_seconds";
  EXPECT_THAT(text,
              AllOf(HasSubstr(series + "_count{code=\"OK\",method=\"S/Report\"} 2\n"),
                    HasSubstr(series + "_bucket{code=\"OK\",method=\"S/Report\",le=\"0.005\"} 1\n"),
                    HasSubstr(series + "_bucket{code=\"OK\",method=\"S/Report\",le=\"0.05\"} 2\n"),
                    HasSubstr(series + "_count{code=\"UNAVAILABLE\",method=\"S/Report\"} 1\n"),
                    HasSubstr(series + "_count{code=\"other\",method=\"S/Report\"} 1\n"),
                    HasSubstr("sweep_rpc_calls_total{code=\"OK\",method=\"S/Report\"} 2\n")));
}

TEST_F(MetricsTest, CallsThatWaitAreCountedOnly) {
  metrics_->OnCall(1, kOk, absl::Seconds(20));
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("sweep_rpc_calls_total{code=\"OK\",method=\"S/Park\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("sweep_rpc_duration_seconds_count{")));
}

TEST_F(MetricsTest, WhatTheDiskHadNoRoomForIsNoCommit) {
  metrics_->OnBatch(
      {.writes = 3, .duration = absl::Milliseconds(8), .commit = absl::Milliseconds(6)});
  metrics_->OnBatch({.writes = 5, .refused = true});
  EXPECT_THAT(Text(), AllOf(HasSubstr("\nsweep_commit_duration_seconds_count 1\n"),
                            HasSubstr("\nsweep_commit_duration_seconds_sum 0.006"),
                            HasSubstr("\nsweep_transaction_duration_seconds_sum 0.008"),
                            HasSubstr("\nsweep_transaction_writes_sum 3\n"),
                            HasSubstr("\nsweep_writes_refused_total 5\n")));
}

TEST_F(MetricsTest, TellsOfTheProcess) {
  const std::string text = Text();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_start_time_seconds", "process_open_fds", "process_max_fds"}) {
    const std::size_t place = text.find("\n" + std::string(name) + " ");
    ASSERT_NE(place, std::string::npos) << name;
    EXPECT_GE(std::stod(text.substr(place + 2 + std::string(name).size())), 0) << name;
  }
  const std::size_t start = text.find("\nprocess_start_time_seconds ") + 28;
  const double age = absl::ToUnixMillis(absl::Now()) / 1e3 - std::stod(text.substr(start));
  EXPECT_GT(age, -2);
  EXPECT_LT(age, 3600);
}

TEST_F(MetricsTest, ThreadsMayCallAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int code = 0; code < 17; ++code) metrics_->OnCall(0, code, absl::Milliseconds(1));
      metrics_->OnBatch({.writes = 1});
    });
  }
  Text();
  threads.clear();
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("sweep_rpc_calls_total{code=\"DATA_LOSS\",method=\"S/Report\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nsweep_transaction_writes_count 4\n"));
}

}  // namespace
}  // namespace sweep
