// Kills the real coordinator right after an answer: the effect of each answered call exists after
// the restart, and sending the same call again changes nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

#include "common/base/sha256.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"
#include "tests/fault/crash_script.h"
#include "tests/integration/process.h"
#include "tests/load/raw_call.h"

namespace sweep::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr auto kCallTimeout = std::chrono::seconds(20);

// Fields that change from query to query: times and durations that still run, and the time left,
// which depends on the present workers.
bool IsOfTheClock(const FieldDescriptor& field) {
  return field.message_type()->full_name() == "google.protobuf.Timestamp" ||
         field.full_name() == "sweep.v1.Trial.attempt_duration" ||
         field.full_name() == "sweep.v1.Sweep.time_left";
}

// Clears times and durations, so that everything else can be compared.
void ClearTimes(Message* message) {
  const Reflection* const reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (IsOfTheClock(*field)) {
      reflection->ClearField(message, field);
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
        ClearTimes(reflection->MutableRepeatedMessage(message, field, i));
      }
    } else {
      ClearTimes(reflection->MutableMessage(message, field));
    }
  }
}

std::string Describe(Message& message) {
  ClearTimes(&message);
  return message.GetDescriptor()->name() + "\n" + message.Utf8DebugString();
}

// A coordinator process that can be restarted on the same database.
class Coordinator {
 public:
  Coordinator() { Start(); }

  void KillAndRestart() {
    process_->Signal(SIGKILL);
    Restart();
  }

  void Restart() {
    EXPECT_EQ(process_->Wait(), 128 + SIGKILL) << process_->Output();
    process_.reset();
    Start();
  }

  pid_t pid() const { return process_->pid(); }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  template <typename Stub, typename Request, typename Response>
  Response Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               std::unique_ptr<Stub> stub, const Request& request) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  RawAnswer Call(const std::string& method, const std::vector<std::string>& messages) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    std::vector<grpc::ByteBuffer> buffers;
    for (const std::string& message : messages) buffers.push_back(ToBuffer(message));
    return Exchange(channel_, method, buffers, &context);
  }

 private:
  void Start() {
    process_ = std::make_unique<Process>(Process::Options{
        .command = {"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db",
                    "sweep.db", "--lease-term", "3600", "--log-level", "warn"},
        .folder = folder_.path()});
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(WaitForAddress(*process_),
                                         grpc::InsecureChannelCredentials(), arguments);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Process> process_;
  std::shared_ptr<grpc::Channel> channel_;
};

v1::ListSweepsResponse ListSweeps(const Coordinator& coordinator) {
  v1::ListSweepsRequest request;
  request.set_page_size(1000);
  return coordinator.Ask(&v1::SweepService::Stub::ListSweeps,
                         v1::SweepService::NewStub(coordinator.channel()), request);
}

// A thread of the coordinator creates configurations ahead of the workers.
void WaitUntilMade(const Coordinator& coordinator) {
  ASSERT_TRUE(Eventually([&] {
    const v1::ListSweepsResponse response = ListSweeps(coordinator);
    for (const v1::Sweep& sweep : response.sweeps()) {
      const v1::TrialCounts& counts = sweep.counts();
      const std::int64_t made = counts.pending() + counts.running() + counts.completed() +
                                counts.stopped() + counts.failed() + counts.cancelled() +
                                counts.on_hold();
      if (sweep.state() == v1::SWEEP_STATE_ACTIVE && made < sweep.planned_trials()) return false;
    }
    return true;
  }));
}

std::string DescribeTrial(const Coordinator& coordinator, const std::string& name) {
  const auto stub = [&] { return v1::TrialService::NewStub(coordinator.channel()); };
  v1::GetTrialRequest get;
  get.set_name(name);
  v1::ListEpochsRequest epochs;
  epochs.set_parent(name);
  v1::ListAttemptsRequest attempts;
  attempts.set_parent(name);
  v1::ListLogsRequest logs;
  logs.set_parent(name);
  using Stub = v1::TrialService::Stub;
  auto trial = coordinator.Ask(&Stub::GetTrial, stub(), get);
  auto rows = coordinator.Ask(&Stub::ListEpochs, stub(), epochs);
  auto grants = coordinator.Ask(&Stub::ListAttempts, stub(), attempts);
  auto lines = coordinator.Ask(&Stub::ListLogs, stub(), logs);
  return Describe(trial) + Describe(rows) + Describe(grants) + Describe(lines);
}

