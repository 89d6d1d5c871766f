#include "tests/bench/service/dashboard.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "httplib.h"

namespace sweep::bench {
namespace {

constexpr int kRuns = 7;
constexpr double kMostSeconds = 0.200;
constexpr std::size_t kMostBytes = 300'000;
constexpr std::chrono::seconds kPollTime{2};

std::string BaseOf(const std::string& dashboard) {
  return dashboard.substr(0, dashboard.size() - 1);  // without the slash
}

struct View {
  const char* name;
  std::string path;
};

std::vector<View> ViewsOf(const std::string& sweep) {
  const std::string base = "/api/sweeps/" + sweep;
  return {
      {"sweeps", "/api/sweeps?"},
      {"sweep", base + "?"},
      {"curves", base + "/curves?metric=accuracy"},
      {"curves of losses, 200", base + "/curves?metric=loss&limit=200"},
      {"points", base + "/points?"},
      {"points, 2,000", base + "/points?limit=2000"},
      {"importance", base + "/importance?"},
      {"ranking", base + "/ranking?"},
      {"ranking from 90,000 on", base + "/ranking?offset=90000"},
      {"ranking with a filter, sorted", base + "/ranking?where=lr+%3E+0.05&sort=accuracy"},
      {"trials", base + "/trials?limit=200"},
      {"trials by lr, from 50,000 on", base + "/trials?limit=200&sort=lr&offset=50000"},
      {"trials with a filter, sorted",
       base + "/trials?where=lr+%3E+0.05+and+best_accuracy+%3E%3D+99%25&sort=best_accuracy+desc"},
      {"trials with a filter over the network",
       base + "/trials?where=train_mflop+%3E+1+and+nesterov+%3D%3D+false"},
      {"progress", base + "/progress?"},
      {"trial", base + "/trials/77?"},
      {"workers", "/api/workers?"},
      {"timeline of a week", "/api/workers/timeline?minutes=10080"}};
}

httplib::Result Ask(httplib::Client& client, const std::string& path) {
  httplib::Result result = client.Get(path);
  if (!result || result->status != 200) {
    throw std::runtime_error(
        fmt::format("{}: {}", path, result ? result->body : httplib::to_string(result.error())));
  }
  return result;
}

double SecondsUntilReady(httplib::Client& client, const std::string& sweep) {
  const absl::Time start = absl::Now();
  const std::string path = "/api/sweeps/" + sweep + "/curves";
  while (Ask(client, path)->body.find("\"ready\":true") == std::string::npos) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  return absl::ToDoubleSeconds(absl::Now() - start);
}

}  // namespace

std::vector<Figure> MeasureViews(const std::string& dashboard, const std::string& sweep) {
  httplib::Client client(BaseOf(dashboard));
  client.set_keep_alive(true);
  client.set_url_encode(false);  // the paths are encoded already
  std::vector<Figure> figures = {{"dashboard: from the first question to a complete index",
                                  fmt::format("{:.2f} s", SecondsUntilReady(client, sweep)), ""}};
  for (const View& view : ViewsOf(sweep)) {
    std::vector<double> seconds;
    std::size_t bytes = 0;
    for (int run = 0; run < kRuns; ++run) {
      // Another address each time, so that no answer comes from a cache.
      const std::string path = fmt::format("{}&run={}", view.path, run);
      const absl::Time start = absl::Now();
      const httplib::Result result = Ask(client, path);
      seconds.push_back(absl::ToDoubleSeconds(absl::Now() - start));
      bytes = std::max(bytes, result->body.size());
    }
    figures.push_back({fmt::format("dashboard: {}", view.name),
                       fmt::format("{:.1f} ms, {:.1f} kB", Median(seconds) * 1e3,
                                   static_cast<double>(bytes) / 1e3),
                       "< 200 ms, < 300 kB", Median(seconds) < kMostSeconds && bytes < kMostBytes});
  }
  return figures;
}

DashboardPages::DashboardPages(const std::string& dashboard, const std::string& sweep, int pages) {
  for (int page = 0; page < pages; ++page) {
    threads_.emplace_back([this, dashboard, sweep](const std::stop_token& stop) {
      httplib::Client client(BaseOf(dashboard));
      client.set_keep_alive(true);
      std::map<std::string, std::string> etags;
      std::mutex mutex;
      std::condition_variable_any wake;
      while (!stop.stop_requested()) {
        for (const char* view : {"", "/curves?metric=accuracy", "/points", "/importance",
                                 "/ranking", "/trials", "/progress"}) {
          const std::string path = "/api/sweeps/" + sweep + view;
          const httplib::Result result =
              client.Get(path, {{"If-None-Match", etags[path]}, {"Accept-Encoding", "gzip"}});
          const bool good = result && (result->status == 200 || result->status == 304);
          ++(good ? answers_ : failures_);
          if (good) etags[path] = result->get_header_value("ETag");
        }
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait_for(lock, stop, kPollTime, [] { return false; });
      }
    });
  }
}

DashboardPages::~DashboardPages() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

}  // namespace sweep::bench
