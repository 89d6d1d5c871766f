#include "tests/integration/process.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace sweep::testing {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Copies a terminal's output into a file until the last writer has gone.
void Copy(int terminal, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  char buffer[4096];
  for (ssize_t got = 0; (got = read(terminal, buffer, sizeof buffer)) > 0;) {
    file.write(buffer, got).flush();
  }
  close(terminal);
}

// The test's own environment without the settings of the person who runs it, plus the options'
// variables.
std::vector<std::string> EnvironmentFor(const Process::Options& options) {
  static const std::set<std::string> kOwn = {
      "SWEEP_COORDINATOR", "SWEEP_DB",     "SWEEP_FORMAT",   "SWEEP_CONFIG",  "NO_COLOR",
      "CLICOLOR_FORCE",    "SWEEP_TLS_CA", "SWEEP_TLS_CERT", "SWEEP_TLS_KEY", "SWEEP_TOKEN_FILE"};
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('='));
    if (options.terminal_columns > 0 && name == "TERM") continue;
    if (name.starts_with("SWEEP_COORDINATOR_") || name.starts_with("SWEEP_WORKER_")) continue;
    if (kOwn.count(name) == 0 && options.environment.count(name) == 0) variables.push_back(text);
  }
  if (options.environment.count("SWEEP_CONFIG") == 0)
    variables.push_back("SWEEP_CONFIG=/nowhere/config.yaml");
  // A terminal that can move its cursor, whatever terminal runs the test.
  if (options.terminal_columns > 0 && options.environment.count("TERM") == 0)
    variables.push_back("TERM=xterm");
  for (const auto& [key, value] : options.environment) variables.push_back(key + "=" + value);
  return variables;
}

}  // namespace

std::string ProgramPath(const std::string& name) {
  return (fs::read_symlink("/proc/self/exe").parent_path() / name).string();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "sweep-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TemporaryFolder::Write(const std::string& name, const std::string& text) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Process::Process(const Options& options) {
  static std::atomic<int> counter = 0;
  output_path_ = options.folder + "/output-" + std::to_string(++counter);
  std::vector<std::string> words = options.command;
  words[0] = ProgramPath(words[0]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Everything that allocates happens before the fork, because the test has threads.
  std::vector<std::string> variables = EnvironmentFor(options);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  const pid_t parent = getpid();

  int terminal = -1;
  winsize size{.ws_row = 24, .ws_col = static_cast<unsigned short>(options.terminal_columns)};
  pid_ = size.ws_col > 0 ? forkpty(&terminal, nullptr, nullptr, &size) : fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // it died before prctl
    if (size.ws_col == 0) {
      setpgid(0, 0);  // Ctrl-C in the terminal must reach the test only
      const int output = open(output_path_.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
      const int input = open("/dev/null", O_RDONLY);
      dup2(input, 0);
      dup2(output, 1);
      dup2(output, 2);
    }
    if (chdir(options.folder.c_str()) == 0)
      execve(arguments[0], arguments.data(), environment.data());
    _exit(127);
  }
  if (terminal < 0) return;
  if (options.typed) {
    const std::string typed = *options.typed + "\x04";  // Ctrl-D
    // The process may have ended already without reading.
    [[maybe_unused]] const ssize_t size = write(terminal, typed.data(), typed.size());
  }
  reader_ = std::jthread([terminal, path = output_path_] { Copy(terminal, path); });
}

Process::~Process() {
  if (code_ >= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::Signal(int signal) const { kill(pid_, signal); }

int Process::Wait(std::chrono::seconds timeout) {
  Eventually(
      [this] {
        if (code_ >= 0) return true;
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
      },
      timeout);
  return code_;
}

void Process::WaitForOutput() {
  if (code_ >= 0 && reader_.joinable()) reader_.join();
}

std::string Process::Output() const { return ReadFile(output_path_); }

Result Run(const Process::Options& options, std::chrono::seconds timeout) {
  Process process(options);
  const int code = process.Wait(timeout);
  process.WaitForOutput();
  return {code, process.Output()};
}

// SWEEP_PATIENCE is the factor by which a sanitizer slows everything down.
bool Eventually(const std::function<bool()>& condition, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout * SWEEP_PATIENCE;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two tries
  }
  return true;
}

std::string WaitForAddress(const Process& coordinator, std::chrono::seconds timeout) {
  const std::string mark = "listening on ";
  std::string output;
  std::size_t begin = std::string::npos;
  const bool listening = Eventually(
      [&] {
        output = coordinator.Output();
        begin = output.find(mark);
        return begin != std::string::npos && output.find('\n', begin) != std::string::npos;
      },
      timeout);
  if (!listening) throw std::runtime_error("the coordinator did not start:\n" + output);
  begin += mark.size();
  return output.substr(begin, output.find('\n', begin) - begin);
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::istringstream list(ReadFile(task.path() / "children"));
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

}  // namespace sweep::testing
