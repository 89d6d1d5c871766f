// Measures the service under load against its limits and prints one table. See --help.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "tests/bench/service/dashboard.h"
#include "tests/bench/service/deletion.h"
#include "tests/bench/service/fill.h"
#include "tests/bench/service/table.h"
#include "tests/integration/process.h"
#include "tests/load/simulated_worker.h"

namespace sweep::bench {
namespace {

using testing::LoadStatistics;
using testing::Process;
using testing::SimulatedWorker;
using testing::TemporaryFolder;

struct Arguments {
  std::vector<std::string> only;
  double seconds = 20;          // of a measurement of throughput
  double steady_seconds = 120;  // of the measurement of many workers
  std::int64_t trials = 100'000;
  std::int64_t many_trials = 1'000'000;
  std::string python = "python3";
};

// A coordinator process on a database in `folder`.
class Coordinator {
 public:
  explicit Coordinator(const std::string& folder, std::vector<std::string> more = {}) {
    const absl::Time start = absl::Now();
    std::vector<std::string> command = {
        "sweep-coordinator", "--listen",    "127.0.0.1:0", "--db", "sweep.db", "--http",
        "127.0.0.1:0",       "--log-level", "warn"};
    command.insert(command.end(), more.begin(), more.end());
    process_ = std::make_unique<Process>(Process::Options{.command = command, .folder = folder});
    address_ = testing::WaitForAddress(*process_, std::chrono::seconds(120));
    start_seconds_ = absl::ToDoubleSeconds(absl::Now() - start);
  }

  const std::string& address() const { return address_; }
  // "http://127.0.0.1:43211/".
  std::string dashboard() const {
    const std::string mark = "dashboard on ";
    std::string output;
    testing::Eventually([&] {
      output = process_->Output();
      const std::size_t begin = output.find(mark);
      return begin != std::string::npos && output.find('\n', begin) != std::string::npos;
    });
    const std::size_t begin = output.find(mark) + mark.size();
    return output.substr(begin, output.find('\n', begin) - begin);
  }
  int pid() const { return process_->pid(); }
  double start_seconds() const { return start_seconds_; }
  void Stop() {
    process_->Signal(SIGTERM);
    process_->Wait();
  }

