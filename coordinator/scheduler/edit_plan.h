#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/store.h"

namespace sweep {

// Whether and how a new file can replace that of a stored sweep. Made before the write, on a thread
// that may parse and read; the write completes it, since configurations may be made in between.
class EditPlan {
 public:
  EditPlan() = default;
  // FailedPrecondition, a line for each key that must stay as it is, is kept as the plan's refusal,
  // since a repeated request is answered all the same. Other errors are those of reading the store.
  static absl::StatusOr<EditPlan> Make(Store* store, const SweepRow& row,
                                       std::shared_ptr<const SweepSpec> before,
                                       std::shared_ptr<const SweepSpec> after);
  // For a sweep whose file is not accepted.
  static EditPlan Refused(absl::Status refusal);

  const absl::Status& refusal() const { return refusal_; }
  // The digest of the file that would be replaced; not for a plan that is refused.
  const std::string& before_digest() const { return before_->digest; }
  // Configurations whose points were looked at, from 1 on; those of Count follow.
  std::int64_t counted() const { return counted_; }
  // True when the number of configurations depends on the points that were made.
  bool needs_points() const {
    return after_ != nullptr && after_->points.has_value() && !after_->repeat_points;
  }
  void Count(const MadePoint& made);
  // Whether it goes on when trials fail alike, where the new file says something else.
  std::optional<bool> keep_going() const;
  // The number of configurations with the new file. FailedPrecondition when more have been made.
  absl::StatusOr<std::int64_t> Planned(const SweepRow& row) const;

 private:
  absl::Status CheckRule(const SweepRow& row) const;

  absl::Status refusal_;
  std::shared_ptr<const SweepSpec> before_, after_;  // shared with the cache and the scheduler
  std::int64_t counted_ = 0;
  std::set<std::string> inside_;  // identities of those that are points of the new space
};

}  // namespace sweep
