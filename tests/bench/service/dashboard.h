#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/service/table.h"

namespace sweep::bench {

// Measures every view of `sweep` at the dashboard "http://HOST:PORT/": the median time of a warm
// answer that is computed anew, and its size, against 200 ms and 300 kB. First waits for the index
// and reports how long that took. Throws std::runtime_error when an answer is an error.
std::vector<Figure> MeasureViews(const std::string& dashboard, const std::string& sweep);

// Pages that show a sweep: each requests everything on the sweep's page every two seconds, with the
// etags that it knows.
class DashboardPages {
 public:
  DashboardPages(const std::string& dashboard, const std::string& sweep, int pages);
  // Ends the pages.
  ~DashboardPages();

  std::int64_t answers() const { return answers_; }
  std::int64_t failures() const { return failures_; }

 private:
  std::atomic<std::int64_t> answers_ = 0;
  std::atomic<std::int64_t> failures_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace sweep::bench
