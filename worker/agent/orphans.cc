#include "worker/agent/orphans.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

struct Registry {
  Mutex mutex;
  std::set<pid_t> supervisors ABSL_GUARDED_BY(mutex);
  bool suspect ABSL_GUARDED_BY(mutex) = false;  // there may be orphans
  // Orphans that were killed and have not ended yet, which takes long on a busy machine.
  std::set<pid_t> killed ABSL_GUARDED_BY(mutex);
};

// Never destroyed: used until the last thread has ended.
Registry& Processes() {
  static Registry* const registry = new Registry;
  return *registry;
}

// Reads the lists of children that the kernel keeps per thread. False where it keeps none.
bool ReadChildrenLists(std::vector<pid_t>* children) {
  bool any = false;
  std::error_code error;
  for (fs::directory_iterator task("/proc/self/task", error), end; !error && task != end;
       task.increment(error)) {
    std::ifstream file(task->path() / "children");
    any = any || file.is_open();
    for (pid_t pid = 0; file >> pid;) children->push_back(pid);
  }
  return any;
}

// The parent's id in a line of /proc/PID/stat, whose second field may hold anything but ends in
// ')'.
pid_t ParentOf(const std::string& stat) {
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos || stat.size() < end + 5) return -1;
  return static_cast<pid_t>(std::strtol(stat.c_str() + end + 4, nullptr, 10));
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) {
      pids.push_back(std::stoi(name));
    }
  }
  return pids;
}

std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  if (ReadChildrenLists(&children)) return children;
  const pid_t self = getpid();
  for (const pid_t pid : AllProcesses()) {
    std::string line;
    std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/stat")), line);
    if (ParentOf(line) == self) children.push_back(pid);
  }
  return children;
}

bool IsMarked(pid_t pid, const std::string& folder) {
  const std::string place = absl::StrCat("/proc/", pid);
  struct stat info;
  if (stat(place.c_str(), &info) != 0 || info.st_uid != geteuid()) return false;
  std::ifstream file(place + "/environ", std::ios::binary);
  const std::string variables = '\0' + std::string(std::istreambuf_iterator<char>(file), {}) + '\0';
  const std::string mark = '\0' + absl::StrCat(kFolderMark, "=", folder) + '\0';
  return variables.find(mark) != std::string::npos;
}

// True if a marked process was found.
bool KillMarkedOnce(const std::string& folder) {
  bool any = false;
  for (const pid_t pid : AllProcesses()) {
    if (pid == getpid()) continue;
    // Opened before the process is examined, so that no other process with its number gets the
    // signal.
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) continue;
    if (IsMarked(pid, folder)) {
      any = true;
      if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0) == 0) {
        spdlog::warn("killed a process of a dead worker pid={} folder={}", pid, folder);
      }
    }
    close(fd);
  }
  return any;
}

// Time between two rounds, in which killed processes end and processes that they started show up.
constexpr int kRoundMs = 20;
constexpr int kMostRounds = 100;

}  // namespace

const char kFolderMark[] = "SWEEP_WORKER_FOLDER";

void KillMarked(const std::string& folder) {
  for (int i = 0; i < kMostRounds && KillMarkedOnce(folder); ++i) poll(nullptr, 0, kRoundMs);
}

pid_t ForkSupervisor(const std::function<pid_t()>& fork) {
  Registry& registry = Processes();
  // Held until the child is registered, so that nobody takes it for an orphan.
  MutexLock lock(&registry.mutex);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t pid = fork();
  if (pid > 0) registry.supervisors.insert(pid);
  return pid;
}

void ForgetSupervisor(pid_t pid, int status) {
  Registry& registry = Processes();
  MutexLock lock(&registry.mutex);
  registry.supervisors.erase(pid);
  // A supervisor ends in the same way as its program, so most of these ends leave no orphans.
  if (WIFSIGNALED(status)) registry.suspect = true;
}

bool KillOrphans() {
  Registry& registry = Processes();
  MutexLock lock(&registry.mutex);
  if (!registry.suspect) return false;
  const pid_t own_group = getpgrp();
  registry.suspect = false;
  std::set<pid_t> dying;
  for (const pid_t pid : Children()) {
    if (registry.supervisors.contains(pid) || getpgid(pid) == own_group) continue;
    if (kill(pid, SIGKILL) == 0 && waitpid(pid, nullptr, WNOHANG) == 0) {
      dying.insert(pid);
      if (!registry.killed.contains(pid)) {
        spdlog::warn("killed a process of a dead supervisor pid={}", pid);
      }
    }
    registry.suspect = true;
  }
  registry.killed = std::move(dying);
  return registry.suspect;
}

}  // namespace sweep
