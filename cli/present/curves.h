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

// The plots of `trial`, `show` and `train`. Pure functions of what was measured.

// The rows of a trial as one training: of every epoch the row that counts, in order. That is the
// one acknowledged first, of the earliest attempt, as in the ranking, the view `epochs` and the
// dashboard: an attempt that repeats an epoch changes no result.
std::vector<v1::Epoch> CountedEpochs(const std::vector<v1::Epoch>& rows);
std::vector<EpochMetrics> CountedMetrics(const std::vector<v1::Epoch>& rows);

// Curves that stand in one plot: names of measures.
using Curves = std::vector<std::string>;
// The measure, and of an accuracy or a loss that of validation with that of training.
Curves PairOf(std::string_view measure);
// The plots that are shown when nobody asks for others: of each objective, and of accuracy and loss
// where they were reported.
std::vector<Curves> UsualCurves(const std::vector<Objective>& objectives,
                                const std::vector<EpochMetrics>& epochs);

// Measures over the epochs, with the lines of the gates on them and of the epoch gate when `gates`
// ("accuracy >= 0.994", as Sweep.gates) has them. The axis of shares is zoomed to where those of
// the first curve lie: from 98 % once three epochs of four are above it. That of other numbers is
// logarithmic when they fall by more than a factor of ten.
Plot CurvesPlot(const Curves& measures, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates);

// How a sweep's search went: the objective of each configuration (of its best replicate). Grows
// with the configurations, not with the trials' parameters.
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

// The flags that commands with plots have, and what they come to on this terminal.
struct PlotFlags {
  bool hide = false;   // --no-plot
  bool ascii = false;  // --ascii
  Curves metrics;      // --metric
};
void AddPlotFlags(CLI::App* command, PlotFlags* flags);
// What --metric asks for, as one plot, else the usual ones. InvalidArgument, with what is nearest,
// for a measure that no epoch has reported.
absl::StatusOr<std::vector<Curves>> ChosenCurves(const PlotFlags& flags,
                                                 const std::vector<Objective>& objectives,
                                                 const std::vector<EpochMetrics>& epochs);
// Whether the locale (LC_ALL, LC_CTYPE, LANG; the first that is set) asks for something else than
// UTF-8. When none is set, UTF-8 is assumed, as for the rest of the output.
bool LocaleIsAscii();
// As wide as the terminal, at most 100 columns; `height` rows.
PlotStyle StyleFor(const PlotFlags& flags, const Session& session, int height);
// A plot for each of `chosen`, the first one the highest.
void PrintPlots(const std::vector<Curves>& chosen, const std::vector<EpochMetrics>& epochs,
                const std::vector<std::string>& gates, const PlotFlags& flags,
                const Session& session);

}  // namespace sweep::cli
