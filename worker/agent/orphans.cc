#include "worker/agent/orphans.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "common/base/mutex.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

struct Registry {
  Mutex mutex;
  std::set<pid_t> supervisors ABSL_GUARDED_BY(mutex);
  bool suspect ABSL_GUARDED_BY(mutex) = false;  // there may be orphans
};

// Never destroyed: processes are minded until the last thread has ended.
Registry& Processes() {
  static Registry* const registry = new Registry;
  return *registry;
}

// From the lists that the kernel keeps per thread. False where it keeps none.
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

// The parent in a line of /proc/PID/stat; its second field may hold anything but ends in ')'.
pid_t ParentOf(const std::string& stat) {
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos || stat.size() < end + 5) return -1;
  return static_cast<pid_t>(std::strtol(stat.c_str() + end + 4, nullptr, 10));
}

std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  if (ReadChildrenLists(&children)) return children;
  const pid_t self = getpid();
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) {
      continue;
    }
    std::string line;
    std::getline(std::ifstream(entry->path() / "stat"), line);
    if (ParentOf(line) == self) children.push_back(std::stoi(name));
  }
  return children;
}

}  // namespace

pid_t ForkSupervisor(const std::function<pid_t()>& fork) {
  Registry& registry = Processes();
  // Held until the child is known, so that nobody takes it for an orphan.
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
  // It ends in the way of its program, so most of these leave nothing.
  if (WIFSIGNALED(status)) registry.suspect = true;
}

bool KillOrphans() {
  Registry& registry = Processes();
  MutexLock lock(&registry.mutex);
  if (!registry.suspect) return false;
  const pid_t own_group = getpgrp();
  registry.suspect = false;
  for (const pid_t pid : Children()) {
    if (registry.supervisors.contains(pid) || getpgid(pid) == own_group) continue;
    if (kill(pid, SIGKILL) == 0 && waitpid(pid, nullptr, WNOHANG) == 0) {
      spdlog::warn("killed what a killed supervisor had left pid={}", pid);
    }
    registry.suspect = true;
  }
  return registry.suspect;
}

}  // namespace sweep
