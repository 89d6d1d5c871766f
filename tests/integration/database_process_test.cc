// The coordinator's database as an operator meets it: a full disk, the end by a signal, backup and
// check. Real processes; stand-ins replace sweep-trainer.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/statusor.h"
#include "common/base/sha256.h"
#include "proto/grpc_status.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr char kDatabaseSweep[] = R"(name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: random
run_cap: 40
parameters:
  lr: {min: 0.01, max: 0.1}
epochs: 3
)";

class DatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> Start(const std::vector<std::string>& command) {
    return std::make_unique<Process>(
        Process::Options{.command = command, .folder = folder_.path()});
  }
  Result Run(const std::vector<std::string>& command) {
    return testing::Run({.command = command, .folder = folder_.path()});
  }
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"sweep", "--coordinator", address_});
    return Run(arguments);
  }
  std::unique_ptr<Process> StartCoordinator() {
    auto process = Start(
        {"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db", "sweep.db"});
    address_ = testing::WaitForAddress(*process);
    return process;
  }
  std::unique_ptr<Process> StartWorker() {
    return Start(
        {"sweep-worker", "--coordinator", address_, "--slots", "2", "--trainer", FAKE_TRAINER});
  }
  bool Completed() {
    const Result list = Sweep({"list", "--format", "json"});
    if (list.code != 0) return false;
    const json sweeps = json::parse(list.output);
    return !sweeps.empty() && sweeps[0]["state"] == "completed";
  }
  bool Exists(const std::string& name) const { return fs::exists(folder_.path() + "/" + name); }

  testing::TemporaryFolder folder_;
  std::string address_;
};

// Gives a coordinator a small file system, in a mount namespace that ends with it.
class SmallDiskTest : public DatabaseTest {
 protected:
  void SetUp() override {
    fs::create_directory(folder_.path() + "/disk");
    const Result probe =
        Run({"/usr/bin/unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs disk"});
    if (probe.code != 0) GTEST_SKIP() << "this machine mounts nothing for us: " << probe.output;
  }

  // `before` is a shell command that runs before the coordinator.
  std::unique_ptr<Process> StartOnSmallDisk(const std::string& before) {
    return Start({"/usr/bin/unshare", "-Urm", "sh", "-c",
                  "mount -t tmpfs -o size=24m tmpfs disk && " + before +
                      " && exec \"$0\" --listen 127.0.0.1:0 --db disk/sweep.db",
                  SWEEP_BIN_FOLDER "/sweep-coordinator"});
  }
  // The file that fills the disk, seen through the coordinator's process.
  std::string Ballast(const Process& coordinator) const {
    return "/proc/" + std::to_string(coordinator.pid()) + "/root" + folder_.path() +
           "/disk/ballast";
  }
  void Fill(const Process& coordinator) const {
    std::ofstream file(Ballast(coordinator), std::ios::binary);
    const std::string page(4096, 'x');
    while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) continue;
  }
};

TEST_F(SmallDiskTest, AFullDiskIsSaidAndWaitedForAndNothingIsLost) {
  const auto coordinator = StartOnSmallDisk("true");
  address_ = testing::WaitForAddress(*coordinator);
  const std::string sweep = folder_.Write("tiny.yaml", kDatabaseSweep);
  Fill(*coordinator);
  const Result refused = Sweep({"submit", sweep});
  EXPECT_EQ(refused.code, 4) << "as when the coordinator cannot be reached: try again later";
  EXPECT_THAT(refused.output, AllOf(HasSubstr("database 'disk/sweep.db': the disk is full"),
                                    Not(HasSubstr("does not answer"))));
  EXPECT_EQ(Sweep({"list"}).code, 0) << "asking goes on";
  fs::remove(Ballast(*coordinator));
  ASSERT_EQ(Sweep({"submit", sweep}).code, 0);

  // The disk fills up again and again while trials run.
  const auto worker = StartWorker();
  for (int i = 0; i < 3; ++i) {
    const auto count = [&] {
      const std::string log = coordinator->Output();
      std::size_t refusals = 0;
      for (std::size_t at = 0; (at = log.find("disk full", at)) != std::string::npos; ++at) {
        ++refusals;
      }
      return refusals;
    };
    const std::size_t before = count();
    Fill(*coordinator);
    Eventually([&] { return count() > before || Completed(); }, std::chrono::seconds(10));
    fs::remove(Ballast(*coordinator));
  }
  EXPECT_TRUE(Eventually([&] { return Completed(); })) << coordinator->Output();
  const json trials = json::parse(Sweep({"trials", "tiny", "--format", "json"}).output);
  EXPECT_EQ(trials.size(), 40u);
  for (const json& trial : trials) {
    EXPECT_EQ(trial["state"], "completed") << trial;
    EXPECT_EQ(trial["failures"], 0) << trial;
  }
  EXPECT_THAT(coordinator->Output(), AllOf(HasSubstr("disk full database=\"disk/sweep.db\""),
                                           HasSubstr("disk has room again")));
}

