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
  std::string if_none_match;     // the etag that the asker has
  bool actions_allowed = false;  // for the asker, who is told so
};

struct ViewAnswer {
  std::string json;
  std::string etag;           // changes when the document does
  bool not_modified = false;  // the asker has it: `json` is empty
};

// The documents of the dashboard, proto/sweep/documents/documents.proto as JSON, whoever asks for
// them.
// Reads are short and bounded; what concerns a whole sweep comes from an index in memory, which is
// made when it is first asked for. Thread-safe.
class Views {
 public:
  struct Options {
    Store* store = nullptr;  // this and all below outlive the views
    Scheduler* scheduler = nullptr;
    BlobStore* blobs = nullptr;
    SpecCache* specs = nullptr;
    TimeLeft* time_left = nullptr;  // null: nothing is said of it
    Clock* clock = RealClock();
    std::string database;
    std::string version;
    // How long an answer waits for an index that is not up to date. A large one takes longer to
    // make than a person likes to wait for a part of it.
    absl::Duration index_wait = absl::Milliseconds(50);
    // An index of this age is good enough, and of more for large sweeps: see IndexPool.
    absl::Duration index_refresh = absl::Seconds(1);
    // A complete index of less than this age is not dropped for that of another sweep.
    absl::Duration index_keep = absl::Seconds(10);
    // Sweeps that have fewer trials than this together may all have an index.
    std::int64_t index_few_trials = 50'000;
    // The most that a filter of trials may take, since it holds the index meanwhile.
    absl::Duration filter_time = absl::Milliseconds(500);
  };
  static std::unique_ptr<Views> Make(const Options& options);
  virtual ~Views() = default;

  // Begins the index of the newest sweep, unless that is very large, so that whoever looks first
  // after a start need not wait for it. Returns at once.
  virtual void Prepare() = 0;

  // InvalidArgument for what cannot be asked, NotFound for what is not there (and for paths that
  // are none), Unavailable when it is there later.
  virtual absl::StatusOr<ViewAnswer> Get(const ViewRequest& request) = 0;

  // The documents {"sweep": SweepSummary} and {"trial": TrialRow} that actions answer with.
  virtual absl::StatusOr<std::string> SweepDocument(const std::string& sweep) = 0;
  virtual absl::StatusOr<std::string> TrialDocument(const TrialRow& trial) = 0;

  // The weights of a trial, of its best or last epoch.
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