// Everything that can be queried, without times.
std::string DescribeAll(const Coordinator& coordinator, const Memory& memory) {
  std::string text;
  const v1::ListSweepsResponse sweeps = ListSweeps(coordinator);
  for (const v1::Sweep& listed : sweeps.sweeps()) {
    v1::GetSweepRequest get;
    get.set_name(listed.name());
    auto sweep = coordinator.Ask(&v1::SweepService::Stub::GetSweep,
                                 v1::SweepService::NewStub(coordinator.channel()), get);
    v1::RankSweepRequest rank;
    rank.set_name(listed.name());
    auto ranking = coordinator.Ask(&v1::SweepService::Stub::RankSweep,
                                   v1::SweepService::NewStub(coordinator.channel()), rank);
    text += Describe(sweep) + Describe(ranking);
    v1::ListTrialsRequest list;
    list.set_parent(listed.name());
    const auto trials = coordinator.Ask(&v1::TrialService::Stub::ListTrials,
                                        v1::TrialService::NewStub(coordinator.channel()), list);
    for (const v1::Trial& trial : trials.trials()) {
      text += DescribeTrial(coordinator, trial.name());
    }
  }
  for (const std::string& sha256 : memory.blobs) {
    v1::GetBlobRequest request;
    request.set_sha256(sha256);
    const RawAnswer answer =
        coordinator.Call("/sweep.v1.BlobService/GetBlob", {request.SerializeAsString()});
    text += sha256 + (answer.status.ok() ? "\n" : " " + answer.status.error_message() + "\n");
  }
  return text;
}

// The events of a sweep that has ended, from the beginning.
std::string DescribeEvents(const Coordinator& coordinator, const std::string& sweep) {
  v1::WatchSweepRequest request;
  request.set_name(sweep);
  const RawAnswer answer =
      coordinator.Call("/sweep.v1.SweepService/WatchSweep", {request.SerializeAsString()});
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  std::string text;
  for (const grpc::ByteBuffer& message : answer.messages) {
    v1::WatchSweepResponse event;
    event.ParseFromString(ToText(message));
    text += Describe(event);
  }
  return text;
}

TEST(CrashPoint, TheScriptHasEveryMethodThatChangesSomethingDurable) {
  std::set<std::string> scripted;
  for (const ScriptedCall& call : MakeScript()) scripted.insert(call.method);
  std::set<std::string> wanted;
  for (const google::protobuf::MethodDescriptor* const method : AllMethods()) {
    const std::string path = MethodPath(*method);
    if (!OnlyReads(path) && !IsInMemory(path)) wanted.insert(path);
  }
  EXPECT_EQ(scripted, wanted);
}

// One coordinator runs the script undisturbed and shows the expected answers; the other is killed
// after each of its answers.
TEST(CrashPoint, WhatWasAnsweredIsThereAfterAKillAndSendingItAgainChangesNothing) {
  Coordinator calm;
  Coordinator killed;
  Memory calm_memory;
  Memory killed_memory;
  std::string before;
  int number = 0;
  for (const ScriptedCall& call : MakeScript()) {
    SCOPED_TRACE("call " + std::to_string(++number) + " " + call.method);
    const auto make = [&](Coordinator* coordinator, Memory* memory, bool kill) {
      const std::vector<std::string> messages = call.make(*memory);
      const RawAnswer answer = coordinator->Call(call.method, messages);
      if (kill) coordinator->KillAndRestart();
      ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
      if (call.learn) call.learn(ToText(answer.messages.at(0)), memory);
      WaitUntilMade(*coordinator);
      if (!kill) return;
      const std::string restarted = DescribeAll(*coordinator, *memory);
      const RawAnswer again = coordinator->Call(call.method, messages);
      EXPECT_TRUE(again.status.ok()) << "sent again: " << again.status.error_message();
      EXPECT_EQ(DescribeAll(*coordinator, *memory), restarted) << "after it was sent again";
    };
    ASSERT_NO_FATAL_FAILURE(make(&calm, &calm_memory, false));
    ASSERT_NO_FATAL_FAILURE(make(&killed, &killed_memory, true));
    const std::string expected = DescribeAll(calm, calm_memory);
    ASSERT_NE(expected, before) << "the call has no effect that can be seen";
    ASSERT_EQ(DescribeAll(killed, killed_memory), expected);
    before = expected;
  }
  EXPECT_THAT(before, ::testing::HasSubstr("SWEEP_STATE_COMPLETED"));
  for (const char* sweep : {"sweeps/a", "sweeps/b", "sweeps/e"}) {
    EXPECT_EQ(DescribeEvents(killed, sweep), DescribeEvents(calm, sweep));
  }
}

// Calls that are sent without waiting for each other's answers; one of the answers kills the
// coordinator.
class Burst {
 public:
  Burst(const Coordinator& coordinator, int answers_before_kill)
      : pid_(coordinator.pid()),
        left_(answers_before_kill),
        sweeps_(v1::SweepService::NewStub(coordinator.channel())),
        workers_(v1::WorkerService::NewStub(coordinator.channel())) {}

