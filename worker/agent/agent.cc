#include "worker/agent/agent.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "proto/address.h"
#include "proto/secure_channel.h"
#include "spdlog/spdlog.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/data_watch.h"
#include "worker/agent/dataset_cache.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/log_reporter.h"
#include "worker/agent/owned_folder.h"
#include "worker/agent/processors.h"
#include "worker/agent/program_cache.h"
#include "worker/agent/progress_reporter.h"
#include "worker/agent/session.h"
#include "worker/agent/trainer_loop.h"

namespace sweep {
namespace {

constexpr int kMostSlots = 1024;
constexpr char kBuild[] = "sweep-worker " SWEEP_VERSION;

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "host";
  return name.data();
}

// One slot per usable processor, or per `threads` of them.
int DefaultSlots(int threads) {
  const Processors processors = CountProcessors();
  const int slots = std::clamp(processors.usable() / std::max(1, threads), 1, kMostSlots);
  spdlog::info("{}{}: {} slot{}", processors.Describe(),
               threads > 1 ? absl::StrCat(", ", threads, " for each trial") : "", slots,
               slots == 1 ? "" : "s");
  return slots;
}

absl::Status Check(const AgentOptions& options) {
  if (absl::Status status = ParseAddress(options.coordinator).status(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("coordinator ", status.message()));
  }
  if (!options.name.empty() && !IsValidName(options.name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "worker name '", options.name, "': must be 1 to 63 letters, digits, '.', '_' or '-'"));
  }
  if (options.slots < 0 || options.slots > kMostSlots) {
    return absl::InvalidArgumentError(
        absl::StrCat("slots ", options.slots, ": must be 0 to ", kMostSlots));
  }
  if (!IsDevice(options.device)) {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", options.device, "': must be auto, cpu or cuda:N"));
  }
  return absl::OkStatus();
}

absl::Status NoWorkFolder(const std::string& path, const std::string& why) {
  return absl::PermissionDeniedError(absl::StrCat("work folder ", path, ": ", why));
}

// This worker's own folder for trials' and programs' files, in `wish` or the folder for temporary
// files. Several workers may share one such place.
absl::StatusOr<std::unique_ptr<OwnedFolder>> MakeWorkFolder(const std::string& wish) {
  const absl::StatusOr<std::string> parent =
      wish.empty() ? TemporaryFolder() : absl::StatusOr<std::string>(wish);
  if (!parent.ok()) return parent.status();
  std::error_code error;
  std::filesystem::create_directories(*parent, error);
  if (error) return NoWorkFolder(*parent, error.message());
  if (access(parent->c_str(), W_OK) != 0) return NoWorkFolder(*parent, "it cannot be written");
  // Canonical, so that the next worker finds processes by this mark, however it spells the path.
  const std::filesystem::path place = std::filesystem::canonical(*parent, error);
  if (error) return NoWorkFolder(*parent, error.message());
  // Short, since it appears in every line of a program's traceback.
  return OwnedFolder::Make(place, wish.empty() ? "sweep-worker-" : "work-");
}

v1::Worker Describe(const AgentOptions& options, const std::string& name, int slots) {
  v1::Worker worker;
  worker.set_name(name);
  worker.set_host(HostName());
  worker.set_pid(getpid());
  worker.set_slots(slots);
  worker.add_devices(options.device);
  worker.set_build(kBuild);
  worker.set_memory_bytes(MemoryBytes());
  worker.set_allows_programs(options.allow_programs);
  for (const std::string& sweep : options.only_sweeps) worker.add_only_sweeps(sweep);
  worker.mutable_labels()->insert(options.labels.begin(), options.labels.end());
  return worker;
}

// Puts the parts together. The parts' threads: "session" (Session), "trainers" (TrainerLoop),
// "progress" (ProgressReporter), "logs" (LogReporter), "data" (DataWatch) and one "report" per slot
// (LeaseReporter); nothing runs here.
class AgentImpl final : public Agent {
 public:
  AgentImpl(const AgentOptions& options, std::unique_ptr<OwnedFolder> folder,
            const std::shared_ptr<grpc::Channel>& channel)
      : name_(options.name.empty() ? MakeWorkerName() : options.name),
        slots_(options.slots > 0 ? options.slots : DefaultSlots(options.threads)),
        at_once_patience_(options.at_once_patience),
        session_id_(RandomHex(16)),
        folder_(std::move(folder)),
        client_(channel),
        uploads_(options.uploads,
                 [this](const std::string& sha256, const UploadCache::Take& take) {
                   return FetchUpload(sha256, take);
                 }),
        datasets_(options.data, &uploads_),
        programs_(folder_->path()),
        leases_(slots_),
        progress_(&client_, session_id_),
        logs_(&client_),
        session_(&client_, &leases_, Describe(options, name_, slots_), session_id_) {}
  ~AgentImpl() override { Stop(); }

  absl::Status Connect(const AgentOptions& options) {
    return session_.Connect(options.coordinator, options.connect_timeout);
  }

