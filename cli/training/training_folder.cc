#include "cli/training/training_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/present/measure_text.h"
#include "cli/present/output_file.h"
#include "common/base/input_file.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kLog[] = "/log.json";
constexpr std::size_t kMaxLogBytes = std::size_t{256} << 20;

Json EpochJson(const EpochMetrics& epoch) {
  return {{"epoch", epoch.epoch}, {"values", ValuesJson(epoch.values)}};
}

EpochMetrics EpochFrom(const Json& row) {
  EpochMetrics metrics{.epoch = row.at("epoch").get<int>(), .values = {}};
  // Earlier versions stored values beside the epoch.
  for (const auto& [name, value] : (row.contains("values") ? row.at("values") : row).items()) {
    if (name == "epoch") continue;
    metrics.values.Set(name, value.is_null() ? std::nan("") : value.get<double>());
  }
  return metrics;
}

}  // namespace

TrainingFolder::~TrainingFolder() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

absl::Status TrainingFolder::Lock() {
  lock_fd_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open folder ", path_));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path_, " is in use by another sweep train"));
}

absl::StatusOr<std::unique_ptr<TrainingFolder>> TrainingFolder::Create(const std::string& path,
                                                                       const TrialSpec& spec) {
  std::unique_ptr<TrainingFolder> folder(new TrainingFolder);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make folder ", path));
  }
  folder->path_ = fs::absolute(path).lexically_normal().string();
  if (absl::Status locked = folder->Lock(); !locked.ok()) return locked;
  if (fs::exists(folder->path_ + kLog, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " holds a training already: go on with it by --resume ", path,
                     ", or choose another folder with -o"));
  }
  folder->spec_ = spec;
  folder->spec_.output_dir = folder->path_;
  return folder;
}

absl::StatusOr<std::unique_ptr<TrainingFolder>> TrainingFolder::Resume(const std::string& path) {
  std::unique_ptr<TrainingFolder> folder(new TrainingFolder);
  std::error_code error;
  folder->path_ = fs::absolute(path, error).lexically_normal().string();
  InputFile file(folder->path_ + kLog);
  if (!file.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--resume ", path, ": there is no training (log.json: ", file.error(), ")"));
  }
  if (absl::Status locked = folder->Lock(); !locked.ok()) return locked;
  std::string text;
  if (!file.Read(kMaxLogBytes, &text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--resume ", path, ": its log.json ", file.error()));
  }
  try {
    const Json log = Json::parse(text);
    folder->spec_ = TrialSpecFromJson(log.at("spec").dump());
    for (const Json& row : log.at("epochs")) folder->epochs_.push_back(EpochFrom(row));
    folder->finished_ = log.at("finished").get<bool>();
    folder->checkpoint_ = log.at("checkpoint").get<std::string>();
  } catch (const std::exception& problem) {
    return absl::InvalidArgumentError(
        absl::StrCat("--resume ", path, ": its log.json is damaged: ", problem.what()));
  }
  if (folder->finished_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--resume ", path, ": it is trained to its end (", folder->spec_.epochs, " epochs)"));
  }
  folder->spec_.output_dir = folder->path_;
  if (folder->HasCheckpoint()) {
    folder->spec_.resume_from = folder->CheckpointPath();
  } else {
    folder->epochs_.clear();  // starts over
  }
  return folder;
}

std::string TrainingFolder::CheckpointPath() const {
  return (fs::path(path_) / checkpoint_).string();  // an absolute path stays unchanged
}

bool TrainingFolder::HasCheckpoint() const {
  std::error_code ignored;
  return !checkpoint_.empty() && fs::exists(CheckpointPath(), ignored);
}

absl::Status TrainingFolder::SetCheckpoint(const std::string& path) {
  // A relative path allows moving the folder.
  const fs::path relative = fs::path(path).lexically_relative(path_);
  const bool inside = !relative.empty() && *relative.begin() != "..";
  const std::string checkpoint = inside ? relative.string() : path;
  if (checkpoint == checkpoint_) return absl::OkStatus();
  checkpoint_ = checkpoint;
  return Save();
}

absl::Status TrainingFolder::AddEpoch(const EpochMetrics& epoch) {
  std::erase_if(epochs_, [&](const EpochMetrics& row) { return row.epoch >= epoch.epoch; });
  epochs_.push_back(epoch);
  return Save();
}

absl::Status TrainingFolder::Finish(const std::map<std::string, std::string>& files) {
  std::error_code error;
  for (const auto& [role, file] : files) {
    const std::string wanted = absl::StrCat(path_, "/", role, ".safetensors");
    if (file != wanted) fs::rename(file, wanted, error);
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot rename ", file));
  }
  finished_ = true;
  if (absl::Status saved = Save(); !saved.ok()) return saved;
  if (HasCheckpoint()) fs::remove(CheckpointPath(), error);
  return absl::OkStatus();
}

std::string TrainingFolder::LogText() const {
  TrialSpec spec = spec_;
  // The paths of files do not affect the training.
  spec.data_dir.clear();
  spec.output_dir.clear();
  spec.resume_from.clear();
  Json epochs = Json::array();
  for (const EpochMetrics& epoch : epochs_) epochs.push_back(EpochJson(epoch));
  const Json log = {{"network", spec.network.name}, {"network_parameters", spec.network.parameters},
                    {"finished", finished_},        {"checkpoint", finished_ ? "" : checkpoint_},
                    {"epochs", std::move(epochs)},  {"spec", Json::parse(TrialSpecToJson(spec))}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status TrainingFolder::Save() const {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path_ + kLog);
  if (!file.ok()) return file.status();
  (*file)->stream() << LogText();
  return (*file)->Commit();
}

}  // namespace sweep::cli