  void CreateSweep(const std::string& name) {
    auto& call = Add<v1::CreateSweepRequest, v1::CreateSweepResponse>(&creates_);
    call.request.mutable_source()->set_file("burst.yaml");
    call.request.mutable_source()->set_text(
        "name: " + name +
        "\nmodel: cnn-18718\ndataset: {name: synthetic, train: 64, test: 32}\n"
        "method: grid\nparameters: {lr: {values: [0.01]}}\nepochs: 3\n");
    sweeps_->async()->CreateSweep(&call.context, &call.request, &call.response,
                                  [this, &call, name](const grpc::Status& status) {
                                    OnAnswer(status, "sweeps/" + name, &call);
                                  });
  }

  void AppendLog(const v1::LeaseToken& token, int line) {
    auto& call = Add<v1::AppendLogsRequest, v1::AppendLogsResponse>(&logs_);
    *call.request.mutable_token() = token;
    call.request.add_lines()->set_line(line);
    call.request.mutable_lines(0)->set_text("line");
    workers_->async()->AppendLogs(&call.context, &call.request, &call.response,
                                  [this, &call, line](const grpc::Status& status) {
                                    OnAnswer(status, "line " + std::to_string(line), &call);
                                  });
  }

  // The acknowledged calls, once every call has ended.
  std::set<std::string> Wait() {
    EXPECT_TRUE(Eventually([&] { return under_way_ == 0; }));
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }

 private:
  template <typename Request, typename Response>
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
  };

  template <typename Request, typename Response>
  Call<Request, Response>& Add(std::deque<Call<Request, Response>>* calls) {
    ++under_way_;
    Call<Request, Response>& call = calls->emplace_back();
    call.context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    return call;
  }

  template <typename Any>
  void OnAnswer(const grpc::Status& status, const std::string& what, Any*) {
    if (status.ok()) {
      if (--left_ == 0) kill(pid_, SIGKILL);
      const std::lock_guard lock(mutex_);
      acknowledged_.insert(what);
    }
    --under_way_;
  }

  const pid_t pid_;
  std::atomic<int> left_;
  std::atomic<int> under_way_ = 0;
  std::mutex mutex_;
  std::set<std::string> acknowledged_;
  const std::unique_ptr<v1::SweepService::Stub> sweeps_;
  const std::unique_ptr<v1::WorkerService::Stub> workers_;
  std::deque<Call<v1::CreateSweepRequest, v1::CreateSweepResponse>> creates_;
  std::deque<Call<v1::AppendLogsRequest, v1::AppendLogsResponse>> logs_;
};

// Everything stored that a burst can ask for.
std::set<std::string> FindAll(const Coordinator& coordinator, const std::string& trial) {
  std::set<std::string> found;
  const v1::ListSweepsResponse sweeps = ListSweeps(coordinator);
  for (const v1::Sweep& sweep : sweeps.sweeps()) found.insert(sweep.name());
  v1::ListLogsRequest logs;
  logs.set_parent(trial);
  const auto lines = coordinator.Ask(&v1::TrialService::Stub::ListLogs,
                                     v1::TrialService::NewStub(coordinator.channel()), logs);
  for (const v1::LogLine& line : lines.lines()) {
    found.insert("line " + std::to_string(line.line()));
  }
  return found;
}

TEST(CrashPoint, WhatWasAnsweredIsThereAlsoWhenTheKillComesAmongManyCalls) {
  constexpr int kRounds = 12;
  constexpr int kCallsOfAKind = 24;
  const std::uint64_t seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  Coordinator coordinator;
  const std::vector<ScriptedCall> script = MakeScript();
  Memory memory;
  for (const ScriptedCall& call : script) {  // until a lease is granted
    if (!memory.token.trial().empty()) break;
    const RawAnswer answer = coordinator.Call(call.method, call.make(memory));
    ASSERT_TRUE(answer.status.ok()) << call.method << ": " << answer.status.error_message();
    if (call.learn) call.learn(ToText(answer.messages.at(0)), &memory);
    WaitUntilMade(coordinator);
  }
  std::set<std::string> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    Burst burst(coordinator, 1 + static_cast<int>(random() % (2 * kCallsOfAKind)));
    for (int i = 0; i < kCallsOfAKind; ++i) {
      const int number = round * kCallsOfAKind + i + 1;
      burst.CreateSweep("burst-" + std::to_string(number));
      burst.AppendLog(memory.token, number);
    }
    const std::set<std::string> answered = burst.Wait();
    EXPECT_FALSE(answered.empty());
    acknowledged.insert(answered.begin(), answered.end());
    coordinator.Restart();
    const std::set<std::string> found = FindAll(coordinator, memory.token.trial());
    for (const std::string& what : acknowledged) {
      EXPECT_TRUE(found.contains(what))
          << what << " was acknowledged and is gone; round " << round << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sweep::testing
