#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "coordinator/search/cube_point.h"
#include "coordinator/search/learning_search.h"
#include "coordinator/search/parzen_mixture.h"

namespace sweep {

// The tree-structured Parzen estimator over all parameters jointly (Bergstra et al., "Algorithms
// for hyper-parameter optimization", NIPS 2011, with the choices of Watanabe, arXiv:2304.11127).
// The best tenth of the configurations, at most 25, make one density, the others and those that
// still run (a "constant liar") another one; of the points drawn from the first, the one with the
// largest ratio of both is suggested.
//
// Configurations with other parameters, because of conditions, are modelled apart. Half of the
// points go to such a branch in proportion to its share of the best tenth, the other half in equal
// parts: a joint model gives up a branch whose first points were bad.
class TpeSearch final : public LearningSearch {
 public:
  // Points drawn for a suggestion.
  static constexpr int kCandidates = 24;

  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  TpeSearch(const SweepSpec* spec, bool distinct);

 private:
  // The configurations that have the same parameters: all, unless some are conditional.
  struct Branch {
    explicit Branch(const std::vector<ParzenAxis>& axes) : good(axes), others(axes) {}
    // Ended ones by rank, best first.
    std::set<std::pair<Rank, std::int64_t>> ended;
    std::set<std::int64_t> changed;
    ParzenMixture good;
    ParzenMixture others;
  };

  std::optional<Choice> Model(std::int64_t number) override;
  void OnKnown(std::int64_t number, const Known& known) override;
  void OnEnded(std::int64_t number, const Known& known) override;
  void OnReopened(std::int64_t number, const Known& known) override;
  void Describe(const std::vector<std::vector<SlicePlace>>& places,
                std::vector<ModelSlice>* slices) override;

  Branch& BranchOf(const CubePoint& point);
  // Moves configurations between the densities so that they are as the class says.
  void Split(Branch* branch);
  Branch* ChooseBranch(double u);
  // The logarithms of the ratios of both densities.
  static std::vector<double> Ratios(Branch* branch, std::span<const CubePoint> points);
  // nullopt when no point that was drawn is allowed and new.
  std::optional<Configuration> BestOf(std::int64_t number, Branch* branch, bool stay,
                                      const std::vector<CubePoint>& drawn);
  // The same in a space without conditions.
  std::optional<Configuration> BestOfRounded(std::int64_t number, Branch* branch,
                                             const std::vector<CubePoint>& drawn);

  std::vector<ParzenAxis> axes_;
  std::map<std::vector<bool>, Branch> branches_;  // by which axes exist
};

}  // namespace sweep
