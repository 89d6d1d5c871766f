#pragma once

#include <string>

#include "cli/session.h"

namespace sweep::cli {

// The options of `sweep replay NAME/N`. What is empty or 0 is as it was then.
struct ReplayTrialOptions {
  int epochs = 0;  // 0: as many as are stored
  std::string backend;
  std::string device;
  int threads = 0;
  std::string data_dir;
  std::string trainer;
  bool allow_program = false;
};

// Trains the trial again on this machine and compares its epochs with the stored ones. Returns the
// exit code: 0 when they are the same or within the tolerance.
int ReplayTrial(const std::string& name, const ReplayTrialOptions& options, const Session& session);

}  // namespace sweep::cli
