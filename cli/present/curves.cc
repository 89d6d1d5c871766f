#include "cli/present/curves.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "cli/present/measure_text.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "common/base/nearest.h"
#include "common/expr/expression.h"
#include "common/stats/objective.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

constexpr int kGreen = 32;
constexpr int kCyan = 36;
constexpr int kColors[] = {kGreen, kCyan, 35, 34, 31, 37};  // in turn; gates have 33
constexpr int kWidest = 100;
// These curves share a plot, validation first.
constexpr std::string_view kPairs[][2] = {{kValidationAccuracy, kTrainAccuracy},
                                          {kValidationLoss, kTrainLoss}};

// The gate on `name` among texts such as "accuracy >= 0.994"; nullopt when there is none with a
// number.
std::optional<Gate> FindGate(const std::vector<std::string>& gates, std::string_view name) {
  for (const std::string& text : gates) {
    const std::string word = text.substr(0, text.find(' '));
    if (CanonicalMeasure(word) != CanonicalMeasure(name) || word == text) continue;
    const absl::StatusOr<Gate> gate = Gate::Parse(word, text.substr(word.size() + 1));
    if (gate.ok() && IsNumber(gate->bound)) return *gate;
  }
  return std::nullopt;
}

void AddMarker(const std::optional<Gate>& gate, Plot* plot) {
  if (gate) plot->y_markers.push_back({AsDouble(gate->bound), gate->name + " " + gate->ToString()});
}

bool IsShare(std::string_view measure) {
  const Measure* const known = FindMeasure(measure);
  return known != nullptr && known->unit == Measure::Unit::kShare;
}

// The border of the epochs that satisfy the gate: half way to the next epoch.
double EpochLine(const Gate& gate) {
  const double bound = AsDouble(gate.bound);
  switch (gate.op) {
    case Gate::Op::kLess:
    case Gate::Op::kGreaterEqual:
      return bound - 0.5;
    case Gate::Op::kLessEqual:
    case Gate::Op::kGreater:
      return bound + 0.5;
    default:
      return bound;
  }
}

// The lower end of an axis that separates shares near 1: the highest of `floors` (in falling order)
// that three quarters of the values reach; nullopt when there is none.
std::optional<double> ZoomedFloor(const std::vector<double>& shares,
                                  std::initializer_list<double> floors) {
  for (const double floor : floors) {
    const auto above =
        std::count_if(shares.begin(), shares.end(), [&](double s) { return s >= floor; });
    if (!shares.empty() && above * 4 >= static_cast<std::ptrdiff_t>(shares.size()) * 3)
      return floor;
  }
  return std::nullopt;
}

// Zooms the plot's y axis and notes what that hides. `what` is "epoch" or "configuration".
void Zoom(const std::vector<double>& shares, std::initializer_list<double> floors,
          const std::string& what, Plot* plot) {
  plot->y.unit = PlotAxis::Unit::kPercent;
  const std::optional<double> floor = ZoomedFloor(shares, floors);
  if (!floor) return;
  plot->y.min = *floor;
  plot->y.max = 1;
  const auto hidden =
      std::count_if(shares.begin(), shares.end(), [&](double s) { return s < *floor; });
  if (hidden == 0) return;
  plot->note = fmt::format("{} below {:g} % not shown (lowest {})", Counted(hidden, what),
                           *floor * 100, Percent(*std::min_element(shares.begin(), shares.end())));
}

// The range of the finite values of all curves.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool IsWide() const { return low > 0 && high > 10 * low; }
};

std::vector<double> FiniteValues(const PlotSeries& series) {
  std::vector<double> values;
  for (const PlotSeries::Point& point : series.points) {
    if (std::isfinite(point.y)) values.push_back(point.y);
  }
  return values;
}