 private:
  std::unique_ptr<Process> process_;
  std::string address_;
  double start_seconds_ = 0;
};

void Submit(const std::string& address, const std::string& text,
            const std::shared_ptr<grpc::ChannelCredentials>& credentials =
                grpc::InsecureChannelCredentials()) {
  const auto stub = v1::SweepService::NewStub(grpc::CreateChannel(address, credentials));
  grpc::ClientContext context;
  v1::CreateSweepRequest request;
  v1::CreateSweepResponse response;
  request.mutable_source()->set_file("bench.yaml");
  request.mutable_source()->set_text(text);
  const grpc::Status status = stub->CreateSweep(&context, request, &response);
  if (!status.ok()) throw std::runtime_error("submit: " + status.error_message());
}

std::vector<std::unique_ptr<SimulatedWorker>> StartWorkers(int count,
                                                           SimulatedWorker::Options options,
                                                           LoadStatistics* statistics) {
  std::vector<std::unique_ptr<SimulatedWorker>> workers;
  for (int i = 0; i < count; ++i) {
    options.name = fmt::format("w{}", i);
    workers.push_back(std::make_unique<SimulatedWorker>(options, statistics));
    workers.back()->Start();
  }
  return workers;
}

void StopWorkers(const std::vector<std::unique_ptr<SimulatedWorker>>& workers) {
  for (const auto& worker : workers) worker->Stop();
  for (const auto& worker : workers) worker->WaitStopped();
}

// ---- The parts

std::vector<Figure> MeasureDisk(const Arguments&) {
  const TemporaryFolder folder;
  const int fd = open((folder.path() + "/file").c_str(), O_CREAT | O_WRONLY, 0600);
  const std::string page(4096, 'x');
  std::vector<double> seconds;
  for (int i = 0; i < 500; ++i) {
    const absl::Time start = absl::Now();
    if (write(fd, page.data(), page.size()) != 4096 || fdatasync(fd) != 0) {
      throw std::runtime_error("cannot write to " + folder.path());
    }
    seconds.push_back(absl::ToDoubleSeconds(absl::Now() - start));
  }
  close(fd);
  return {{"bare write of 4 KiB and fdatasync, p50 / p99",
           Milliseconds(Median(seconds)) + " / " + Milliseconds(Quantile(seconds, 0.99)), ""}};
}

// Measures reports of 64 workers: at a pace above the limit, and as fast as they are acknowledged.
std::vector<Figure> MeasureReports(const Arguments& arguments) {
  constexpr int kWorkers = 64;
  constexpr double kPace = 15'000;  // without the time that grants and calls take
  constexpr double kWantedRate = 10'000;
  constexpr double kWantedLatency = 0.020;
  std::vector<Figure> figures;
  for (const bool paced : {true, false}) {
    const TemporaryFolder folder;
    Coordinator coordinator(folder.path());
    Submit(coordinator.address(), SweepText("load", 100'000, 20));
    LoadStatistics statistics;
    const auto workers =
        StartWorkers(kWorkers,
                     {.address = coordinator.address(),
                      .epoch_time = paced ? absl::Seconds(kWorkers / kPace) : absl::ZeroDuration()},
                     &statistics);
    absl::SleepFor(absl::Seconds(3));  // until all are connected and working
    statistics.Take();
    const absl::Time start = absl::Now();
    const double cpu_before = CpuSeconds(coordinator.pid());
    absl::SleepFor(absl::Seconds(arguments.seconds));
    const double cpu = CpuSeconds(coordinator.pid()) - cpu_before;
    const LoadStatistics::Totals totals = statistics.Take();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    StopWorkers(workers);
    coordinator.Stop();
    const double rate = static_cast<double>(totals.rows) / seconds;
    const double p99 = Quantile(totals.latencies, 0.99);
    figures.push_back({fmt::format("durable reports per second, {} workers, {}", kWorkers,
                                   paced ? "paced" : "as fast as acknowledged"),
                       fmt::format("{:.0f}", rate), ">= 10,000", rate >= kWantedRate});
    figures.push_back({"— processor time of the coordinator per report",
                       fmt::format("{:.1f} µs", cpu * 1e6 / static_cast<double>(totals.rows)), ""});
    figures.push_back({"— from call to acknowledgement, p50 / p99",
                       Milliseconds(Median(totals.latencies)) + " / " + Milliseconds(p99),
                       paced ? "p99 < 20 ms" : "", !paced || p99 < kWantedLatency});
    figures.push_back(
        {"— trials completed per second; errors, leases lost",
         fmt::format("{:.0f}; {}, {} {}", static_cast<double>(totals.completed_trials) / seconds,
                     totals.errors, totals.lost_leases, totals.first_error),
         "0, 0", totals.errors == 0 && totals.lost_leases == 0});
  }
  return figures;
}

// What the reports of 64 workers cost a coordinator.
struct ReportCost {
  double rows = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // of the coordinator
  std::int64_t errors = 0;
};

// Reports as fast as they are acknowledged; `secure`: with mutual TLS and tokens.
ReportCost MeasureReportCost(bool secure, double window_seconds) {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder.path() + "/keys/" + name).rdbuf();
    return text.str();
  };
  std::vector<std::string> more;
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (secure) {
    const testing::Result made =
        testing::Run({.command = {"sweep-coordinator", "init", "keys"}, .folder = folder.path()});
    if (made.code != 0) throw std::runtime_error(made.output);
    more = {"--tls-cert",      "keys/server.crt", "--tls-key", "keys/server.key",
            "--tls-client-ca", "keys/ca.crt",     "--tokens",  "keys/tokens"};
    const std::string token = read("admin.token");
    credentials = grpc::CompositeChannelCredentials(
        grpc::SslCredentials({.pem_root_certs = read("ca.crt"),
                              .pem_private_key = read("client.key"),
                              .pem_cert_chain = read("client.crt")}),
        grpc::AccessTokenCredentials(token.substr(0, token.find('\n'))));
  }
  Coordinator coordinator(folder.path(), more);
  Submit(coordinator.address(), SweepText("load", 100'000, 20), credentials);
  LoadStatistics statistics;
  const auto workers =
      StartWorkers(64, {.address = coordinator.address(), .credentials = credentials}, &statistics);
  absl::SleepFor(absl::Seconds(3));  // until all are connected and working
  statistics.Take();
  const absl::Time start = absl::Now();
  const double cpu_before = CpuSeconds(coordinator.pid());
  absl::SleepFor(absl::Seconds(window_seconds));
  const double cpu = CpuSeconds(coordinator.pid()) - cpu_before;
  const LoadStatistics::Totals totals = statistics.Take();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  StopWorkers(workers);
  coordinator.Stop();
  return {.rows = static_cast<double>(totals.rows),
          .seconds = seconds,
          .cpu_seconds = cpu,
          .errors = totals.errors};
}

// Compares reports with and without TLS and tokens, in alternating windows.
std::vector<Figure> MeasureSecurity(const Arguments& arguments) {
  constexpr double kMostLoss = 0.20;
  ReportCost sums[2];  // without and with
  // Without, with, with, without: a machine that drifts favours neither.
  for (const bool secure : {false, true, true, false}) {
    const ReportCost cost = MeasureReportCost(secure, arguments.seconds / 2);
    ReportCost& sum = sums[secure ? 1 : 0];
    sum.rows += cost.rows;
    sum.seconds += cost.seconds;
    sum.cpu_seconds += cost.cpu_seconds;
    sum.errors += cost.errors;
  }
  const double plain = sums[0].rows / sums[0].seconds, secure = sums[1].rows / sums[1].seconds;
  return {{"durable reports per second, 64 workers, without and with mutual TLS and tokens",
           fmt::format("{:.0f}, {:.0f} ({:+.1f} %)", plain, secure, (secure / plain - 1) * 100),
           "> -20 %", secure > plain * (1 - kMostLoss)},
          {"— the coordinator's processor time per report",
           fmt::format("{:.1f} µs, {:.1f} µs", sums[0].cpu_seconds / sums[0].rows * 1e6,
                       sums[1].cpu_seconds / sums[1].rows * 1e6),
           ""},
          {"— errors", fmt::format("{}, {}", sums[0].errors, sums[1].errors), "0",
           sums[0].errors + sums[1].errors == 0}};
}

// Measures many workers at the pace of real ones.
std::vector<Figure> MeasureWorkers(const Arguments& arguments) {
  constexpr int kWorkers = 1000;
  const TemporaryFolder folder;
  // Calls park for a third of the lease term: a heartbeat every 10 s.
  Coordinator coordinator(folder.path(), {"--lease-term", "30"});
  Submit(coordinator.address(), SweepText("load", 100'000, 20));
  LoadStatistics statistics;
  const auto workers = StartWorkers(
      kWorkers,
      {.address = coordinator.address(), .rows_per_call = 1, .epoch_time = absl::Seconds(5)},
      &statistics);
  absl::SleepFor(absl::Seconds(10));
  const double cpu_before = CpuSeconds(coordinator.pid());
  const absl::Time start = absl::Now();
  absl::SleepFor(absl::Seconds(arguments.steady_seconds));
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  const double cores = (CpuSeconds(coordinator.pid()) - cpu_before) / seconds;
  const double memory = ResidentBytes(coordinator.pid());
  const LoadStatistics::Totals totals = statistics.Take();
  StopWorkers(workers);
  coordinator.Stop();
  return {{"1,000 workers (heartbeat 10 s, epoch 5 s, 20 epochs): cores used",
           fmt::format("{:.3f}", cores), "< 1", cores < 1},
          {"— resident memory", fmt::format("{:.0f} MB", memory / 1e6), "< 300 MB", memory < 300e6},
          {"— reports per second, p99, trials completed",
           fmt::format("{:.0f}, {}, {}", static_cast<double>(totals.rows) / seconds,
                       Milliseconds(Quantile(totals.latencies, 0.99)), totals.completed_trials),
           ""},
          {"— leases falsely expired, errors",
           fmt::format("{}, {} {}", totals.lost_leases, totals.errors, totals.first_error), "0, 0",
           totals.lost_leases == 0 && totals.errors == 0}};
}

// Calls Synchronize every 10 ms, which must be answered at once: a heartbeat.
class Heartbeats {
 public:
  explicit Heartbeats(const std::string& address)
      : stub_(v1::WorkerService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  // In seconds; call once.
  std::vector<double> Finish() {
    thread_.request_stop();
    thread_.join();
    return std::move(delays_);
  }

 private:
  void Run(const std::stop_token& stop) {
    v1::SynchronizeRequest request;
    request.set_session("heartbeats");
    request.set_worker("heartbeats");
    request.set_protocol(1);
    request.set_draining(true);
    request.set_no_wait(true);
    request.mutable_description()->set_host("simulated");
    request.mutable_description()->set_slots(1);
    while (!stop.stop_requested()) {
      grpc::ClientContext context;
      v1::SynchronizeResponse response;
      const absl::Time asked = absl::Now();
      const grpc::Status status = stub_->Synchronize(&context, request, &response);
      delays_.push_back(status.ok() ? absl::ToDoubleSeconds(absl::Now() - asked)
                                    : std::numeric_limits<double>::infinity());
      absl::SleepFor(absl::Milliseconds(10));
    }
  }

  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  std::vector<double> delays_;
  std::jthread thread_;
};

// Measures 1,000 workers whose trials last a second, in a sweep with 20,000 finished trials: with
// a method that learns and, for comparison, with random points.
std::vector<Figure> MeasureSearch(const Arguments& arguments) {
  constexpr int kWorkers = 1000;
  constexpr std::int64_t kFinished = 20'000;
  constexpr double kMostDelay = 0.050;
  std::vector<Figure> figures;
  for (const char* method : {"random", "tpe"}) {
    const bool learns = std::string(method) == "tpe";
    const TemporaryFolder folder;
    const absl::Status filled = FillDatabase({.path = folder.path() + "/sweep.db",
                                              .sweep = "large",
                                              .trials = kFinished,
                                              .epochs = 1,
                                              .method = method,
                                              .run_cap = 1'000'000});
    if (!filled.ok()) throw std::runtime_error(filled.ToString());
    Coordinator coordinator(folder.path());
    LoadStatistics statistics;
    const auto workers = StartWorkers(kWorkers,
                                      {.address = coordinator.address(),
                                       .epochs = 1,
                                       .rows_per_call = 1,
                                       .epoch_time = absl::Seconds(1)},
                                      &statistics);
    absl::SleepFor(absl::Seconds(5));  // until all are connected and working
    statistics.Take();
    const double cpu_before = CpuSeconds(coordinator.pid());
    const double search_before = CpuSecondsOfThreads(coordinator.pid(), "search");
    const absl::Time start = absl::Now();
    Heartbeats heartbeats(coordinator.address());
    absl::SleepFor(absl::Seconds(arguments.seconds));
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    const std::vector<double> delays = heartbeats.Finish();
    const double search = CpuSecondsOfThreads(coordinator.pid(), "search") - search_before;
    const double cpu = CpuSeconds(coordinator.pid()) - cpu_before;
    const LoadStatistics::Totals totals = statistics.Take();
    StopWorkers(workers);
    coordinator.Stop();
    const double worst = Quantile(delays, 1);
    figures.push_back(
        {fmt::format("{}, {} finished trials, {} workers, trials of 1 s: trials per second", method,
                     kFinished, kWorkers),
         fmt::format("{:.0f}", static_cast<double>(totals.completed_trials) / seconds), ""});
    figures.push_back({"— cores used, of these by searches",
                       fmt::format("{:.2f}, {:.2f}", cpu / seconds, search / seconds),
                       learns ? "searches <= 1" : "", !learns || search <= seconds});
    figures.push_back(
        {fmt::format("— {} heartbeats, answered after: p50 / p99 / longest", delays.size()),
         Milliseconds(Median(delays)) + " / " + Milliseconds(Quantile(delays, 0.99)) + " / " +
             Milliseconds(worst),
         learns ? "longest < 50 ms" : "", !learns || worst < kMostDelay});
    figures.push_back(
        {"— leases lost, errors",
         fmt::format("{}, {} {}", totals.lost_leases, totals.errors, totals.first_error), "0, 0",
         totals.lost_leases == 0 && totals.errors == 0});
  }
  return figures;
}

std::vector<Figure> MeasureIdle(const Arguments&) {
  constexpr int kWorkers = 5000;
  const TemporaryFolder folder;
  Coordinator coordinator(folder.path(), {"--lease-term", "30"});
  LoadStatistics statistics;
  const auto workers = StartWorkers(kWorkers, {.address = coordinator.address()}, &statistics);
  absl::SleepFor(absl::Seconds(20));
  const double cpu_before = CpuSeconds(coordinator.pid());
  absl::SleepFor(absl::Seconds(30));
  const double cores = (CpuSeconds(coordinator.pid()) - cpu_before) / 30;
  const double memory = ResidentBytes(coordinator.pid());
  const auto stub = v1::WorkerService::NewStub(
      grpc::CreateChannel(coordinator.address(), grpc::InsecureChannelCredentials()));
  std::int64_t connected = 0;
  std::string token;
  do {
    grpc::ClientContext context;
    v1::ListWorkersRequest request;
    v1::ListWorkersResponse response;
    request.set_page_size(1000);
    request.set_page_token(token);
    const grpc::Status status = stub->ListWorkers(&context, request, &response);
    if (!status.ok()) throw std::runtime_error("workers: " + status.error_message());
    for (const v1::Worker& worker : response.workers()) connected += worker.connected() ? 1 : 0;
    token = response.next_page_token();
  } while (!token.empty());
  const LoadStatistics::Totals totals = statistics.Take();
  StopWorkers(workers);
  coordinator.Stop();
  return {{"5,000 idle workers: connected, cores used, memory",
           fmt::format("{}, {:.3f}, {:.0f} MB", connected, cores, memory / 1e6), "5000",
           connected == kWorkers},
          {"— errors", fmt::format("{} {}", totals.errors, totals.first_error), "0",
           totals.errors == 0}};
}

double TimeCommand(const std::string& folder, const Coordinator& coordinator,
                   std::vector<std::string> command) {
  command.insert(command.end(), {"--coordinator", coordinator.address()});
  const absl::Time start = absl::Now();
  const testing::Result result = testing::Run({.command = command, .folder = folder});
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  if (result.code != 0 && result.code != 3) throw std::runtime_error(result.output);
  return seconds;
}

// Measures restart, ranking and pages of a large finished sweep.
std::vector<Figure> MeasureLargeFile(std::int64_t trials, int epochs, double best_limit,
                                     double page_limit) {
  constexpr int kRuns = 7;
  constexpr double kStartLimit = 2;
  const TemporaryFolder folder;
  std::cerr << fmt::format("making a database of {} trials × {} epochs\n", trials, epochs);
  const absl::Time start = absl::Now();
  const absl::Status filled = FillDatabase(
      {.path = folder.path() + "/sweep.db", .sweep = "large", .trials = trials, .epochs = epochs});
  if (!filled.ok()) throw std::runtime_error(filled.ToString());
  const double fill_seconds = absl::ToDoubleSeconds(absl::Now() - start);
  std::vector<double> starts, best, workers;
  std::map<std::string, std::vector<double>> pages;  // by order
  for (int i = 0; i < kRuns; ++i) {
    Coordinator coordinator(folder.path());
    starts.push_back(coordinator.start_seconds());
    workers.push_back(TimeCommand(folder.path(), coordinator, {"sweep", "workers"}));
    best.push_back(TimeCommand(folder.path(), coordinator, {"sweep", "best", "large"}));
    const auto stub = v1::TrialService::NewStub(
        grpc::CreateChannel(coordinator.address(), grpc::InsecureChannelCredentials()));
    for (const char* order :
         {"number", "best_accuracy desc", "epochs_to_target", "lr", "batch_size desc"}) {
      grpc::ClientContext context;
      v1::ListTrialsRequest request;
      v1::ListTrialsResponse response;
      request.set_parent("sweeps/large");
      request.set_page_size(50);
      request.set_order_by(order);
      const absl::Time asked = absl::Now();
      const grpc::Status status = stub->ListTrials(&context, request, &response);
      if (!status.ok()) throw std::runtime_error(status.error_message());
      pages[order].push_back(absl::ToDoubleSeconds(absl::Now() - asked));
    }
    coordinator.Stop();
  }
  const std::string size = fmt::format("{} trials × {} epochs", trials, epochs);
  std::vector<Figure> figures = {
      {size + ": start to serving, median (made at trials per second)",
       fmt::format("{} ({:.0f})", Milliseconds(Median(starts)),
                   static_cast<double>(trials) / fill_seconds),
       "< 2 s", Median(starts) < kStartLimit},
      {"— `sweep best`, whole command, median (`sweep workers` beside it)",
       Milliseconds(Median(best)) + " (" + Milliseconds(Median(workers)) + ")",
       fmt::format("< {:.0f} ms", best_limit * 1e3), Median(best) < best_limit}};
  for (const auto& [order, seconds] : pages) {
    figures.push_back({"— a page of 50 trials by " + order + ", median",
                       Milliseconds(Median(seconds)),
                       page_limit > 0 ? fmt::format("< {:.0f} ms", page_limit * 1e3) : "",
                       page_limit == 0 || Median(seconds) < page_limit});
  }
  return figures;
}

std::vector<Figure> MeasureFile(const Arguments& arguments) {
  return MeasureLargeFile(arguments.trials, 20, 0.100, 0.050);
}

std::vector<Figure> MeasureMany(const Arguments& arguments) {
  return MeasureLargeFile(arguments.many_trials, 1, 0.500, 0);
}

// Measures the dashboard of a large sweep, and the cost of ten pages that show a sweep for the
// workers that report to it: windows with and without pages alternate.
std::vector<Figure> MeasureDashboard(const Arguments& arguments) {
  constexpr int kWorkers = 64;
  constexpr int kPages = 10;
  constexpr int kTurns = 10;
  constexpr absl::Duration kSettle = absl::Seconds(3);
  constexpr double kMostLoss = 0.05;
  const TemporaryFolder folder;
  std::cerr << fmt::format("making a database of {} trials × 20 epochs\n", arguments.trials);
  const absl::Status filled = FillDatabase({.path = folder.path() + "/sweep.db",
                                            .sweep = "large",
                                            .trials = arguments.trials,
                                            .epochs = 20});
  if (!filled.ok()) throw std::runtime_error(filled.ToString());
  Coordinator coordinator(folder.path());
  std::vector<Figure> figures = MeasureViews(coordinator.dashboard(), "large");
  const double memory = ResidentBytes(coordinator.pid());
  figures.push_back(
      {"— resident memory with the index", fmt::format("{:.0f} MB", memory / 1e6), ""});
  Submit(coordinator.address(), SweepText("load", 100'000, 20));
  LoadStatistics statistics;
  const auto workers = StartWorkers(kWorkers, {.address = coordinator.address()}, &statistics);
  absl::SleepFor(absl::Seconds(5));  // until all are connected and working
  double rows[2] = {0, 0};           // without and with pages
  double seconds[2] = {0, 0};
  double cpu[2] = {0, 0};  // of the coordinator: depends less on what else runs
  std::int64_t answers = 0, failures = 0;
  std::unique_ptr<DashboardPages> pages;
  for (int turn = 0; turn < 2 * kTurns; ++turn) {
    // Without, with, with, without: a rate that drifts as the file grows favours neither.
    const int with = turn % 4 == 1 || turn % 4 == 2 ? 1 : 0;
    if (with == 1 && pages == nullptr) {
      pages = std::make_unique<DashboardPages>(coordinator.dashboard(), "load", kPages);
      absl::SleepFor(kSettle);  // until the pages have loaded all earlier events
    }
    if (with == 0 && pages != nullptr) {
      answers += pages->answers();
      failures += pages->failures();
      pages.reset();
      absl::SleepFor(kSettle);  // as long, so that both kinds have the same mean time
    }
    statistics.Take();
    const double cpu_before = CpuSeconds(coordinator.pid());
    const absl::Time start = absl::Now();
    absl::SleepFor(absl::Seconds(arguments.seconds / kTurns));
    cpu[with] += CpuSeconds(coordinator.pid()) - cpu_before;
    rows[with] += static_cast<double>(statistics.Take().rows);
    seconds[with] += absl::ToDoubleSeconds(absl::Now() - start);
  }
  StopWorkers(workers);
  coordinator.Stop();
  const double alone = rows[0] / seconds[0], beside = rows[1] / seconds[1];
  figures.push_back(
      {fmt::format("dashboard: durable reports per second, {} workers, without and "
                   "with {} pages on the same sweep",
                   kWorkers, kPages),
       fmt::format("{:.0f}, {:.0f} ({:+.1f} %)", alone, beside, (beside / alone - 1) * 100),
       "> -5 %", beside > alone * (1 - kMostLoss)});
  const double alone_cpu = cpu[0] / rows[0] * 1e6, beside_cpu = cpu[1] / rows[1] * 1e6;
  figures.push_back({"— the coordinator's processor time per report, without and with them",
                     fmt::format("{:.1f} µs, {:.1f} µs ({:+.1f} %)", alone_cpu, beside_cpu,
                                 (beside_cpu / alone_cpu - 1) * 100),
                     ""});
  figures.push_back({"— answers to the pages, failed ones",
                     fmt::format("{}, {}", answers, failures), "0 failed", failures == 0});
  return figures;
}

std::vector<Figure> MeasureDeletion(const Arguments& arguments) {
  return MeasureDeletionOf(arguments.trials);
}

// Runs Optuna's storages with the same reports, by its own package. It prints lines
// "NAME<TAB>REPORTS_PER_SECOND", or with a reason instead of the number. The last other line is the
// reason when there are none.
std::vector<Figure> MeasurePeers(const Arguments& arguments) {
  const TemporaryFolder folder;
  const std::string command = fmt::format("cd '{}' && '{}' '{}' {} 2>&1", folder.path(),
                                          arguments.python, SWEEP_BENCH_PEERS, arguments.seconds);
  FILE* const pipe = popen(command.c_str(), "r");
  std::vector<Figure> figures;
  std::string last = "nothing was printed";
  char line[512];
  while (pipe != nullptr && fgets(line, sizeof(line), pipe) != nullptr) {
    const std::string text = std::string(line).substr(0, std::strcspn(line, "\n"));
    const std::size_t tab = text.find('\t');
    if (tab == std::string::npos) {
      if (!text.empty()) last = text;
      continue;
    }
    const std::string rate = text.substr(tab + 1);
    const bool is_number = !rate.empty() && rate.find_first_not_of("0123456789") == rate.npos;
    figures.push_back({"peer: " + text.substr(0, tab), is_number ? rate + " reports/s" : rate, ""});
  }
  const bool failed = pipe == nullptr || pclose(pipe) != 0;
  if (failed || figures.empty()) {
    figures.push_back({"peers", "not measured: " + arguments.python + ": " + last, ""});
  }
  return figures;
}

struct Part {
  const char* name;
  std::vector<Figure> (*measure)(const Arguments&);
};
constexpr Part kParts[] = {
    {"disk", MeasureDisk},         {"reports", MeasureReports},  {"peers", MeasurePeers},
    {"workers", MeasureWorkers},   {"search", MeasureSearch},    {"idle", MeasureIdle},
    {"file", MeasureFile},         {"many", MeasureMany},        {"dashboard", MeasureDashboard},
    {"deletion", MeasureDeletion}, {"security", MeasureSecurity}};

// Thousands of connections need as many file descriptors, here and in the coordinator.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Measures the coordinator under load and prints a table.", "service_bench"};
  std::set<std::string> names;
  for (const Part& part : kParts) names.insert(part.name);
  app.add_option("--only", arguments.only, "parts to measure (default: all)")
      ->check(CLI::IsMember(names));
  app.add_option("--seconds", arguments.seconds, "of a measurement of throughput")
      ->capture_default_str();
  app.add_option("--steady-seconds", arguments.steady_seconds,
                 "of the measurement of 1,000 workers")
      ->capture_default_str();
  app.add_option("--trials", arguments.trials, "in the large file")->capture_default_str();
  app.add_option("--many-trials", arguments.many_trials, "in the larger file")
      ->capture_default_str();
  app.add_option("--python", arguments.python, "an interpreter that can import optuna")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  RaiseFileLimit();
  std::cout << DescribeMachine() << "\n\n";
  std::vector<Figure> figures;
  for (const Part& part : kParts) {
    const bool wanted =
        arguments.only.empty() ||
        std::find(arguments.only.begin(), arguments.only.end(), part.name) != arguments.only.end();
    if (!wanted) continue;
    std::cerr << "measuring " << part.name << "\n";
    for (Figure& figure : part.measure(arguments)) figures.push_back(std::move(figure));
  }
  std::cout << FormatTable(figures) << std::flush;
  return 0;
}

}  // namespace
}  // namespace sweep::bench

int main(int argc, char** argv) {
  try {
    return sweep::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "service_bench: " << error.what() << '\n';
    return 1;
  }
}
