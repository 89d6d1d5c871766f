#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/trial_spec_json.h"

namespace sweep {

// Only the lease desk's own files include this.

// A grant on its way to the store and back.
struct LeaseDesk::Grant {
  TrialRow trial;
  std::string secret;
  std::shared_ptr<const SweepSpec> spec;         // shared with the sweep's entry
  std::shared_ptr<const std::string> spec_json;  // shared with answers
  absl::StatusOr<LeaseRow> lease = absl::UnknownError("not tried");

  // Resolving a specification takes a while.
  void BuildSpecJson() {
    if (spec_json != nullptr) return;
    absl::StatusOr<std::string> json = BuildTrialSpecJson(*spec, trial);
    if (json.ok()) {
      spec_json = std::make_shared<const std::string>(*std::move(json));
    } else {
      lease = json.status();
    }
  }
};

// The grants of one write.
struct LeaseDesk::GrantBatch {
  std::string worker;
  bool embedded = false;          // the worker lives in this process
  std::optional<PendingAsk> ask;  // of the only grant, when the worker is a caller
  std::vector<Grant> grants;
};

}  // namespace sweep
