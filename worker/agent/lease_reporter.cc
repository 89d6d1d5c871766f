#include "worker/agent/lease_reporter.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/utf8.h"
#include "proto/epochs.h"
#include "proto/names.h"
#include "spdlog/spdlog.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/owned_folder.h"

namespace sweep {
namespace {

constexpr std::size_t kRowsPerReport = 16;  // the contract's limit
// The longest time that the end of a lease waits for its last log lines.
constexpr absl::Duration kLogPatience = absl::Seconds(2);

std::string_view OutcomeName(v1::LeaseOutcome outcome) {
  switch (outcome) {
    case v1::LEASE_OUTCOME_COMPLETED:
      return "completed";
    case v1::LEASE_OUTCOME_FAILED:
    case v1::LEASE_OUTCOME_FAILED_FOR_GOOD:
      return "failed";
    case v1::LEASE_OUTCOME_GIVEN_BACK:
      return "given_back";
    case v1::LEASE_OUTCOME_STOPPED:
      return "stopped";
    case v1::LEASE_OUTCOME_HELD:
      return "held";
    default:
      return "unknown";
  }
}

// Reduces a refused end to a bare failure that cannot be refused.
void ReduceToBareFailure(const absl::Status& refusal, v1::FinishLeaseRequest* request) {
  const std::string outcome(OutcomeName(request->outcome()));
  if (request->outcome() != v1::LEASE_OUTCOME_GIVEN_BACK) {
    request->set_outcome(v1::LEASE_OUTCOME_FAILED);
  }
  request->clear_artifacts();
  request->set_reason(absl::StrCat("the coordinator refused the end '", outcome,
                                   "': ", absl::StatusCodeToString(refusal.code()), " ",
                                   ToUtf8(std::string(refusal.message()))));
}

}  // namespace

LeaseReporter::LeaseReporter(const Options& options, int slot, Events events)
    : options_(options), slot_(slot), events_(std::move(events)) {
  thread_ = std::jthread([this] { Run(); });
}

LeaseReporter::~LeaseReporter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void LeaseReporter::Begin(v1::Lease lease) {
  {
    MutexLock lock(&mutex_);
    lease_ = std::move(lease);
    // Reset here rather than at the end of the lease before, whose owner may have abandoned it
    // after the thread was done with it.
    abandoned_ = refused_ = false;
    epochs_.clear();
    trainer_.clear();
    checkpoint_.reset();
    end_.reset();
    busy_ = true;
  }
  changed_.NotifyAll();
}

void LeaseReporter::AddEpoch(const EpochMetrics& metrics, const std::string& trainer) {
  {
    MutexLock lock(&mutex_);
    if (refused_) return;
    trainer_ = trainer;
    epochs_.push_back(metrics);
  }
  changed_.NotifyAll();
}

void LeaseReporter::AddCheckpoint(int epoch, const std::string& path) {
  // Open the file now: storing it may take as long as the coordinator is away. A later
  // checkpoint stored under this epoch's number would make a restart after a crash skip epochs that
  // were not yet acknowledged.
  absl::StatusOr<ArtifactFile> file = ArtifactFile::Open(output_dir_, path);
  if (!file.ok()) {
    if (options_.logs == nullptr) return;
    return options_.logs->Add(KeyOf(lease_.token()),
                              absl::StrCat("the worker takes no checkpoint of epoch ", epoch, ": ",
                                           std::string(file.status().message())));
  }
  std::optional<Checkpoint> checkpoint = Checkpoint{.epoch = epoch, .file = *std::move(file)};
  {
    MutexLock lock(&mutex_);
    if (!refused_) checkpoint_.swap(checkpoint);
  }
  changed_.NotifyAll();
}

void LeaseReporter::End(LeaseEnd end) {
  {
    MutexLock lock(&mutex_);
    // Rows are missing. The owner hears of it by `refused` and then says how the lease ends.
    const bool needs_rows =
        end.outcome == v1::LEASE_OUTCOME_COMPLETED || end.outcome == v1::LEASE_OUTCOME_HELD;
    if (refused_ && needs_rows) return;
    end_ = std::move(end);
  }
  changed_.NotifyAll();
}

void LeaseReporter::Abandon() {
  {
    MutexLock lock(&mutex_);
    abandoned_ = true;
  }
  changed_.NotifyAll();
}

void LeaseReporter::Run() {
  pthread_setname_np(pthread_self(), "report");
  while (WaitForLease()) {
    Prepare();
    Serve();
    Clear();
    events_.released();
  }
}

bool LeaseReporter::WaitForLease() {
  MutexLock lock(&mutex_);
  while (!busy_ && !stopping_) changed_.Wait(&mutex_);
  return !stopping_;
}

void LeaseReporter::Prepare() {
  data_sha256_.clear();
  data_refused_ = false;
  trainer_told_ = false;
  absl::StatusOr<PreparedTrial> trial = absl::UnknownError("");
  try {
    trial = PrepareTrial();
  } catch (const std::exception& error) {  // ProtocolError or the standard library's
    trial = absl::InvalidArgumentError(absl::StrCat("the trial's spec: ", error.what()));
  }
  if (!data_refused_) events_.prepared(std::move(trial));
}

absl::StatusOr<PreparedTrial> LeaseReporter::PrepareTrial() {
  const absl::StatusOr<TrialId> id = ParseTrialResource(lease_.token().trial());
  if (!id.ok()) return id.status();
  const bool has_program = lease_.program_size() > 0;
  TrialSpec spec = TrialSpecFromJson(
      lease_.spec_json(), has_program ? NetworkField::kOptional : NetworkField::kRequired);
  absl::StatusOr<TrainerProgram> program = PrepareProgram(id->sweep);
  if (!program.ok()) return program.status();

  absl::StatusOr<DataSource> data;
  const absl::Status found = Persist("find data", [&] {
    data = options_.datasets->Get(spec.dataset, [this] { return HasEnd(); });
    // Ends a download that a drain has made useless, whose error could be tried again.
    if (!data.ok() && HasEnd()) return absl::FailedPreconditionError("the lease has an end");
    return data.status();
  });
  if (!found.ok()) return found;
  data_hold_ = std::exchange(data->hold, nullptr);
  const absl::StatusOr<bool> accepted = OfferData(spec.dataset, *data);
  if (!accepted.ok()) return accepted.status();
  if (!*accepted) return absl::CancelledError("the data is refused");
  dataset_ = spec.dataset;
  data_sha256_ = data->sha256;

  output_dir_ = absl::StrCat(options_.work_dir, "/", id->sweep, "-", id->number, "-",
                             lease_.token().attempt());
  std::error_code error;
  RemoveTree(output_dir_);
  std::filesystem::create_directories(output_dir_, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat(output_dir_, ": cannot be made: ", error.message()));
  }
  const absl::StatusOr<std::string> checkpoint = FetchCheckpoint();
  if (!checkpoint.ok()) return checkpoint.status();

