#include "tests/bench/service/table.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "fmt/format.h"

namespace sweep::bench {
namespace {

std::string LineWith(const std::string& path, const std::string& prefix) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(prefix)) return line;
  }
  return "";
}

// Of a process or thread, from its `stat`.
double CpuSecondsIn(const std::string& path) {
  // The name in parentheses may contain blanks; the 12th and 13th fields after it are the times.
  const std::string text = LineWith(path, "");
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size() - 1) + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::string FormatTable(const std::vector<Figure>& figures) {
  std::string text = "| measured | figure | limit | |\n|---|---|---|---|\n";
  for (const Figure& figure : figures) {
    text += fmt::format("| {} | {} | {} | {} |\n", figure.what, figure.measured, figure.limit,
                        figure.limit.empty() ? ""
                        : figure.met         ? "met"
                                             : "**missed**");
  }
  return text;
}

std::string Milliseconds(double seconds) { return fmt::format("{:.2f} ms", seconds * 1e3); }

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

double CpuSeconds(int pid) { return CpuSecondsIn(fmt::format("/proc/{}/stat", pid)); }

double CpuSecondsOfThreads(int pid, const std::string& name) {
  double seconds = 0;
  const std::string tasks = fmt::format("/proc/{}/task", pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    if (LineWith(task.path() / "comm", "") != name) continue;
    seconds += CpuSecondsIn(task.path() / "stat");
  }
  return seconds;
}

double ResidentBytes(int pid) {
  std::istringstream line(LineWith(fmt::format("/proc/{}/status", pid), "VmRSS:"));
  std::string skipped;
  double kilobytes = 0;
  line >> skipped >> kilobytes;
  return kilobytes * 1024;
}

std::string DescribeMachine() {
  const std::string model = LineWith("/proc/cpuinfo", "model name");
  const std::string release = LineWith("/etc/os-release", "PRETTY_NAME=");
  utsname system{};
  uname(&system);
  return fmt::format("{}, {} cores, Linux {}, {}",
                     model.empty() ? "processor unknown" : model.substr(model.find(':') + 2),
                     std::thread::hardware_concurrency(), system.release,
                     release.empty() ? "" : release.substr(release.find('=') + 1));
}

}  // namespace sweep::bench
