#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/cube_point.h"
#include "coordinator/search/learning_search.h"

namespace sweep {

class CmaEvolution;

// An evolution strategy with covariance matrix adaptation (cma_evolution.h) over the unit cube, for
// spaces of numbers without conditions. It draws each point from a normal distribution. When a
// generation has ended, whichever distribution drew its configurations, their ranks move the
// distribution on. A generation has at least as many as ran at once, or the distribution would move
// by points that it drew several generations ago. So it follows from the configurations in the
// order in which they began and ended, and a restart of the process needs nothing else.
//
// A coordinate outside of the cube is mirrored into it. An axis of few values takes the value of
// the cell that the draw falls in, and an ended configuration a random place in its cell, from the
// present distribution.
//
// A distribution that has become narrow, or no longer gets better, is given up for a new one at
// another place, with twice the population (IPOP; Auger and Hansen, "A restart CMA evolution
// strategy with increasing population size", CEC 2005).
class CmaSearch final : public LearningSearch {
 public:
  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  CmaSearch(const SweepSpec* spec, bool distinct);
  ~CmaSearch() override;

  void BeginAt(std::int64_t number) override {
    LearningSearch::BeginAt(number);
    first_own_ = number;
  }

 private:
  // The coordinates of one value of an axis. Those at the ends reach to infinity, because draws
  // beyond the cube take the first and the last value.
  struct Cell {
    double low;
    double high;
  };
  // What the strategy is restarted by: one entry for each generation of a run.
  struct Progress {
    std::vector<double> best, middle;  // costs
    int flat = 0;                      // generations in a row whose points were all equal
  };

  std::optional<Choice> Model(std::int64_t number) override;
  void OnKnown(std::int64_t number, const Known& known) override;
  void OnEnded(std::int64_t number, const Known& known) override;
  void OnReopened(std::int64_t number, const Known& known) override;
  void Describe(const std::vector<std::vector<SlicePlace>>& places,
                std::vector<ModelSlice>* slices) override;
  void OnEarlier(const std::vector<std::int64_t>& numbers) override;

  bool IsDiscrete(std::size_t axis) const;
  Cell CellAt(std::size_t axis, double coordinate) const;
  CubePoint Draw(PhiloxStream* random, double spread) const;
  // The place of a configuration for the strategy.
  std::vector<double> Unrounded(std::int64_t number, const CubePoint& point) const;
  // Of the values that Draw gives an axis, in the unit cube.
  double DensityAt(std::size_t axis, double coordinate) const;
  // Begins a run at a point.
  void Begin(const CubePoint& mean, std::int64_t sequence);
  // Ends a generation with the configurations that wait.
  void Advance(std::int64_t sequence);
  // The probability that an axis of cells keeps for the neighbours of its mean.
  double Margin() const;
  void KeepNeighbours();
  bool IsOver() const;

  std::int64_t first_own_;                   // number of the first configuration that it draws
  std::size_t population_ = 0;               // of a generation of the present run, at least
  std::size_t most_running_ = 0;             // at once, when one of the generation ended
  std::unique_ptr<CmaEvolution> evolution_;  // null when nothing can be varied
  Progress progress_;
  int runs_ = 0;                       // begun
  std::int64_t run_began_ = 0;         // sequence of the event
  std::int64_t generation_began_ = 0;  // the same
  std::vector<std::int64_t> waiting_;  // ended configurations for the generation, in order
};

}  // namespace sweep
