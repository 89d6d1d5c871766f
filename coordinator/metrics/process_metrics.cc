#include "coordinator/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "coordinator/metrics/families.h"

namespace sweep {
namespace {

// Fields of /proc/PID/stat, numbered as in proc(5). Parsing starts after the name, which may
// contain spaces.
constexpr int kFirstField = 3;
constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kStartTicks = 22;
constexpr int kVirtualBytes = 23;
constexpr int kResidentPages = 24;

std::vector<double> StatFields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  std::vector<double> fields;
  if (name_end == std::string::npos) return fields;
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  fields.push_back(0);  // the state, which is a letter
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

// The system's start in Unix time; 0 when unknown.
double BootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
    file.ignore(1 << 20, '\n');
  }
  return 0;
}

double OpenFiles() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator next("/proc/self/fd", error), end; !error && next != end;
       next.increment(error)) {
    ++count;
  }
  return count - 1;  // excludes the iterator's own descriptor
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics() {
  std::vector<prometheus::MetricFamily> families;
  const std::vector<double> fields = StatFields();
  if (fields.size() > kResidentPages - kFirstField) {
    const auto field = [&](int number) {
      return fields[static_cast<std::size_t>(number - kFirstField)];
    };
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    static const double boot_time = BootTime();
    families.push_back(Counter("process_cpu_seconds_total", "Processor time, user and system.",
                               (field(kUserTicks) + field(kSystemTicks)) / ticks));
    families.push_back(Gauge("process_resident_memory_bytes", "Memory in use.",
                             field(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE))));
    families.push_back(
        Gauge("process_virtual_memory_bytes", "Address space in use.", field(kVirtualBytes)));
    families.push_back(Gauge("process_start_time_seconds", "When it started, in Unix time.",
                             boot_time + field(kStartTicks) / ticks));
  }
  families.push_back(Gauge("process_open_fds", "Open file descriptors.", OpenFiles()));
  if (rlimit limit{}; getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(Gauge("process_max_fds", "File descriptors that it may have open.",
                             static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace sweep
