#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/present/plot.h"
#include "cli/session.h"
#include "common/protocol/trainer_message.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// The plots of `trial`, `show` and `train`. Pure functions of what was measured.

// The rows of a trial as one training: of every epoch the row that counts, in order. That is the
// one acknowledged first, of the earliest attempt, as in the ranking, the view `epochs` and the
// dashboard: an attempt that repeats an epoch changes no result.
std::vector<v1::Epoch> CountedEpochs(const std::vector<v1::Epoch>& rows);
std::vector<EpochMetrics> CountedMetrics(const std::vector<v1::Epoch>& rows);

// Train and validation accuracy over the epochs, with the lines of the accuracy and the epoch gate
// when `gates` ("accuracy >= 0.994", as Sweep.gates) has them. The axis is zoomed to where the
// validation accuracy lies: from 98 % once three epochs of four are above it.
Plot AccuracyPlot(const std::vector<EpochMetrics>& epochs, const std::vector<std::string>& gates);
// Train and validation loss; logarithmic when they fall by more than a factor of ten.
Plot LossPlot(const std::vector<EpochMetrics>& epochs);

// How a sweep's search went: the value of each configuration (of its best replicate) and the time
// that trials take. Grows with the configurations, not with the trials' parameters.
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
};
void AddPlotFlags(CLI::App* command, PlotFlags* flags);
// Whether the locale (LC_ALL, LC_CTYPE, LANG; the first that is set) asks for something else than
// UTF-8. When none is set, UTF-8 is assumed, as for the rest of the output.
bool LocaleIsAscii();
// As wide as the terminal, at most 100 columns; `height` rows.
PlotStyle StyleFor(const PlotFlags& flags, const Session& session, int height);

}  // namespace sweep::cli
