#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/excess_values.h"
#include "coordinator/search/expected_improvement.h"
#include "coordinator/search/gaussian_process.h"
#include "coordinator/search/learning_search.h"

namespace sweep {

// Bayesian optimisation by a Gaussian process over all parameters (gaussian_process.h): suggests
// the point with the largest expected improvement on the best mean so far. Trials that still run
// are taken for measured at the mean that the process predicts, so their neighbourhood is not
// searched again. The values are made similar to a normal distribution first, by a power between 1
// and 0 (the logarithm); the noise is learned, and a configuration counts as the mean of its
// replicates. One that was stopped or failed is no better than the median of the complete ones, and
// one without a value is as bad as the worst.
//
// Each gate that is learned has a process of its own, of the excess of its measure over the bound,
// and the improvement on the best configuration that meets all gates is multiplied by the
// probability that the point meets them (Gardner et al., "Bayesian optimization with inequality
// constraints", ICML 2014); until one does, that probability alone counts (Gelbart et al.,
// "Bayesian optimization with unknown constraints", UAI 2014). Configurations of earlier sweeps, of
// which only the objective is known, are none of those processes'; as long as none of the sweep's
// own meets the gates, the best of them is what is improved on.
//
// A parameter that does not exist at a point is in the middle there, and each combination of
// existing parameters is a category of one more axis.
//
// The process is built from at most kMostPoints configurations, the best ones and the latest, and
// its parameters are fitted to at most kMostFitted, anew with every configuration that ends, later
// with every tenth more, at last with every 50. Those that end in between are added. What is fitted
// depends only on the order in which the configurations ended.
class GpSearch final : public LearningSearch {
 public:
  static constexpr std::size_t kMostPoints = 500;
  static constexpr std::size_t kMostFitted = 150;

  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  GpSearch(const SweepSpec* spec, bool distinct);

 private:
  // How costs were made values for a process.
  struct CostScale {
    double least = 0, unit = 0;  // unit 0: they were not divided
    double bend = 0;             // 0: straight
    double mean = 0, deviation = 0;

    double CostAt(double value) const;
    // nullopt when all costs are equal.
    std::optional<CostGrowth> Growth() const;
  };

  std::optional<Choice> Model(std::int64_t number) override;
  void OnKnown(std::int64_t number, const Known& known) override;
  void OnEnded(std::int64_t number, const Known& known) override;
  void OnReopened(std::int64_t number, const Known& known) override;
  void Describe(const std::vector<std::vector<SlicePlace>>& places,
                std::vector<ModelSlice>* slices) override;

  struct GateProcess {
    GaussianProcess process;
    double limit = 0;
  };
  // What suggestions are compared by: the logarithm of the expected improvement times the
  // probability of meeting all gates.
  struct Acquisition {
    // nullopt: no configuration meets the gates, so only they count.
    std::optional<double> best;
    double noise = 0;
  };

  GaussianPoint ToProcess(const CubePoint& point) const;
  // Of the first `count` of those, at most `most`, in the same order, in which they ended.
  std::vector<std::int64_t> Choose(const std::vector<std::int64_t>& order, std::size_t count,
                                   std::size_t most) const;
  static Eigen::VectorXd Normalise(const std::vector<double>& costs, CostScale* scale);
  // The values of ended configurations for a process: of mean 0 and variance 1.
  Eigen::VectorXd ValuesOf(const std::vector<std::int64_t>& numbers, CostScale* scale) const;
  ExcessValues ExcessesOf(std::size_t gate, const std::vector<std::int64_t>& numbers) const;
  // Without values.
  GaussianData DataOf(const std::vector<std::int64_t>& numbers) const;
  // Those of order_ that the gates' processes learn from; empty without gates.
  std::vector<std::int64_t> Judged() const;
  // To the first `count` of order_, and for the gates to the first `judged_count` of `judged`.
  void Fit(std::size_t count, const std::vector<std::int64_t>& judged, std::size_t judged_count);
  void AddMember(std::int64_t number);
  // Of what a suggestion's replicates will measure together.
  double NoiseDeviation() const;
  // Brings the processes up to what is known, without and with the configurations that run.
  Acquisition UpdateEnded();
  Acquisition Update();
  void AddRunning();
  // Takes points for measured at their means, until the next update.
  static void Believe(const std::vector<GaussianPoint>& points, GaussianProcess* process);
  // Calls `add(process, logarithm)` for each factor of the acquisition, where `logarithm(mean,
  // deviation)` is a LogImprovement.
  template <typename Add>
  void EachPart(const Acquisition& acquisition, const Add& add) const {
    if (acquisition.best) {
      add(process_, [&](double mean, double deviation) {
        return LogAugmentedImprovement(*acquisition.best, mean, deviation, acquisition.noise);
      });
    }
    if (judged_members_.empty()) return;
    for (const GateProcess& gate : gate_processes_) {
      add(gate.process, [&](double mean, double deviation) {
        return LogProbabilityAtMost(gate.limit, mean, deviation);
      });
    }
  }
  std::vector<double> Evaluate(const Acquisition& acquisition,
                               const std::vector<GaussianPoint>& points) const;
  // With the derivatives by the axes added to `gradient`.
  double Evaluate(const Acquisition& acquisition, const GaussianPoint& point,
                  std::vector<double>* gradient) const;
  // By how much the costs are expected to get better; nullopt when that cannot be said.
  std::optional<double> ImprovementAt(const CubePoint& point, const Acquisition& acquisition) const;
  std::vector<CubePoint> Draw(const std::vector<std::int64_t>& best, PhiloxStream* random) const;
  // The best place near the candidate.
  CubePoint Climb(const CubePoint& from, const Acquisition& acquisition) const;

  std::map<std::vector<bool>, int> shapes_;  // numbered
  std::vector<std::int64_t> order_;          // ended configurations, as they ended
  std::set<std::int64_t> running_;
  GaussianProcess process_;
  CostScale scale_;  // of the process's values
  std::vector<GateProcess> gate_processes_;
  std::size_t fitted_ = 0;         // ended configurations at the last fit; 0: none
  std::size_t fitted_judged_ = 0;  // those of them that the gates' processes learn from
  // Of the process, without running ones; and those of them that the gates' processes have too.
  std::vector<std::int64_t> members_, judged_members_;
  std::size_t added_ = 0;  // of order_, that are members or were left out
};

}  // namespace sweep
