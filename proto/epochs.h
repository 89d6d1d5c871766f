#pragma once

#include <google/protobuf/map.h>

#include <string>

#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"

namespace sweep {

// An epoch for the wire: all numbers by name, and those with their own fields there too, for
// programs of earlier versions.
v1::Epoch ToProto(const EpochMetrics& metrics);

// The measurements of an epoch from the wire. One without `metrics` comes from an earlier version,
// which used only the fields.
EpochMetrics FromProto(const v1::Epoch& epoch);

// A trial's summaries so far, by measure.
using ProtoSummaries = google::protobuf::Map<std::string, v1::MeasureSummary>;
ProtoSummaries ToProto(const MeasureSummaries& summaries);
MeasureSummaries FromProto(const ProtoSummaries& summaries);

}  // namespace sweep