  if (spec.start_epoch > 0 && checkpoint->empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trial goes on after epoch ", spec.start_epoch,
                     " of another one, whose checkpoint is not there"));
  }

  spec.data_dir = data->folder;
  spec.data_sha256 = data->sha256;
  spec.output_dir = output_dir_;
  spec.resume_from = *checkpoint;
  spec.device = options_.device;
  return PreparedTrial{.trial = spec.trial,
                       .line = TrialSpecToJson(spec),
                       .epochs = spec.epochs,
                       .target_epoch = spec.last_epoch() < spec.epochs ? spec.last_epoch() : 0,
                       .resumed_epoch = checkpoint->empty() ? 0 : lease_.checkpoint_epoch(),
                       .program = *std::move(program)};
}

absl::StatusOr<TrainerProgram> LeaseReporter::PrepareProgram(const std::string& sweep) {
  if (lease_.program().empty() && !options_.no_trainer.ok()) return options_.no_trainer;
  if (lease_.program().empty()) return options_.trainer;
  if (!options_.allow_programs) {
    return absl::FailedPreconditionError(
        "the sweep brings its own program, and this worker runs none: it was started without "
        "--allow-program");
  }
  TrainerProgram program{.of_sweep = true};
  if (!lease_.program_digest().empty()) {
    absl::StatusOr<std::string> folder = options_.programs->Folder(
        slot_, lease_.program_digest(), [&] { return FetchProgram(sweep); });
    if (!folder.ok()) return folder.status();
    program.folder = *std::move(folder);
  }
  absl::StatusOr<std::vector<std::string>> command =
      FindProgram({lease_.program().begin(), lease_.program().end()}, program.folder);
  if (!command.ok()) return command.status();
  program.command = *std::move(command);
  return program;
}

