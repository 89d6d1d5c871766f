#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"
#include "coordinator/views/time_left.h"

namespace sweep {

struct ViewRequest {
  std::string path;              // "/api/sweeps/mnist/trials", percent-encoded
  std::string query;             // "limit=50&sort=lr", percent-encoded
  std::string if_none_match;     // the etag that the client has
  bool actions_allowed = false;  // by the client; a field of the document
};

struct ViewAnswer {
  std::string json;
  std::string etag;           // changes when the document does
  bool not_modified = false;  // the client has the document; `json` is empty
};

// The dashboard's documents: messages of proto/sweep/documents/documents.proto as JSON, for the
// page and for the API. Reads are short and bounded. Documents about a whole sweep use an index in
// memory, which is built when it is first needed. Thread-safe.
class Views {
 public:
  struct Options {
    Store* store = nullptr;  // this and the next pointers must outlive the views
    Scheduler* scheduler = nullptr;
    BlobStore* blobs = nullptr;
    SpecCache* specs = nullptr;
    TimeLeft* time_left = nullptr;  // null: documents have no estimate
    Clock* clock = RealClock();
    std::string database;
    std::string version;
    // How long an answer waits for the update of an index. Building a large one takes longer than a
    // user wants to wait.
    absl::Duration index_wait = absl::Milliseconds(50);
    // An index of this age is used without an update; see IndexPool::Options::refresh_time.
    absl::Duration index_refresh = absl::Seconds(1);
    // A complete index younger than this is not dropped for another sweep.
    absl::Duration index_keep = absl::Seconds(10);
    // Sweeps with fewer trials than this in total may all have an index.
    std::int64_t index_few_trials = 50'000;
    // The time limit of a filter, which locks the index.
    absl::Duration filter_time = absl::Milliseconds(500);
  };
  static std::unique_ptr<Views> Make(const Options& options);
  virtual ~Views() = default;

  // Starts to build the index of the newest sweep, unless it is very large, so that the first
  // viewer after a start need not wait. Returns at once.
  virtual void Prepare() = 0;

  // InvalidArgument for an invalid request; NotFound for an unknown object or path; Unavailable
  // when a later request can succeed.
  virtual absl::StatusOr<ViewAnswer> Get(const ViewRequest& request) = 0;

  // The answers to actions: {"sweep": SweepSummary} and {"trial": TrialRow}.
  virtual absl::StatusOr<std::string> SweepDocument(const std::string& sweep) = 0;
  virtual absl::StatusOr<std::string> TrialDocument(const TrialRow& trial) = 0;

  // The weights of a trial's best or last epoch.
  struct Weights {
    std::string sha256;
    std::string file_name;  // "mnist-7-best.safetensors"
  };
  virtual absl::StatusOr<Weights> FindWeights(const std::string& sweep, std::int64_t number,
                                              const std::string& which) = 0;
};

// The document of an error: ApiError.
std::string ErrorDocument(const absl::Status& status);

}  // namespace sweep
