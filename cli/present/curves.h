#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/present/plot.h"
#include "cli/session.h"
#include "common/trial/measures.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// The plots of `trial`, `show` and `train`. Pure functions of the measurements.

// Merges a trial's rows into one training: one counted row per epoch, in order. That is the row
// acknowledged first, of the earliest attempt, as in the ranking, the view `epochs` and the
// dashboard: repeating an epoch in another attempt changes no result.
std::vector<v1::Epoch> CountedEpochs(const std::vector<v1::Epoch>& rows);
std::vector<EpochMetrics> CountedMetrics(const std::vector<v1::Epoch>& rows);

// The names of the measures in one plot.
using Curves = std::vector<std::string>;
// The measure itself; for an accuracy or a loss, those of validation and training.
Curves PairOf(std::string_view measure);
// The plots shown by default: each objective, and accuracy and loss if they were reported.
std::vector<Curves> UsualCurves(const std::vector<Objective>& objectives,
                                const std::vector<EpochMetrics>& epochs);

// Measures over the epochs, with lines for those of `gates` ("accuracy >= 0.994", as Sweep.gates)
// on these measures and on epochs. The axis of shares zooms to the first curve: from 98 % once
// three of four epochs are above it. The axis of other numbers is logarithmic when they fall by
// more than a factor of ten.
Plot CurvesPlot(const Curves& measures, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates);

// The history of a sweep's search: the objective of each configuration (its best replicate). Memory
// grows with the configurations only.
class SweepHistory {
 public:
  explicit SweepHistory(const v1::Sweep& sweep);
  void Add(const v1::Trial& trial);
  // Values by configuration, and the best so far.
  Plot ToPlot() const;

 private:
  v1::Sweep sweep_;
  std::map<std::int64_t, double> best_;  // by configuration
};

// The flags of commands with plots.
struct PlotFlags {
  bool hide = false;   // --no-plot
  bool ascii = false;  // --ascii
  Curves metrics;      // --metric
};
void AddPlotFlags(CLI::App* command, PlotFlags* flags);
// The measures of --metric in one plot, else the usual plots. InvalidArgument, with the nearest
// name, for a measure that no epoch has reported.
absl::StatusOr<std::vector<Curves>> ChosenCurves(const PlotFlags& flags,
                                                 const std::vector<Objective>& objectives,
                                                 const std::vector<EpochMetrics>& epochs);
// True when the locale (the first one set of LC_ALL, LC_CTYPE, LANG) is not UTF-8. When none is
// set, UTF-8 is assumed, as for the other output.
bool LocaleIsAscii();
// As wide as the terminal, at most 100 columns; `height` rows.
PlotStyle StyleFor(const PlotFlags& flags, const Session& session, int height);
// Prints a plot for each of `chosen`, the first one the highest.
void PrintPlots(const std::vector<Curves>& chosen, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates, const PlotFlags& flags,
                const Session& session);

}  // namespace sweep::cli