TEST_F(SmallDiskTest, AFullDiskAtTheStartIsOneClearError) {
  const auto coordinator =
      StartOnSmallDisk("{ dd if=/dev/zero of=disk/ballast bs=4k 2>/dev/null || true; }");
  EXPECT_EQ(coordinator->Wait(), 1);
  EXPECT_THAT(coordinator->Output(), AllOf(HasSubstr("disk/sweep.db"),
                                           ::testing::AnyOf(HasSubstr("the disk is full"),
                                                            HasSubstr("No space left on device"))));
}

TEST_F(DatabaseTest, ASignalEndsItSoonAndLeavesOneFileWhoeverWaitsForAnAnswer) {
  const auto coordinator = StartCoordinator();
  ASSERT_EQ(Sweep({"submit", folder_.Write("tiny.yaml", kDatabaseSweep)}).code, 0);
  const auto channel = MakeChannel(address_);
  // Workers with parked calls: one has as much work as it can do, the others get none.
  std::vector<std::future<grpc::Status>> parked;
  const auto stub = v1::WorkerService::NewStub(channel);
  for (int i = 0; i < 20; ++i) {
    parked.push_back(std::async(std::launch::async, [&stub, i] {
      grpc::ClientContext context;
      v1::SynchronizeRequest request;
      request.set_session("session-" + std::to_string(i));
      request.set_draining(true);
      request.set_worker("worker-" + std::to_string(i));
      request.mutable_description()->set_slots(1);
      request.set_protocol(1);
      v1::SynchronizeResponse response;
      return stub->Synchronize(&context, request, &response);
    }));
  }
  const auto watch =
      Start({"sweep", "--coordinator", address_, "watch", "tiny", "--format", "json"});
  grpc::ClientContext context;
  v1::WatchSweepRequest request;
  request.set_name("sweeps/tiny");
  const auto stream = v1::SweepService::NewStub(channel)->WatchSweep(&context, request);
  v1::WatchSweepResponse event;
  ASSERT_TRUE(stream->Read(&event));

  const auto start = std::chrono::steady_clock::now();
  coordinator->Signal(SIGTERM);
  EXPECT_EQ(coordinator->Wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  for (auto& call : parked) call.get();
  EXPECT_FALSE(Exists("sweep.db-wal")) << "all of it is in the one file";
  fs::copy_file(folder_.path() + "/sweep.db", folder_.path() + "/alone.db");
  const Result check = Run({"sweep-coordinator", "--check", "--db", "alone.db"});
  EXPECT_EQ(check.code, 0) << check.output;
  EXPECT_THAT(check.output, HasSubstr("1 sweeps, "));
}

// The whole blob, or the error.
absl::StatusOr<std::string> GetBlob(v1::BlobService::Stub* stub, const std::string& sha256) {
  grpc::ClientContext context;
  v1::GetBlobRequest request;
  request.set_sha256(sha256);
  const auto reader = stub->GetBlob(&context, request);
  std::string bytes;
  for (v1::GetBlobResponse piece; reader->Read(&piece);) bytes += piece.data();
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return FromGrpcStatus(status);
  return bytes;
}

// True if the blob existed already.
bool PutBlob(v1::BlobService::Stub* stub, const std::string& sha256, const std::string& bytes) {
  grpc::ClientContext context;
  v1::PutBlobResponse response;
  const auto writer = stub->PutBlob(&context, &response);
  v1::PutBlobRequest request;
  request.set_sha256(sha256);
  request.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
  request.set_data(bytes);
  EXPECT_TRUE(writer->Write(request));
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.existed();
}

TEST_F(DatabaseTest, ADamagedBlobIsRefusedPutAsideAndCanBeStoredAgain) {
  const auto coordinator = StartCoordinator();
  const auto stub = v1::BlobService::NewStub(MakeChannel(address_));
  const std::string bytes(700'000, 'w');  // several pieces
  const std::string sha256 = Sha256Hex(bytes);
  const std::string path = folder_.path() + "/sweep.db.blobs/" + sha256.substr(0, 2) + "/" + sha256;
  EXPECT_FALSE(PutBlob(stub.get(), sha256, bytes));
  EXPECT_TRUE(PutBlob(stub.get(), sha256, bytes));
  EXPECT_EQ(GetBlob(stub.get(), sha256).value_or(""), bytes);

  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(9).put('!');
  EXPECT_TRUE(absl::IsDataLoss(GetBlob(stub.get(), sha256).status()));
  EXPECT_TRUE(Eventually([&] { return absl::IsNotFound(GetBlob(stub.get(), sha256).status()); }))
      << "it is forgotten";
  EXPECT_TRUE(Exists("sweep.db.blobs/damaged/" + sha256));
  EXPECT_THAT(coordinator->Output(), HasSubstr("blob lost sha256=" + sha256));
  EXPECT_FALSE(PutBlob(stub.get(), sha256, bytes));
  EXPECT_EQ(GetBlob(stub.get(), sha256).value_or(""), bytes);

  fs::remove(path);
  EXPECT_TRUE(absl::IsDataLoss(GetBlob(stub.get(), sha256).status())) << "known, but gone";
  EXPECT_FALSE(PutBlob(stub.get(), sha256, bytes));
  EXPECT_EQ(GetBlob(stub.get(), sha256).value_or(""), bytes);
}

TEST_F(DatabaseTest, BackupAndCheckWorkBesideARunningCoordinator) {
  auto coordinator = StartCoordinator();
  ASSERT_EQ(Sweep({"submit", folder_.Write("tiny.yaml", kDatabaseSweep)}).code, 0);
  auto worker = StartWorker();
  Eventually([&] { return Sweep({"trials", "tiny", "--state", "completed"}).code == 0; });
  const Result backup = Run({"sweep-coordinator", "--db", "sweep.db", "--backup", "copy.db"});
  EXPECT_EQ(backup.code, 0) << backup.output;
  EXPECT_THAT(backup.output, HasSubstr("backed up 'sweep.db' to 'copy.db'"));
  const Result again = Run({"sweep-coordinator", "--db", "sweep.db", "--backup", "copy.db"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output,
              AllOf(HasSubstr("backup 'copy.db'"), HasSubstr("/copy.db' exists; choose another")));
  for (const std::string name : {"sweep.db", "copy.db"}) {
    const Result check = Run({"sweep-coordinator", "--check", "--db", name});
    EXPECT_EQ(check.code, 0) << check.output;
    EXPECT_THAT(check.output, HasSubstr("\nsound\n"));
  }
  // The copy is a database like any other.
  worker.reset();
  coordinator.reset();
  coordinator = Start({"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db",
                       "copy.db", "--lease-term", "1"});
  address_ = testing::WaitForAddress(*coordinator);
  worker = StartWorker();
  EXPECT_TRUE(Eventually([&] { return Completed(); })) << coordinator->Output();

  worker.reset();
  coordinator->Signal(SIGTERM);  // so that everything is in one file
  EXPECT_EQ(coordinator->Wait(), 0);
  std::ofstream(folder_.path() + "/copy.db", std::ios::binary | std::ios::in | std::ios::out)
      .seekp(4096 * 3)
      .write(std::string(512, 'x').data(), 512);
  const Result damaged = Run({"sweep-coordinator", "--check", "--db", "copy.db"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.output, HasSubstr("fault: "));
  EXPECT_EQ(Run({"sweep-coordinator", "--check", "--backup", "x.db"}).code, 2);
  EXPECT_EQ(Run({"sweep-coordinator", "--check", "--db", "none.db"}).code, 1);
  EXPECT_FALSE(Exists("none.db"));
}

}  // namespace
}  // namespace sweep
