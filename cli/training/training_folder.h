#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"
#include "common/trial/measures.h"

namespace sweep::cli {

// The folder of one `sweep train`: log.json, a checkpoint until the training is complete, and the
// results. One process at a time. log.json is replaced atomically after every epoch, so that a
// killed training can resume. Used by one thread.
class TrainingFolder {
 public:
  // Creates a folder; the first epoch creates log.json. InvalidArgument when the folder has a
  // training already, else why it cannot be created.
  static absl::StatusOr<std::unique_ptr<TrainingFolder>> Create(const std::string& path,
                                                                const TrialSpec& spec);
  // Opens a folder to resume. InvalidArgument when there is no training, or it is complete.
  static absl::StatusOr<std::unique_ptr<TrainingFolder>> Resume(const std::string& path);
  ~TrainingFolder();
  TrainingFolder(const TrainingFolder&) = delete;
  TrainingFolder& operator=(const TrainingFolder&) = delete;

  const std::string& path() const { return path_; }
  // The training; has `resume_from` when there is a checkpoint.
  TrialSpec& spec() { return spec_; }
  const std::vector<EpochMetrics>& epochs() const { return epochs_; }

  // Adds an epoch; replaces earlier measurements of it and of later epochs.
  absl::Status AddEpoch(const EpochMetrics& epoch);
  // Records a checkpoint that the trainer has written.
  absl::Status SetCheckpoint(const std::string& path);
  // Ends the training: renames the files to their roles and removes the checkpoint.
  absl::Status Finish(const std::map<std::string, std::string>& files);
  bool HasCheckpoint() const;
  // The complete text of log.json.
  std::string LogText() const;

 private:
  TrainingFolder() = default;
  absl::Status Lock();
  absl::Status Save() const;
  std::string CheckpointPath() const;
  std::string path_;
  int lock_fd_ = -1;
  TrialSpec spec_;
  std::vector<EpochMetrics> epochs_;
  std::string checkpoint_;  // "": none yet
  bool finished_ = false;
};

}  // namespace sweep::cli
