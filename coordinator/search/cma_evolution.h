#pragma once

#include <Eigen/Core>
#include <vector>

namespace sweep {

// The normal distribution of an evolution strategy with covariance matrix adaptation, and how it
// follows from the points that were ranked: the (mu/mu_w, lambda)-CMA-ES with active weights
// (Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772), in R^d, d > 0. A point of
// another distribution counts with its distance limited (Hansen, "Injecting external solutions into
// CMA-ES", arXiv:1110.4181). Each axis has a scale of its own beside the covariance, so that one of
// few values keeps its neighbours in reach ("CMA-ES with margin", Hamano et al., arXiv:2205.13482).
class CmaEvolution {
 public:
  using Vector = Eigen::VectorXd;
  using Index = Eigen::Index;

  struct Point {
    Vector place;
    bool is_own = true;  // drawn from the present distribution
  };

  // Points of a generation: four fifths of the tutorial's lambda, at least 4. On functions of 2 to
  // 6 dimensions fewer points came nearer to the minimum in 100 and in 200 evaluations; the
  // restarts have more.
  static int PopulationOf(Index dimensions);

  CmaEvolution(const Vector& mean, double sigma);

  // The point of a draw from the standard normal distribution in R^d. `spread`: times as wide.
  Vector PointOf(const Vector& normal, double spread) const;
  // Takes a generation of at least two points, best first.
  void Update(const std::vector<Point>& ranked);
  // Makes a point on either side of the cell (low, high) of the mean at least as likely as `margin`
  // in all. An end may be infinite.
  void Keep(Index axis, double low, double high, double margin);

  double mean(Index axis) const { return mean_[axis]; }
  // The standard deviation along an axis.
  double Deviation(Index axis) const;
  // As above, or how fast the mean moved lately if that is more.
  double Reach(Index axis) const;
  // False when rounding has spoilt the distribution.
  bool IsSound() const { return is_sound_; }

 private:
  void Limit();
  void Decompose();

  Vector mean_;
  double sigma_;
  Vector scale_;                // of each axis
  Eigen::MatrixXd covariance_;  // without sigma and scale
  Vector path_;                 // p_c
  Vector sigma_path_;           // p_sigma
  Eigen::MatrixXd root_;        // B·D: of the covariance when it was last decomposed
  Eigen::MatrixXd inverse_;     // B·D^-1·B^T, the inverse of its symmetric root
  double since_ = 0;            // the share of the covariance that is newer
  double path_left_ = 1;        // (1 - c_sigma)^(2·generations)
  bool is_sound_ = true;
};

}  // namespace sweep
