#pragma once

#include <string>

namespace sweep {

// How many processors this process may use, and why.
struct Processors {
  int online = 1;    // of the machine
  int affinity = 1;  // that the process may run on: taskset, a Slurm job, a cpuset
  // Of a control group, in processors, as containers and systemd set it; 0: none.
  double quota = 0;
  std::string quota_group = "";  // the group that sets it, as /proc/self/cgroup names it

  // The smallest of them, rounded down, and at least 1.
  int usable() const;
  // "2 processors, affinity 2, quota 0.5 of cgroup /a"
  std::string Describe() const;
};

// Of this process.
Processors CountProcessors();

// Fills in the quota: the smallest one of the process's control group and all groups above it,
// of version 1 (cpu.cfs_quota_us) and 2 (cpu.max). Reads proc/self/cgroup and proc/self/mountinfo
// below `root`, and the mounts that they name there. What is absent or malformed sets no limit.
void ReadCpuQuota(const std::string& root, Processors* processors);

}  // namespace sweep
