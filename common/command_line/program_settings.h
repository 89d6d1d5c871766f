#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/base/diagnostic.h"
#include "common/command_line/setting.h"

namespace sweep {

// Where a program's settings come from, in order of precedence: its command line, the environment,
// one YAML file, the options' defaults. The file is the one that --config or the program's variable
// (SWEEP_COORDINATOR_CONFIG) names, and none without these: the programs are also run by hand, in
// any folder, and a file of the system's would make such a run use the service's database.
class ProgramSettings {
 public:
  // Adds --config and --print-config to the options of `app`, which must have all others and
  // outlive it. The destructor removes these two, which set members of it.
  explicit ProgramSettings(CLI::App* app);
  ~ProgramSettings();
  ProgramSettings(const ProgramSettings&) = delete;
  ProgramSettings& operator=(const ProgramSettings&) = delete;

  // Parses the words of the command line together with what environment and file set. Returns what
  // is wrong with these two; without a fault the options have their values. Throws CLI::ParseError
  // for wrong words, --help and --version, and before it looks at anything else.
  Diagnostics Parse(const std::vector<std::string>& words);

  const std::vector<Setting>& settings() const { return settings_; }
  // After Parse: whether the settings are to be printed instead of used, and the file's path with
  // what named it, "worker.yaml (--config)"; "none" without one.
  bool is_to_print() const { return print_; }
  std::string FileAndOrigin() const;

 private:
  // Notes the settings on the command line, and the file that it or the environment names.
  void TakeFlags();
  void FindFile();
  void ParseAll(const std::vector<std::string>& words);

  CLI::App* const app_;
  std::vector<Setting> settings_;
  CLI::Option* config_;
  CLI::Option* print_config_;
  std::string path_;
  std::string path_origin_;  // "" without a file
  bool print_ = false;
};

}  // namespace sweep
