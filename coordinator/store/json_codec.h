#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/stats/ranking.h"
#include "coordinator/store/rows.h"

namespace sweep {

// How maps and lists are kept in TEXT columns: as JSON that people can query with SQLite's ->>.
// Encoding fails with InvalidArgument for text that is not UTF-8, decoding with DataLoss for JSON
// of another shape. Types survive: 1 stays an integer, 1.0 a real number.
absl::StatusOr<std::string> EncodeParameters(const ParameterMap& parameters);
absl::StatusOr<ParameterMap> DecodeParameters(std::string_view json);

absl::StatusOr<std::string> EncodeLabels(const std::map<std::string, std::string>& labels);
absl::StatusOr<std::map<std::string, std::string>> DecodeLabels(std::string_view json);

// By name. A NaN is null, an infinity the text "Infinity" or "-Infinity".
std::string EncodeMeasurements(const Measurements& values);
absl::StatusOr<Measurements> DecodeMeasurements(std::string_view json);
// [["val/f1", 1], …]: 1 where more is better.
std::string EncodeObjectives(const std::vector<Objective>& objectives);
absl::StatusOr<std::vector<Objective>> DecodeObjectives(std::string_view json);
// {"val/f1": [last, low, high]}, numbers as above.
std::string EncodeSummaries(const MeasureSummaries& summaries);
absl::StatusOr<MeasureSummaries> DecodeSummaries(std::string_view json);
// {"tier": 3, "epoch": 9, "values": {…}}
std::string EncodeStanding(const Standing& standing);
absl::StatusOr<Standing> DecodeStanding(std::string_view json);

// [["completed", 5, 0.93], …]; a NaN as above.
std::string EncodeReplicates(const std::vector<EndedPoint::Replicate>& replicates);
absl::StatusOr<std::vector<EndedPoint::Replicate>> DecodeReplicates(std::string_view json);

// A gate's value that is NaN or infinite, which JSON cannot express, is read back as NaN. A gate of
// which the value is not known is read back without one.
absl::StatusOr<std::string> EncodeGates(const std::vector<GateOutcome>& gates);
absl::StatusOr<std::vector<GateOutcome>> DecodeGates(std::string_view json);

}  // namespace sweep