  void Run(const AgentOptions& options,
           const absl::StatusOr<std::vector<std::string>>& trainer_command) {
    LeaseReporter::Options reporter;
    reporter.client = &client_;
    reporter.datasets = &datasets_;
    reporter.data_watch = &data_watch_;
    reporter.programs = &programs_;
    reporter.logs = &logs_;
    if (trainer_command.ok()) reporter.trainer.command = *trainer_command;
    reporter.no_trainer = trainer_command.status();
    reporter.allow_programs = options.allow_programs;
    reporter.work_dir = folder_->path();
    reporter.device = options.device;
    const bool any_silence = options.silence_timeout == absl::ZeroDuration();
    loop_ = std::make_unique<TrainerLoop>(TrainerLoop::Options{
        .slots = slots_,
        .context = {.stop_grace = options.stop_grace,
                    .drain_grace = std::max(options.drain_grace, options.stop_grace),
                    .end_doubt = options.end_doubt,
                    .ready_timeout = options.ready_timeout,
                    .silence_timeout =
                        any_silence ? absl::InfiniteDuration() : options.silence_timeout,
                    .program_idle = options.program_idle,
                    .reporter = std::move(reporter),
                    .leases = &leases_,
                    .progress = &progress_,
                    .logs = &logs_,
                    .trainer_ready = [this](const std::string& d) { session_.AddDevice(d); }},
        .one_trial = options.one_trial,
        .end_on_other_data = options.end_on_other_data,
        .giving_up = [this] { session_.SetDraining(); },
        .finished = [this] { EndCalls(); }});
    session_.Start(SessionEvents(options.coordinator));
    spdlog::info("worker started name={} slots={} coordinator={} programs={}", name_, slots_,
                 options.coordinator, options.allow_programs ? "allowed" : "refused");
  }

  void Drain() override {
    session_.SetDraining();
    loop_->Drain();
  }

  void DrainAtOnce() override {
    session_.SetDraining();
    loop_->DrainAtOnce(at_once_patience_);
  }

  void Stop() override {
    if (loop_ == nullptr) return EndCalls();
    loop_->Stop(absl::OkStatus());
    loop_->Wait().IgnoreError();
  }

  absl::Status Wait() override { return loop_->Wait(); }
  const std::string& name() const override { return name_; }

 private:
  Session::Events SessionEvents(const std::string& coordinator) {
    return {.leases_changed = [this] { loop_->Wake(); },
            .drain_asked =
                [this, coordinator] {
                  spdlog::info("draining: coordinator {} asks for it", coordinator);
                  loop_->Drain();
                },
            .give_back =
                [this](const std::set<LeaseKey>& leases) {
                  loop_->GiveBack(leases, "the sweep is paused");
                },
            .stop = [this](const std::set<LeaseKey>& leases) { loop_->StopLeases(leases); },
            .drain_acknowledged = [this] { loop_->DrainAcknowledged(); },
            .refused =
                [this](const absl::Status& status) {
                  spdlog::error("session ended error={}", status.ToString());
                  loop_->Stop(status);
                }};
  }

  absl::Status FetchUpload(const std::string& sha256, const UploadCache::Take& take) {
    const absl::Status status = client_.GetBlob(sha256, take);
    if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
    return absl::FailedPreconditionError(absl::StrCat(
        "the coordinator has lost it; submit the sweep file again with --upload-data (",
        status.message(), ")"));
  }

  // Ends every network call, so that no thread waits for one.
  void EndCalls() {
    datasets_.Shutdown();
    session_.Stop();
    logs_.Shutdown();
    client_.Shutdown();
  }

  const std::string name_;
  const int slots_;
  const absl::Duration at_once_patience_;
  const std::string session_id_;
  const std::unique_ptr<OwnedFolder> folder_;
  CoordinatorClient client_;
  UploadCache uploads_;
  DatasetCache datasets_;
  ProgramCache programs_;
  LeaseTable leases_;
  ProgressReporter progress_;
  LogReporter logs_;
  // The session calls the loop and the loop the session, so both are stopped before destruction.
  std::unique_ptr<TrainerLoop> loop_;
  Session session_;
  // Stop has ended its users, the reporters, before it is destroyed.
  DataWatch data_watch_{[this](const std::string& sha256) { session_.DataChanged(sha256); }};
};

}  // namespace

// The random part distinguishes several workers on one machine.
std::string MakeWorkerName() {
  std::string name;
  for (char c : HostName().substr(0, 48)) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
    name.push_back(good ? c : '-');
  }
  if (!IsValidName(name)) name = "worker";
  return absl::StrCat(name, "-", RandomHex(3));
}

bool IsDevice(const std::string& device) {
  if (device == "auto" || device == "cpu") return true;
  int number = 0;
  return device.starts_with("cuda:") && absl::SimpleAtoi(device.substr(5), &number) && number >= 0;
}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const AgentOptions& given) {
  if (absl::Status status = Check(given); !status.ok()) return status;
  AgentOptions options = given;
  options.coordinator = *ParseAddress(given.coordinator);
  absl::StatusOr<std::vector<std::string>> trainer = FindTrainer(options.trainer_command);
  if (trainer.ok()) AddTrainerFlags(options.threads, options.backend, &*trainer);
  if (!trainer.ok() && !options.trainer_optional) return trainer.status();
  const absl::StatusOr<std::shared_ptr<grpc::Channel>> channel =
      MakeChannel(options.coordinator, options.security);
  if (!channel.ok()) return channel.status();
  absl::StatusOr<std::unique_ptr<OwnedFolder>> folder = MakeWorkFolder(options.work_dir);
  if (!folder.ok()) return folder.status();
  auto agent = std::make_unique<AgentImpl>(options, *std::move(folder), *channel);
  if (absl::Status status = agent->Connect(options); !status.ok()) return status;
  agent->Run(options, trainer);
  return agent;
}

}  // namespace sweep
