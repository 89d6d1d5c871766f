#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/resources.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {

// Converts between the domain and the wire. Pure; any thread. Checks values from the wire:
// InvalidArgument names the field and the value.

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
v1::Value ToProto(const Value& value);
v1::TrialState ToProto(TrialState state);
// Without source, best trial and best value.
v1::Sweep ToProto(const SweepRow& row, const StoredSpec& stored);
v1::SweepRevision ToProto(const RevisionRow& row);
v1::SweepSource ToProto(const SweepSource& source);
v1::Trial ToProto(const TrialRow& row, const SweepSpec& spec);
v1::Epoch ToProto(const EpochRow& row);
v1::Attempt ToProto(const AttemptRow& row);
v1::RankedConfiguration ToProto(const RankedRow& row, const SweepSpec& spec);
v1::Worker ToProto(const WorkerInfo& worker);
v1::Progress ToProto(const TrialProgress& progress);
v1::LeaseToken ToProto(const LeaseToken& token);
v1::Lease ToProto(const LeaseOffer& offer);
// Without the lease term.
v1::SuggestedTrial ToProto(const AskedTrial& asked);
v1::LogLine ToProto(const LogRow& row);

absl::StatusOr<SweepSource> FromProto(const v1::SweepSource& source);
absl::StatusOr<LeaseToken> FromProto(const v1::LeaseToken& token);
// Does not check the values; the store does.
absl::StatusOr<std::vector<EpochMetrics>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::Epoch>& epochs);
// Lines of the attempt in the token.
absl::StatusOr<std::vector<LogRow>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::LogLine>& lines);
absl::StatusOr<SynchronizeCall> FromProto(const v1::SynchronizeRequest& request);
absl::StatusOr<TrialState> FromProto(v1::TrialState state);
// A permanent failure whose reason begins with "diverged:" means that training diverged.
absl::StatusOr<LeaseOutcome> OutcomeOf(const v1::FinishLeaseRequest& request);
// Omits items that name no trial.
std::vector<TrialProgress> FromProto(const v1::ReportProgressRequest& request);

// At most `limit` bytes, cut between characters.
std::string CutText(std::string_view text, std::size_t limit);

// The form in which a request_id is stored: a long one as its digest.
std::string RequestId(std::string_view text);

}  // namespace sweep
