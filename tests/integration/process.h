#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/testing/is_alive.h"

namespace sweep::testing {

// Where a program of this build lies: beside the one that asks.
std::string ProgramPath(const std::string& name);

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

// A program of this project as a child process, with its output in a file. Killed by its id when
// the object goes, and by the kernel when the thread that made it ends, however that comes about.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;  // the first is a ProgramPath
    std::string folder;                // working directory, and place of the output file
    std::map<std::string, std::string> environment;  // on top of the test's own
    int terminal_columns = 0;          // above 0: in a terminal of this width and 24 lines
    std::optional<std::string> typed;  // on that terminal, by somebody who then types no more
  };
  explicit Process(const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit code, or 128 + the signal; -1 when it has not ended by then.
  int Wait(std::chrono::seconds timeout = std::chrono::seconds(60));
  // What it has written to standard output and standard error so far; in a terminal, as that got
  // it.
  std::string Output() const;
  // After Wait: until all that it wrote to its terminal is there.
  void WaitForOutput();

 private:
  pid_t pid_ = -1;
  int code_ = -1;
  std::string output_path_;
  std::jthread reader_;  // of its terminal; ends when the process has
};

struct Result {
  int code = -1;
  std::string output;
};
// Runs a program to its end.
Result Run(const Process::Options& options,
           std::chrono::seconds timeout = std::chrono::seconds(60));

// Asks `condition` again and again until it holds or the time is over.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::seconds timeout = std::chrono::seconds(60));

// The address that a coordinator process says it listens on, "127.0.0.1:43211". Throws
// std::runtime_error with its output when it has not said so in time.
std::string WaitForAddress(const Process& coordinator,
                           std::chrono::seconds timeout = std::chrono::seconds(60));

// Ids of the live children of a process.
std::vector<pid_t> ChildrenOf(pid_t pid);

}  // namespace sweep::testing
