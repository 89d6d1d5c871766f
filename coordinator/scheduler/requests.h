#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/scheduler/edit_plan.h"
#include "coordinator/scheduler/warm_start.h"
#include "coordinator/store/rows.h"

namespace sweep {

// Requests to the scheduler about sweeps and trials, and the callbacks that answer them.

struct SubmitOptions {
  std::string principal;
  bool keep_going = false;  // the sweep is not paused when its first trials fail alike
  // The digest under which a build of an earlier edition stored this file; empty: not known.
  std::string earlier_digest = {};
  // For a file with `warm_start`; shared with the write.
  std::shared_ptr<const WarmStart> warm_start = nullptr;
  // The blobs of the file's uploaded data, or why they are not there, which matters for a new sweep
  // only.
  absl::StatusOr<std::vector<std::string>> data_blobs = std::vector<std::string>();
};

struct Submission {
  SweepRow sweep;
  bool created = false;  // false: the same sweep was there
};

struct RetryRequest {
  bool failed = false;
  bool cancelled = false;
  bool diverged = false;
  std::string request_id;
};

struct RenameRequest {
  std::string name, new_name;
  // The stored sweep with its new name. Null when no sweep has the old name, as when a request is
  // repeated that was carried out before.
  std::shared_ptr<const SweepSpec> spec;
  std::string text;  // what `spec` was parsed from
  std::string request_id;
};

struct EditRequest {
  std::string name;
  std::shared_ptr<const SweepSpec> spec;  // the new file's
  SweepSource source;
  EditPlan plan;
  std::string replaces_sha256;  // of the text of the file that it replaces; empty: whichever
  std::string request_id;
};

using StatusCallback = std::function<void(absl::Status)>;
using SubmitCallback = std::function<void(absl::StatusOr<Submission>)>;
using SweepCallback = std::function<void(absl::StatusOr<SweepRow>)>;
using RetryCallback = std::function<void(absl::StatusOr<RetriedSweep>)>;
using TrialCallback = std::function<void(absl::StatusOr<TrialRow>)>;
using DeleteCallback = std::function<void(absl::StatusOr<std::int64_t>)>;  // trials that it had
// Why the data is refused; empty: it is the sweep's.
using DataCallback = std::function<void(absl::StatusOr<std::string>)>;

}  // namespace sweep
