#include <fmt/format.h>

#include "cli/present/cells.h"
#include "cli/present/present.h"
#include "cli/present/text.h"

namespace sweep::cli {

using nlohmann::json;
using namespace cells;

namespace {

json OtherDataJson(const v1::Worker& worker) {
  json list = json::array();
  for (const v1::OtherData& data : worker.other_data()) {
    list.push_back({{"sweep", data.sweep()},
                    {"data_sha256", data.data_sha256()},
                    {"path", data.path()},
                    {"sweep_data_sha256", data.sweep_data_sha256()}});
  }
  return list;
}

}  // namespace

Listing WorkerListing(const std::vector<v1::Worker>& workers) {
  Listing listing;
  listing.empty = "no workers; start one with: sweep-worker --coordinator HOST:PORT";
  listing.columns = {{"WORKER", "worker"},
                     {"STATE", "state"},
                     {"HOST", "host", false, true, true, 4},
                     {"SLOTS", "slots", true},
                     {"DEVICE", "device", false, true, true, 1},
                     {"IMG/S", "images_per_second", true, true, false, 3},
                     {"DONE", "completed", true, true, false, 5},
                     {"FAILED", "failed", true},
                     {"TRIALS", "trials", false, true, true},
                     {"LAST SEEN", "last_seen_time", false, true, false, 2},
                     {"", "build", false, false},
                     {"", "pid", true, false},
                     {"", "labels", false, false},
                     {"", "put_aside", false, false},
                     {"", "other_data", false, false}};
  for (const v1::Worker& worker : workers) {
    std::string devices, trials;
    for (const std::string& device : worker.devices())
      devices += (devices.empty() ? "" : ", ") + device;
    json trial_names = json::array();
    for (const std::string& trial : worker.trials()) {
      trials += (trials.empty() ? "" : " ") + ShortName(trial);
      trial_names.push_back(ShortName(trial));
    }
    json labels = json::object();
    for (const auto& [key, value] : worker.labels()) labels[key] = value;
    const std::string state = !worker.connected()      ? "lost"
                              : worker.draining()      ? "draining"
                              : worker.has_put_aside() ? "put aside"
                                                       : "connected";
    json put_aside = nullptr;
    if (worker.has_put_aside()) {
      const v1::PutAside& aside = worker.put_aside();
      put_aside = {{"failures", aside.failures()},
                   {"reason", aside.reason()},
                   {"until_time", TimeCell(aside.has_until_time(), aside.until_time()).value}};
    }
    listing.rows.push_back(
        {Text(ShortName(worker.name())),
         Text(state),
         Text(worker.host()),
         Count(worker.slots()),
         Text(devices),
         {WithSeparators(std::llround(worker.images_per_second())), worker.images_per_second()},
         Count(worker.completed()),
         Count(worker.failed()),
         {trials, trial_names},
         AgoCell(worker.has_last_seen_time(), worker.last_seen_time()),
         Text(worker.build()),
         {std::to_string(worker.pid()), worker.pid()},
         {"", labels},
         {"", put_aside},
         {"", OtherDataJson(worker)}});
  }
  return listing;
}

std::vector<std::string> WorkerNotes(const std::vector<v1::Worker>& workers, absl::Time now) {
  std::vector<std::string> notes;
  for (const v1::Worker& worker : workers) {
    if (!worker.connected()) continue;
    for (const v1::OtherData& data : worker.other_data()) {
      notes.push_back(fmt::format(
          "{} gets no trials of {}: it has other data (SHA-256 {}{}; the sweep's is {}). It "
          "goes on by itself when its data is the sweep's",
          ShortName(worker.name()), Printable(data.sweep()), Printable(data.data_sha256()),
          data.path().empty() ? "" : " in " + Printable(data.path()),
          Printable(data.sweep_data_sha256())));
    }
    if (!worker.has_put_aside()) continue;
    const v1::PutAside& aside = worker.put_aside();
    const absl::Duration left = ToTime(aside.until_time()) - now;
    notes.push_back(fmt::format(
        "{} is put aside ({} failures in a row: {}; {})", ShortName(worker.name()),
        aside.failures(), Printable(aside.reason()),
        left > absl::ZeroDuration()
            ? fmt::format("tries again in {}", HumanDuration(absl::Ceil(left, absl::Seconds(1))))
            : "tries again with one trial"));
  }
  return notes;
}

}  // namespace sweep::cli
