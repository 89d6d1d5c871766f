#pragma once

#include <google/protobuf/map.h>

#include <string>

#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"

namespace sweep {

// An epoch for the wire: all numbers by name, and those with fields of their own there too, for
// programs of earlier versions.
v1::Epoch ToProto(const EpochMetrics& metrics);

// What an epoch from the wire measured. One without `metrics` comes from an earlier version, which
// knew the fields only.
EpochMetrics FromProto(const v1::Epoch& epoch);

// What a trial has reported so far, by name.
using ProtoSummaries = google::protobuf::Map<std::string, v1::MeasureSummary>;
ProtoSummaries ToProto(const MeasureSummaries& summaries);
MeasureSummaries FromProto(const ProtoSummaries& summaries);

}  // namespace sweep
