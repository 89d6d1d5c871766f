#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/present/listing.h"
#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

// How all commands show measurements: which measures, in which order, under which names and in
// which units. A measure is given by its canonical name or alias.

// The measures that rank the sweep, at least one.
std::vector<Objective> ObjectivesOf(const v1::Sweep& sweep);
inline Objective ObjectiveOf(const v1::Sweep& sweep) { return ObjectivesOf(sweep).front(); }

// The trial's values so far; nullopt when not reported.
std::optional<double> LastOf(const v1::Trial& trial, std::string_view measure);
std::optional<double> BestOf(const v1::Trial& trial, const Objective& objective);

// What objectives and gates are held against.
Measurements ValuesOf(const v1::RankedConfiguration& row);

// The measures that any of the epochs has reported: predefined ones first, in the usual order.
std::vector<std::string> ReportedMeasures(const std::vector<EpochMetrics>& epochs);

// "99.44 %" for a share, "0.0413", "NaN"; "–" when not reported.
std::string MeasureText(std::string_view measure, std::optional<double> value);
// With the name in front unless a bare share is clear: "99.44 %", "loss 0.0413", "val/f1 0.91".
std::string NamedMeasureText(std::string_view measure, std::optional<double> value);
// A 95 % interval: "99.26–99.57", "0.0391–0.0435".
std::string IntervalText(std::string_view measure, double low, double high);
// The distance from a value: "0.10 pt", "0.0013".
std::string DistanceText(std::string_view measure, double distance);
// An epoch's reported measures except times, on one line: "train loss 0.0512  val acc 98.77 % 4721
// images/s".
std::string EpochText(const EpochMetrics& epoch);

// Programs get null when there is no number.
Cell MeasureCell(std::string_view measure, std::optional<double> value);
// "ACCURACY"; a program's own measure keeps its spelling.
std::string MeasureColumn(std::string_view measure);

// Adds to rows of epochs a column for each measure that any of them has reported.
void AddMeasureColumns(const std::vector<EpochMetrics>& epochs, Listing* listing);

// {"val/f1": 0.91}, null when not finite. Unreported measures are absent.
Json ValuesJson(const Measurements& values);

}  // namespace sweep::cli
