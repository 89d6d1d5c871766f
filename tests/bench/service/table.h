#pragma once

#include <string>
#include <vector>

namespace sweep::bench {

// One figure of the bench and the limit for it.
struct Figure {
  std::string what;
  std::string measured;
  std::string limit;  // "" when the figure has none
  bool met = true;
};

// A Markdown table.
std::string FormatTable(const std::vector<Figure>& figures);

// "12.34 ms"
std::string Milliseconds(double seconds);

// The q-quantile (nearest rank) of values in any order; 0 when there are none.
double Quantile(std::vector<double> values, double q);
double Median(std::vector<double> values);

// Processor seconds (user and system) that a process has used, and its resident memory in bytes.
double CpuSeconds(int pid);
// Of its threads of that name.
double CpuSecondsOfThreads(int pid, const std::string& name);
double ResidentBytes(int pid);

// "Intel Xeon …, 2 cores, Linux 6.1, Debian 12"
std::string DescribeMachine();

}  // namespace sweep::bench
