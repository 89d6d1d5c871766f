#include "cli/present/curves.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "common/expr/expression.h"

namespace sweep::cli {
namespace {

constexpr int kGreen = 32;
constexpr int kCyan = 36;
constexpr int kWidest = 100;

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

// The gate called `name` out of texts such as "accuracy >= 0.994"; nullopt when there is none with
// a number.
std::optional<Gate> FindGate(const std::vector<std::string>& gates, const std::string& name) {
  for (const std::string& text : gates) {
    if (!text.starts_with(name + " ")) continue;
    const absl::StatusOr<Gate> gate = Gate::Parse(name, text.substr(name.size() + 1));
    if (gate.ok() && IsNumber(gate->bound)) return *gate;
  }
  return std::nullopt;
}

// Where the epochs that count end: between the last that satisfies the gate and the next one.
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

// The lower end of an axis on which shares near 1 can be told apart: the highest of `floors` (in
// falling order) that three quarters of the values reach; nullopt when none is.
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

// Zooms `axis`, and says in `note` what it hides. `what` is "epoch" or "configuration".
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

// A curve of what was reported; none of what was not.
template <typename Value>
void AddCurve(const std::string& name, PlotSeries::Kind kind, int color,
              const std::vector<EpochMetrics>& epochs, Value value, Plot* plot) {
  PlotSeries series{.name = name, .kind = kind, .color = color};
  bool any = false;
  for (const EpochMetrics& epoch : epochs) {
    series.points.push_back({static_cast<double>(epoch.epoch), value(epoch)});
    any = any || !std::isnan(series.points.back().y);
  }
  if (any) plot->series.push_back(std::move(series));
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
  for (const v1::Epoch& row : CountedEpochs(rows)) {
    epochs.push_back({.epoch = row.epoch(),
                      .train_loss = row.train_loss(),
                      .train_accuracy = row.train_accuracy(),
                      .validation_loss = row.validation_loss(),
                      .validation_accuracy = row.validation_accuracy(),
                      .lr = row.lr(),
                      .train_seconds = Seconds(row.train_duration()),
                      .evaluate_seconds = Seconds(row.evaluate_duration()),
                      .images_per_second = row.images_per_second()});
  }
  return epochs;
}

Plot AccuracyPlot(const std::vector<EpochMetrics>& epochs, const std::vector<std::string>& gates) {
  Plot plot{.title = "accuracy", .empty = "no epochs yet"};
  plot.x = {.title = "epoch", .unit = PlotAxis::Unit::kInteger};
  std::vector<double> shares;
  for (const EpochMetrics& epoch : epochs) {
    if (std::isfinite(epoch.validation_accuracy)) shares.push_back(epoch.validation_accuracy);
  }
  Zoom(shares, {0.98, 0.95, 0.9, 0.8, 0.5}, "epoch", &plot);
  if (!epochs.empty()) {
    // The last values stand in the legend, since a curve may lie below the zoomed axis.
    const EpochMetrics& last = epochs.back();
    AddCurve(
        "validation " + Percent(last.validation_accuracy), PlotSeries::Kind::kLine, kGreen, epochs,
        [](const EpochMetrics& e) { return e.validation_accuracy; }, &plot);
    AddCurve(
        "train " + Percent(last.train_accuracy), PlotSeries::Kind::kDotted, kCyan, epochs,
        [](const EpochMetrics& e) { return e.train_accuracy; }, &plot);
  }
  if (const std::optional<Gate> gate = FindGate(gates, "accuracy")) {
    plot.y_markers.push_back({AsDouble(gate->bound), "accuracy " + gate->ToString()});
  }
  if (const std::optional<Gate> gate = FindGate(gates, "epochs")) {
    plot.x_markers.push_back({EpochLine(*gate), "epochs " + gate->ToString()});
  }
  return plot;
}

Plot LossPlot(const std::vector<EpochMetrics>& epochs) {
  Plot plot{.title = "loss", .empty = epochs.empty() ? "no epochs yet" : "none reported"};
  plot.x = {.title = "epoch", .unit = PlotAxis::Unit::kInteger};
  if (epochs.empty()) return plot;
  const EpochMetrics& last = epochs.back();
  AddCurve(
      "validation " + Loss(last.validation_loss), PlotSeries::Kind::kLine, kGreen, epochs,
      [](const EpochMetrics& e) { return e.validation_loss; }, &plot);
  AddCurve(
      "train " + Loss(last.train_loss), PlotSeries::Kind::kDotted, kCyan, epochs,
      [](const EpochMetrics& e) { return e.train_loss; }, &plot);
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const PlotSeries& series : plot.series) {
    for (const PlotSeries::Point& point : series.points) {
      if (!std::isfinite(point.y)) continue;
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
  }
  plot.y.logarithmic = low > 0 && high > 10 * low;
  return plot;
}

SweepHistory::SweepHistory(const v1::Sweep& sweep) : sweep_(sweep) { sweep_.clear_source(); }

void SweepHistory::Add(const v1::Trial& trial) {
  if (trial.epoch() == 0 || trial.state() == v1::TRIAL_STATE_DIVERGED) return;
  // As the ranking has it: within the gates' epoch limit.
  const double value = sweep_.metric() == "loss" ? trial.best_loss() : trial.value();
  const auto [entry, is_new] = best_.try_emplace(trial.configuration(), value);
  if (is_new) return;
  entry->second =
      sweep_.maximize() ? std::max(entry->second, value) : std::min(entry->second, value);
}

Plot SweepHistory::ToPlot() const {
  const bool loss = sweep_.metric() == "loss";
  Plot plot{.title = loss ? "lowest loss by configuration" : "best accuracy by configuration",
            .empty = "no epochs yet"};
  plot.x = {.title = "configuration", .unit = PlotAxis::Unit::kInteger};
  PlotSeries values{.name = "each configuration", .kind = PlotSeries::Kind::kDots, .color = kCyan};
  PlotSeries best{.name = "best so far", .kind = PlotSeries::Kind::kSteps, .color = kGreen};
  std::vector<double> finite;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  std::optional<double> record;
  for (const auto& [configuration, value] : best_) {
    const auto x = static_cast<double>(configuration);
    values.points.push_back({x, value});
    if (!std::isfinite(value)) continue;
    finite.push_back(value);
    low = std::min(low, value);
    high = std::max(high, value);
    if (!record || (sweep_.maximize() ? value > *record : value < *record)) record = value;
    best.points.push_back({x, *record});
  }
  if (loss) {
    plot.y.logarithmic = low > 0 && high > 10 * low;
  } else {
    Zoom(finite, {0.99, 0.98, 0.95, 0.9, 0.8, 0.5}, "configuration", &plot);
    const std::vector<std::string> gates(sweep_.gates().begin(), sweep_.gates().end());
    if (const std::optional<Gate> gate = FindGate(gates, "accuracy")) {
      plot.y_markers.push_back({AsDouble(gate->bound), "accuracy " + gate->ToString()});
    }
  }
  plot.series = {std::move(best), std::move(values)};
  return plot;
}

void AddPlotFlags(CLI::App* command, PlotFlags* flags) {
  command->add_flag("--no-plot", flags->hide, "no plots");
  command->add_flag("--ascii", flags->ascii, "plots in ASCII (default: as the locale says)");
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

}  // namespace sweep::cli