// The reported values. The legend has the last one, since the curve may lie below the zoomed axis.
// An epoch without the measure leaves no gap.
PlotSeries MakeCurve(std::string_view measure, std::string_view label, std::size_t place,
                     const std::vector<EpochMetrics>& epochs) {
  PlotSeries series{.kind = place % 2 == 0 ? PlotSeries::Kind::kLine : PlotSeries::Kind::kDotted,
                    .color = kColors[place % std::size(kColors)]};
  std::optional<double> last;
  for (const EpochMetrics& epoch : epochs) {
    const std::optional<double> value = epoch.values.Get(measure);
    if (!value) continue;
    series.points.push_back({static_cast<double>(epoch.epoch), *value});
    last = value;
  }
  series.name = fmt::format("{} {}", label, MeasureText(measure, last));
  return series;
}

}  // namespace

std::vector<v1::Epoch> CountedEpochs(const std::vector<v1::Epoch>& rows) {
  std::map<int, const v1::Epoch*> counted;
  for (const v1::Epoch& row : rows) {
    const v1::Epoch*& entry = counted[row.epoch()];
    if (entry == nullptr || row.attempt() < entry->attempt()) entry = &row;
  }
  std::vector<v1::Epoch> epochs;
  epochs.reserve(counted.size());
  for (const auto& [number, row] : counted) epochs.push_back(*row);
  return epochs;
}

std::vector<EpochMetrics> CountedMetrics(const std::vector<v1::Epoch>& rows) {
  std::vector<EpochMetrics> epochs;
  for (const v1::Epoch& row : CountedEpochs(rows)) epochs.push_back(FromProto(row));
  return epochs;
}

Curves PairOf(std::string_view measure) {
  const std::string_view name = CanonicalMeasure(measure);
  for (const auto& [validation, train] : kPairs) {
    if (name == validation || name == train) return {std::string(validation), std::string(train)};
  }
  return {std::string(name)};
}

std::vector<Curves> UsualCurves(const std::vector<Objective>& objectives,
                                const std::vector<EpochMetrics>& epochs) {
  std::vector<Curves> usual;
  const auto add = [&](Curves curves) {
    if (std::find(usual.begin(), usual.end(), curves) == usual.end()) usual.push_back(curves);
  };
  for (const Objective& objective : objectives) add(PairOf(objective.name));
  const std::vector<std::string> reported = ReportedMeasures(epochs);
  for (const auto& pair : kPairs) {
    const bool is_reported = std::any_of(reported.begin(), reported.end(), [&](const auto& name) {
      return name == pair[0] || name == pair[1];
    });
    if (is_reported) add(PairOf(pair[0]));
  }
  return usual;
}

Plot CurvesPlot(const Curves& measures, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates) {
  const bool is_pair = measures.size() == 2 && measures == PairOf(measures.front());
  Plot plot{.empty = epochs.empty() ? "no epochs yet" : "none reported"};
  plot.x = {.title = "epoch", .unit = PlotAxis::Unit::kInteger};
  Extent extent;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    const std::string_view title = MeasureTitle(measures[i]);
    if (i == 0 || !is_pair) plot.title += fmt::format("{}{}", i == 0 ? "" : ", ", title);
    const std::string_view label = !is_pair ? title : i == 0 ? "validation" : "train";
    PlotSeries series = MakeCurve(measures[i], label, i, epochs);
    const std::vector<double> values = FiniteValues(series);
    for (const double value : values) extent.Add(value);
    if (i == 0 && std::all_of(measures.begin(), measures.end(), IsShare)) {
      Zoom(values, {0.98, 0.95, 0.9, 0.8, 0.5}, "epoch", &plot);
    } else if (i == 0) {
      plot.y.logarithmic = values.size() > 1 && values.back() < values.front();
    }
    AddMarker(FindGate(gates, measures[i]), &plot);
    if (!values.empty()) plot.series.push_back(std::move(series));
  }
  plot.y.logarithmic = plot.y.logarithmic && extent.IsWide();
  if (const std::optional<Gate> gate = FindGate(gates, "epochs")) {
    plot.x_markers.push_back({EpochLine(*gate), "epochs " + gate->ToString()});
  }
  return plot;
}

