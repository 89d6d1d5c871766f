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

// The path of a program of this build, which lies beside the calling one.
std::string ProgramPath(const std::string& name);

// A new folder, removed by the destructor.
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

// A program of this project as a child process, with its output in a file. The destructor kills it
// by its id; the kernel kills it when the thread that made it ends for any reason.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;                // the first word is a ProgramPath
    std::string folder;                              // working directory, also of the output file
    std::map<std::string, std::string> environment;  // on top of the test's own
    int terminal_columns = 0;          // above 0: in a terminal of this width and 24 lines
    std::optional<std::string> typed;  // input on that terminal; then its end
  };
  explicit Process(const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit code, or 128 + the signal; -1 when it has not ended in time.
  int Wait(std::chrono::seconds timeout = std::chrono::seconds(60));
  // Its standard output and standard error so far; in a terminal, as that received it.
  std::string Output() const;
  // Call after Wait: waits until all output to its terminal is in the file.
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

// Tries `condition` again and again until it holds or the time is over.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::seconds timeout = std::chrono::seconds(60));

// The address on which a coordinator process says it listens, "127.0.0.1:43211". Throws
// std::runtime_error with its output when it does not say so in time.
std::string WaitForAddress(const Process& coordinator,
                           std::chrono::seconds timeout = std::chrono::seconds(60));

// The ids of the live children of a process.
std::vector<pid_t> ChildrenOf(pid_t pid);

}  // namespace sweep::testing