absl::StatusOr<ProgramFiles> LeaseReporter::FetchProgram(const std::string& sweep) {
  absl::StatusOr<v1::Sweep> answer;
  const absl::Status status = Persist("fetch program", [&] {
    answer = options_.client->GetSweep(SweepResource(sweep));
    return answer.status();
  });
  if (!status.ok()) return status;
  const auto& files = answer->source().program_files();
  return ProgramFiles(files.begin(), files.end());
}

absl::StatusOr<bool> LeaseReporter::OfferData(const DatasetSpec& dataset, const DataSource& data) {
  if (data.sha256.empty() || data.sha256 == lease_.data_sha256()) return true;
  v1::ReportDataRequest request;
  *request.mutable_token() = lease_.token();
  request.set_data_sha256(data.sha256);
  request.set_path(ToUtf8(data.folder));
  absl::StatusOr<std::string> refusal;
  const absl::Status status = Persist("report data", [&] {
    refusal = options_.client->ReportData(request);
    return refusal.status();
  });
  if (absl::IsUnimplemented(status)) return true;
  if (!status.ok()) return status;
  if (refusal->empty()) return true;
  spdlog::error("data refused trial={} attempt={} reason={:?}", lease_.token().trial(),
                lease_.token().attempt(), *refusal);
  data_refused_ = true;
  if (options_.data_watch != nullptr) options_.data_watch->Add(dataset, data);
  events_.data_refused(*refusal);
  return false;
}

bool LeaseReporter::EndedForOtherData(const LeaseEnd& end) {
  if (end.outcome != v1::LEASE_OUTCOME_FAILED || data_sha256_.empty()) return false;
  const absl::StatusOr<DataSource> now = options_.datasets->Get(dataset_);
  if (!now.ok() || now->sha256 == data_sha256_) return false;
  const absl::StatusOr<bool> accepted = OfferData(dataset_, *now);
  return accepted.ok() && !*accepted;
}

absl::StatusOr<std::string> LeaseReporter::FetchCheckpoint() {
  if (lease_.checkpoint_sha256().empty()) return std::string();
  const std::string path = absl::StrCat(output_dir_, "/resume");
  const absl::Status status = Persist("fetch checkpoint", [&] {
    return options_.client->GetBlob(lease_.checkpoint_sha256(), path);
  });
  if (status.ok()) return path;
  if (absl::IsCancelled(status)) return status;
  // A trial without its checkpoint is slower, not wrong: it repeats its epochs. One that begins
  // with another's checkpoint cannot.
  spdlog::warn("checkpoint unusable trial={} error={}", lease_.token().trial(), status.ToString());
  return std::string();
}

void LeaseReporter::Serve() {
  while (true) {
    const Work work = WaitForWork();
    if (work.over) return;
    if (work.end) return Finish(*work.end);
    Report(work);
  }
}

LeaseReporter::Work LeaseReporter::WaitForWork() {
  MutexLock lock(&mutex_);
  while (!abandoned_ && !stopping_ && epochs_.empty() && !checkpoint_ && !end_) {
    changed_.Wait(&mutex_);
  }
  Work work;
  if (abandoned_ || stopping_) {
    work.over = true;
  } else if (!epochs_.empty() || checkpoint_) {
    const std::size_t rows = std::min(epochs_.size(), kRowsPerReport);
    work.epochs.assign(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(rows));
    work.trainer = trainer_;
    // A checkpoint follows its epochs, so it is sent only when no row is left.
    if (rows == epochs_.size()) work.checkpoint = std::exchange(checkpoint_, std::nullopt);
  } else {
    work.end = end_;
  }
  return work;
}

void LeaseReporter::Report(const Work& work) {
  v1::ReportEpochsRequest request;
  *request.mutable_token() = lease_.token();
  for (const EpochMetrics& metrics : work.epochs) {
    v1::Epoch* const row = request.add_epochs();
    *row = ToProto(metrics);
    row->set_attempt(lease_.token().attempt());
  }
  if (work.checkpoint) {
    absl::StatusOr<StoredBlob> blob;
    const absl::Status stored = Persist("store checkpoint", [&] {
      blob = options_.client->PutBlob(work.checkpoint->file);
      return blob.status();
    });
    if (stored.ok()) {
      request.set_checkpoint_sha256(blob->sha256);
      request.set_checkpoint_epoch(work.checkpoint->epoch);
    } else if (!absl::IsCancelled(stored)) {
      spdlog::warn("checkpoint not stored trial={} epoch={} error={}", lease_.token().trial(),
                   work.checkpoint->epoch, stored.ToString());
    }
  }
  if (request.epochs().empty() && request.checkpoint_sha256().empty()) return;
  if (!request.epochs().empty() && !trainer_told_) request.set_trainer(work.trainer);
  const absl::Status status =
      Persist("report epochs", [&] { return options_.client->ReportEpochs(request); });
  if (absl::IsCancelled(status)) return;
  if (!status.ok()) return Refuse(status);
  if (!request.epochs().empty()) trainer_told_ = true;
  Forget(work.epochs.size());
}

