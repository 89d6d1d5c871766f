#include "worker/agent/processors.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

enum class Version { k1, k2 };

// A mount point of a hierarchy of control groups.
struct Mount {
  Version version;
  std::string group;  // the one at the mount point
  std::string point;
};

std::vector<std::string> Lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

// A line of mountinfo: ids, device, root, mount point, options, optional fields, "-", type, source,
// options of the file system (proc(5)). nullopt for other file systems, and hierarchies without the
// controller.
std::optional<Mount> ParseMount(const std::string& controller, const std::string& line) {
  const std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
  if (halves.size() != 2) return std::nullopt;
  const std::vector<std::string> left = absl::StrSplit(halves[0], ' ');
  const std::vector<std::string> right = absl::StrSplit(halves[1], ' ');
  if (left.size() < 6 || right.size() < 3) return std::nullopt;
  if (right[0] == "cgroup2") return Mount{Version::k2, left[3], left[4]};
  const std::vector<std::string> options = absl::StrSplit(right[2], ',');
  const bool limits = std::find(options.begin(), options.end(), controller) != options.end();
  if (right[0] != "cgroup" || !limits) return std::nullopt;
  return Mount{Version::k1, left[3], left[4]};
}

// The process's group in that hierarchy, from lines "id:controllers:path".
std::optional<std::string> GroupOf(Version version, const std::string& controller,
                                   const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
    const bool found = version == Version::k2 ? fields[0] == "0" && fields[1].empty()
                                              : std::find(controllers.begin(), controllers.end(),
                                                          controller) != controllers.end();
    if (found) return fields[2];
  }
  return std::nullopt;
}

// `group` relative to the mount point; "" for the mount point itself. A process that was moved out
// of the mounted part ("/../x") gets the limit of the mount point.
std::string WithinMount(const std::string& group, const std::string& mounted) {
  const std::string prefix = mounted == "/" ? "" : mounted;
  if (absl::StrContains(group, "/..")) return "";
  if (prefix.empty()) return group == "/" ? "" : group;
  if (group == prefix || !absl::StartsWith(group, absl::StrCat(prefix, "/"))) return "";
  return group.substr(prefix.size());
}

// quota / period if both are numbers above 0.
std::optional<double> Ratio(const std::string& quota, const std::string& period) {
  std::int64_t a = 0, b = 0;
  if (!absl::SimpleAtoi(quota, &a) || !absl::SimpleAtoi(period, &b) || a <= 0 || b <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(a) / static_cast<double>(b);
}

std::string FirstLine(const fs::path& path) {
  const std::vector<std::string> lines = Lines(path);
  return lines.empty() ? "" : lines.front();
}

std::optional<double> QuotaOf(Version version, const fs::path& folder) {
  if (version == Version::k1) {
    return Ratio(FirstLine(folder / "cpu.cfs_quota_us"), FirstLine(folder / "cpu.cfs_period_us"));
  }
  const std::vector<std::string> words =
      absl::StrSplit(FirstLine(folder / "cpu.max"), ' ', absl::SkipWhitespace());
  return words.size() == 2 ? Ratio(words[0], words[1]) : std::nullopt;
}

// "max" of version 2, which is no number, sets no limit.
std::optional<std::int64_t> MemoryOf(Version version, const fs::path& folder) {
  std::int64_t bytes = 0;
  const char* const name = version == Version::k1 ? "memory.limit_in_bytes" : "memory.max";
  if (!absl::SimpleAtoi(FirstLine(folder / name), &bytes) || bytes <= 0) return std::nullopt;
  return bytes;
}

void Limit(double quota, const std::string& group, Processors* processors) {
  if (processors->quota > 0 && processors->quota <= quota) return;
  processors->quota = quota;
  processors->quota_group = group;
}

// Called with the folder of a group and its name.
using Visit = std::function<void(Version, const fs::path& folder, const std::string& group)>;

// Visits the group and all visible groups above it.
void VisitHierarchy(const std::string& root, const Mount& mount, const std::string& group,
                    const Visit& visit) {
  const fs::path point = root + mount.point;
  for (std::string part = WithinMount(group, mount.group);;) {
    const std::string name = absl::StrCat(mount.group == "/" ? "" : mount.group, part);
    visit(mount.version, point.string() + part, name.empty() ? "/" : name);
    if (part.empty()) return;
    part.resize(part.rfind('/') == std::string::npos ? 0 : part.rfind('/'));
  }
}

// Visits the groups of this process, and those above, in which the controller may set a limit.
void VisitGroups(const std::string& root, const std::string& controller, const Visit& visit) {
  const std::string place = root == "/" ? "" : root;
  const std::vector<std::string> groups = Lines(place + "/proc/self/cgroup");
  for (const std::string& line : Lines(place + "/proc/self/mountinfo")) {
    const std::optional<Mount> mount = ParseMount(controller, line);
    if (!mount) continue;
    const std::optional<std::string> group = GroupOf(mount->version, controller, groups);
    if (group) VisitHierarchy(place, *mount, *group, visit);
  }
}

int AffinityCount(int online) {
  // The mask is larger than cpu_set_t on machines with more than 1,024 processors.
  for (int size = 1024; size <= (1 << 16); size *= 2) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(size));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    CPU_ZERO_S(bytes, set);
    const bool read = sched_getaffinity(0, bytes, set) == 0;
    const int count = read ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (read) return std::max(1, count);
  }
  return online;
}

}  // namespace

int Processors::usable() const {
  int count = std::min(online, affinity);
  // The tolerance makes 3 of 3 processors, written as a fraction, count as 3.
  if (quota > 0 && quota < count) count = static_cast<int>(std::floor(quota + 1e-6));
  return std::max(1, count);
}

std::string Processors::Describe() const {
  std::string text =
      absl::StrCat(online, online == 1 ? " processor" : " processors", ", affinity ", affinity);
  if (quota > 0) absl::StrAppend(&text, ", quota ", quota, " of cgroup ", quota_group);
  return text;
}

void ReadCpuQuota(const std::string& root, Processors* processors) {
  VisitGroups(root, "cpu", [&](Version version, const fs::path& folder, const std::string& group) {
    const std::optional<double> quota = QuotaOf(version, folder);
    if (quota) Limit(*quota, group, processors);
  });
}

std::int64_t LimitMemory(const std::string& root, std::int64_t machine_bytes) {
  std::int64_t least = machine_bytes;
  VisitGroups(root, "memory", [&](Version version, const fs::path& folder, const std::string&) {
    least = std::min(least, MemoryOf(version, folder).value_or(least));
  });
  return least;
}

std::int64_t MemoryBytes() {
  const std::int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page > 0 ? LimitMemory("/", pages * page) : 0;
}

Processors CountProcessors() {
  Processors processors;
  processors.online = std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  processors.affinity = AffinityCount(processors.online);
  ReadCpuQuota("/", &processors);
  return processors;
}

}  // namespace sweep
