#include <fmt/format.h>

#include "absl/strings/str_join.h"
#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/present.h"
#include "cli/present/text.h"

namespace sweep::cli {

using namespace cells;

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
                     {"LAST SEEN", "last_seen_time", false, true, false, 2}};
  std::vector<documents::WorkerRow> documents;
  for (const v1::Worker& worker : workers) {
    const documents::WorkerRow& row = documents.emplace_back(ToDocument(worker));
    listing.rows.push_back({Text(row.worker()),
                            Text(DocumentWords(*row.State_descriptor()).at(row.state())),
                            Text(row.host()), Count(row.slots()), Text(row.device()),
                            Count(std::llround(row.images_per_second())), Count(row.completed()),
                            Count(row.failed()), Text(absl::StrJoin(row.trials(), " ")),
                            AgoCell(worker.has_last_seen_time(), worker.last_seen_time())});
  }
  AddDocuments(documents, &listing);
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
    if (worker.has_expected_build()) {
      notes.push_back(fmt::format(
          "{} is of build {}, and the coordinator expects {} or later (--warn-worker-build)",
          ShortName(worker.name()), Printable(worker.build()), Printable(worker.expected_build())));
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
