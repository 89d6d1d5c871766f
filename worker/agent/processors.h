#pragma once

#include <cstdint>
#include <string>

namespace sweep {

// The number of processors that this process may use, and the reason for it.
struct Processors {
  int online = 1;    // of the machine
  int affinity = 1;  // allowed to the process: taskset, a Slurm job, a cpuset
  // Limit set by a control group (containers, systemd), in processors; 0: none.
  double quota = 0;
  std::string quota_group = "";  // the group that sets it, as /proc/self/cgroup names it

  // The smallest of the three, rounded down, and at least 1.
  int usable() const;
  // "2 processors, affinity 2, quota 0.5 of cgroup /a"
  std::string Describe() const;
};

// Reads the limits of this process.
Processors CountProcessors();

// Fills in the quota: the smallest one of the process's control group and all groups above it,
// of version 1 (cpu.cfs_quota_us) and 2 (cpu.max). Reads proc/self/cgroup and proc/self/mountinfo
// below `root`, and the mounts that they name there. What is absent or malformed sets no limit.
void ReadCpuQuota(const std::string& root, Processors* processors);

// The memory that this process may use: of the machine, or the smallest limit of its control group
// and the groups above it if that is less. 0: not known.
std::int64_t MemoryBytes();
// The same from files below `root`, as above (memory.max, memory.limit_in_bytes).
std::int64_t LimitMemory(const std::string& root, std::int64_t machine_bytes);

}  // namespace sweep
