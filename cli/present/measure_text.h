#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/present/listing.h"
#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// How every command says what was measured: which measures, in which order, under which names and
// in which units. A measure is named canonically or by its alias.

// What the sweep ranks by, at least one.
std::vector<Objective> ObjectivesOf(const v1::Sweep& sweep);
inline Objective ObjectiveOf(const v1::Sweep& sweep) { return ObjectivesOf(sweep).front(); }

// Of a trial so far; nullopt for what it has not reported.
std::optional<double> LastOf(const v1::Trial& trial, std::string_view measure);
std::optional<double> BestOf(const v1::Trial& trial, const Objective& objective);

// The measures that any of the epochs has reported, the predefined ones first, in their usual
// order.
std::vector<std::string> ReportedMeasures(const std::vector<EpochMetrics>& epochs);

// "99.44 %" of a share, "0.0413", "NaN"; "–" for what was not reported.
std::string MeasureText(std::string_view measure, std::optional<double> value);
// With the name in front where a bare share does not tell it: "99.44 %", "loss 0.0413",
// "val/f1 0.91".
std::string NamedMeasureText(std::string_view measure, std::optional<double> value);
// A 95 % interval: "99.26–99.57", "0.0391–0.0435".
std::string IntervalText(std::string_view measure, double low, double high);
// Likewise how far off a value is: "0.10 pt", "0.0013".
std::string DistanceText(std::string_view measure, double distance);
// Everything but times that an epoch has reported, on one line: "train loss 0.0512  val acc 98.77 %
// 4721 images/s".
std::string EpochText(const EpochMetrics& epoch);

// For programs null where there is no number.
Cell MeasureCell(std::string_view measure, std::optional<double> value);
// "ACCURACY"; a program's own as it writes it.
std::string MeasureColumn(std::string_view measure);

// Epochs as rows: a column for each measure that any of them has reported.
void AddMeasureColumns(const std::vector<EpochMetrics>& epochs, Listing* listing);

// Documents of the dashboard have the same: {"val/f1": 0.91}, null for what is no number, and
// {"val/f1": {"last": 0.91, "low": 0.5, "high": 0.93}}. What was not reported is absent.
nlohmann::json ValuesJson(const Measurements& values);
nlohmann::json SummariesJson(const MeasureSummaries& summaries);

}  // namespace sweep::cli