SweepHistory::SweepHistory(const v1::Sweep& sweep) : sweep_(sweep) { sweep_.clear_source(); }

void SweepHistory::Add(const v1::Trial& trial) {
  if (!trial.has_value() || trial.state() == v1::TRIAL_STATE_DIVERGED) return;
  // As in the ranking: only epochs within the gate on epochs count.
  const auto [entry, is_new] = best_.try_emplace(trial.configuration(), trial.value());
  if (is_new) return;
  if (IsBetter(ObjectiveOf(sweep_), trial.value(), entry->second)) entry->second = trial.value();
}

Plot SweepHistory::ToPlot() const {
  const Objective objective = ObjectiveOf(sweep_);
  Plot plot{.title = fmt::format("best {} by configuration", MeasureTitle(objective.name)),
            .empty = "no epochs yet"};
  plot.x = {.title = "configuration", .unit = PlotAxis::Unit::kInteger};
  PlotSeries values{.name = "each configuration", .kind = PlotSeries::Kind::kDots, .color = kCyan};
  PlotSeries best{.name = "best so far", .kind = PlotSeries::Kind::kSteps, .color = kGreen};
  Extent extent;
  std::optional<double> record;
  for (const auto& [configuration, value] : best_) {
    const auto x = static_cast<double>(configuration);
    values.points.push_back({x, value});
    extent.Add(value);
    if (!std::isfinite(value)) continue;
    if (!record || IsBetter(objective, value, *record)) record = value;
    best.points.push_back({x, *record});
  }
  if (IsShare(objective.name)) {
    Zoom(FiniteValues(values), {0.99, 0.98, 0.95, 0.9, 0.8, 0.5}, "configuration", &plot);
  } else {
    plot.y.logarithmic = !objective.maximize && extent.IsWide();
  }
  AddMarker(FindGate({sweep_.gates().begin(), sweep_.gates().end()}, objective.name), &plot);
  plot.series = {std::move(best), std::move(values)};
  return plot;
}

void AddPlotFlags(CLI::App* command, PlotFlags* flags) {
  command->add_flag("--no-plot", flags->hide, "no plots");
  command->add_flag("--ascii", flags->ascii, "plots in ASCII (default: as the locale says)");
  command
      ->add_option("--metric", flags->metrics,
                   "curves of this measure instead of the usual ones; repeatable, also as a list")
      ->type_name("NAME")
      ->delimiter(',');
}

absl::StatusOr<std::vector<Curves>> ChosenCurves(const PlotFlags& flags,
                                                 const std::vector<Objective>& objectives,
                                                 const std::vector<EpochMetrics>& epochs) {
  if (flags.metrics.empty()) return UsualCurves(objectives, epochs);
  const std::vector<std::string> reported = ReportedMeasures(epochs);
  for (const std::string& metric : flags.metrics) {
    const std::string name(CanonicalMeasure(metric));
    if (std::find(reported.begin(), reported.end(), name) != reported.end()) continue;
    return absl::InvalidArgumentError(
        fmt::format("--metric: no epoch has reported '{}'{}", metric, DidYouMean(name, reported)));
  }
  return std::vector<Curves>{flags.metrics};
}

bool LocaleIsAscii() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string lower = absl::AsciiStrToLower(std::string(value));
    return !absl::StrContains(lower, "utf-8") && !absl::StrContains(lower, "utf8");
  }
  return false;
}

PlotStyle StyleFor(const PlotFlags& flags, const Session& session, int height) {
  return {.width = session.width > 0 ? std::min(session.width, kWidest) : 80,
          .height = height,
          .ascii = flags.ascii || LocaleIsAscii(),
          .color = session.color};
}

void PrintPlots(const std::vector<Curves>& chosen, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates, const PlotFlags& flags,
                const Session& session) {
  for (const Curves& curves : chosen) {
    const int height = &curves == &chosen.front() ? 14 : 9;
    std::cout << '\n'
              << RenderPlot(CurvesPlot(curves, epochs, gates), StyleFor(flags, session, height));
  }
}

}  // namespace sweep::cli
