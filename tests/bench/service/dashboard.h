#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/service/table.h"

namespace sweep::bench {

// Every view of `sweep` at the dashboard "http://HOST:PORT/": the median time of a warm answer that
// is made anew, and its size, against 200 ms and 300 kB. Waits until the index is ready first, and
// says how long that took. Throws std::runtime_error when an answer is none.
std::vector<Figure> MeasureViews(const std::string& dashboard, const std::string& sweep);

// Pages that show a sweep: each asks for all that the sweep's page has, every two seconds, with the
// etags that it knows.
class DashboardPages {
 public:
  DashboardPages(const std::string& dashboard, const std::string& sweep, int pages);
  // Ends them.
  ~DashboardPages();

  std::int64_t answers() const { return answers_; }
  std::int64_t failures() const { return failures_; }

 private:
  std::atomic<std::int64_t> answers_ = 0;
  std::atomic<std::int64_t> failures_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace sweep::bench
