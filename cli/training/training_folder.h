#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"
#include "common/trial/measures.h"

namespace sweep::cli {

// The folder of one `sweep train`: log.json, a checkpoint while the training is not at its end, and
// what it leaves. One process at a time. log.json is replaced whole after every epoch,
// so that a killed training can go on. Used by one thread.
class TrainingFolder {
 public:
  // A new one; log.json comes with its first epoch. InvalidArgument when a training lies there
  // already, else why it cannot be made.
  static absl::StatusOr<std::unique_ptr<TrainingFolder>> Create(const std::string& path,
                                                                const TrialSpec& spec);
  // One to go on with. InvalidArgument when there is none, or it is trained to its end.
  static absl::StatusOr<std::unique_ptr<TrainingFolder>> Resume(const std::string& path);
  ~TrainingFolder();
  TrainingFolder(const TrainingFolder&) = delete;
  TrainingFolder& operator=(const TrainingFolder&) = delete;

  const std::string& path() const { return path_; }
  // What to train; with `resume_from` when there is a checkpoint.
  TrialSpec& spec() { return spec_; }
  const std::vector<EpochMetrics>& epochs() const { return epochs_; }

  // An epoch was measured; it takes the place of what was measured for it and later ones before.
  absl::Status AddEpoch(const EpochMetrics& epoch);
  // The trainer has written a checkpoint.
  absl::Status SetCheckpoint(const std::string& path);
  // The training is over: the files get the names of their roles, the checkpoint goes.
  absl::Status Finish(const std::map<std::string, std::string>& files);
  bool HasCheckpoint() const;
  // The whole of log.json.
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