void LeaseReporter::Forget(std::size_t rows) {
  MutexLock lock(&mutex_);
  epochs_.erase(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(rows));
}

void LeaseReporter::Refuse(const absl::Status& status) {
  spdlog::warn("reports refused trial={} attempt={} error={}", lease_.token().trial(),
               lease_.token().attempt(), status.ToString());
  {
    MutexLock lock(&mutex_);
    refused_ = true;
    epochs_.clear();
    checkpoint_.reset();
    // The refusal says more than an end that was ordered before it was known.
    end_.reset();
  }
  events_.refused(status);
}

void LeaseReporter::Finish(const LeaseEnd& end) {
  if (EndedForOtherData(end)) return;
  v1::FinishLeaseRequest request;
  *request.mutable_token() = lease_.token();
  request.set_outcome(end.outcome);
  // The reason may quote a program's output, which need not be UTF-8; the contract takes only text.
  request.set_reason(ToUtf8(end.reason));
  for (const auto& [role, path] : end.files) {
    absl::StatusOr<StoredBlob> blob;
    const absl::StatusOr<ArtifactFile> file = ArtifactFile::Open(output_dir_, path);
    const absl::Status stored = !file.ok() ? file.status() : Persist("store artifact", [&] {
      blob = options_.client->PutBlob(*file);
      return blob.status();
    });
    if (absl::IsCancelled(stored)) return;
    if (!stored.ok()) {
      spdlog::warn("artifact not stored trial={} role={} error={}", lease_.token().trial(), role,
                   stored.ToString());
      request.set_reason(absl::StrCat(request.reason(), request.reason().empty() ? "" : "\n", role,
                                      " not stored: ", stored.message()));
      continue;
    }
    v1::Artifact* artifact = request.add_artifacts();
    artifact->set_role(role);
    artifact->set_sha256(blob->sha256);
    artifact->set_size_bytes(blob->size_bytes);
  }
  const auto finish = [&] {
    // Before FinishLease, because the lease's token ends with the lease.
    if (options_.logs != nullptr) options_.logs->Flush(KeyOf(lease_.token()), kLogPatience);
    return options_.client->FinishLease(request);
  };
  absl::Status status = Persist("finish lease", finish);
  if (!status.ok() && !absl::IsCancelled(status) && !IsStaleLease(status)) {
    // The coordinator refuses the content (gRPC answers UNIMPLEMENTED for a message that it cannot
    // decode). Without an end the lease would last until its term is over, so send one that cannot
    // be refused.
    ReduceToBareFailure(status, &request);
    status = Persist("finish lease", finish);
  }
  if (absl::IsCancelled(status)) return;
  spdlog::info("lease ended trial={} attempt={} outcome={} answer={}", lease_.token().trial(),
               lease_.token().attempt(), OutcomeName(end.outcome),
               status.ok() ? "accepted" : status.ToString());
}

absl::Status LeaseReporter::Persist(const char* what, const std::function<absl::Status()>& call) {
  Backoff backoff;
  for (bool first = true;; first = false) {
    const absl::Status status = call();
    if (!IsRetryable(status)) return status;
    if (!Pause(backoff.Next())) return absl::CancelledError("the lease is over");
    spdlog::log(first ? spdlog::level::warn : spdlog::level::debug,
                "{} failed, trying again trial={} error={}", what, lease_.token().trial(),
                status.ToString());
  }
}

bool LeaseReporter::HasEnd() {
  MutexLock lock(&mutex_);
  return abandoned_ || stopping_ || end_.has_value();
}

bool LeaseReporter::Pause(absl::Duration duration) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(duration);
  MutexLock lock(&mutex_);
  while (!abandoned_ && !stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return true;
    changed_.WaitFor(&mutex_, left);
  }
  return false;
}

void LeaseReporter::Clear() {
  if (!output_dir_.empty()) {
    RemoveTree(output_dir_);
    output_dir_.clear();
  }
  data_hold_.reset();
  if (options_.programs != nullptr) options_.programs->CollectGarbage();
  MutexLock lock(&mutex_);
  busy_ = false;
}

}  // namespace sweep
