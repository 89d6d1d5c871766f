#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/dimensions.h"
#include "common/spec/point_completer.h"
#include "coordinator/search/parzen_mixture.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// The tree-structured Parzen estimator over all parameters jointly (Bergstra et al., "Algorithms
// for hyper-parameter optimization", NIPS 2011, with the choices of Watanabe, arXiv:2304.11127).
// The best tenth of the configurations, at most 25, make one density, the others and those that
// still run (a "constant liar") another one; of the points drawn from the first, the one with the
// largest ratio of both is suggested. The first points come from a scrambled Sobol sequence.
//
// A configuration counts as the mean of its replicates' best finite values. Those of which all
// replicates have completed come first, then the others, by how many have not and by how far they
// came; those without a value are the worst.
//
// Configurations with other parameters, because of conditions, are modelled apart. Half of the
// points go to such a branch in proportion to its share of the best tenth, the other half in equal
// parts: a joint model gives up a branch whose first points were bad.
class TpeSearch final : public Search {
 public:
  // Points of the Sobol sequence, until so many configurations have ended.
  static constexpr int kStartUp = 10;
  // Points drawn for a suggestion.
  static constexpr int kCandidates = 24;

  // `finite`: every parameter has a list of values. `spec` must outlive the object.
  TpeSearch(const SweepSpec* spec, bool finite);

  void Observe(const Observation& observation) override;
  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override;
  int Ahead(int free_slots) const override { return free_slots; }

 private:
  struct Replicate {
    TrialState state = TrialState::kPending;
    int epoch = 0;
    double cost = 0;  // the best so far; lower is better
    bool has_cost = false;
  };
  // The configurations that have the same parameters: all, unless some are conditional.
  struct Branch {
    explicit Branch(const std::vector<ParzenAxis>& axes) : good(axes), others(axes) {}
    // Ended ones by rank, best first.
    std::set<std::pair<std::vector<double>, std::int64_t>> ended;
    std::set<std::int64_t> changed;
    ParzenMixture good;
    ParzenMixture others;
  };
  // What is known of a configuration.
  struct Known {
    ParzenPoint point;
    Branch* branch = nullptr;  // null: no place in the space
    std::vector<Replicate> replicates;
    bool has_ended = false;
    std::vector<double> rank;  // ended: smaller is better, compared like words
  };

  // nullopt when the space has no such point.
  std::optional<ParzenPoint> PointOf(const ParameterMap& parameters) const;
  static std::vector<double> RankOf(const Known& known);
  void AddKnown(std::int64_t number, const ParameterMap& parameters);
  // Moves configurations between the densities so that they are as the class says.
  void Split(Branch* branch);
  Branch* ChooseBranch(double u);
  // nullopt when no point that was drawn is allowed and new.
  std::optional<Configuration> Model(std::int64_t number);
  std::optional<Configuration> BestOf(std::int64_t number, Branch* branch, bool stay,
                                      const std::vector<ParzenPoint>& drawn);
  absl::StatusOr<std::optional<Configuration>> NextOfFinite(std::int64_t number);
  absl::StatusOr<std::optional<Configuration>> NextOfMany(std::int64_t number);
  bool IsNew(const Configuration& configuration) const;

  const SweepSpec* const spec_;
  const bool finite_;
  const SearchSpace space_;
  SobolSearch start_up_;
  PointCompleter completer_;
  std::map<std::int64_t, Known> known_;  // by number
  std::set<std::string> seen_;           // identities of the known points, when finite
  std::int64_t passed_ = 0;              // points of the sequence that are known, when finite
  std::size_t ended_ = 0;
  std::vector<ParzenAxis> axes_;
  std::map<std::vector<bool>, Branch> branches_;  // by which axes exist
};

}  // namespace sweep
