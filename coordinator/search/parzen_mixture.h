#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/cube_point.h"

namespace sweep {

struct LaneAxis;

// One coordinate of a point in the unit cube.
struct ParzenAxis {
  bool is_ordered = true;  // false: a category, whose values are equally far from each other
  int cells = 0;           // the number of values, each a cell; 0: every number
  // Of a category: the widths of the cells; empty when they are equally wide, as ordered ones are.
  std::vector<double> shares;
};

// A density over the unit cube: a weighted sum of one kernel for each point and of a wide one for
// the whole cube. A kernel is a product over the axes: a normal distribution that is cut off at the
// ends, or probabilities of the cells. The width of a point's kernel is the distance to its farther
// neighbour on the axis, as in Optuna's TPE (Watanabe, "Tree-structured Parzen estimator", 2023,
// arXiv:2304.11127). On an axis that the kernel's point or the other point lacks, it is uniform.
// Adding and removing a point takes time linear in the number of points, but little of it: only the
// neighbours' kernels change. Depends only on the points and their numbers, not on the order of the
// calls, to the last bit on one kind of processor. Not thread-safe.
class ParzenMixture {
 public:
  explicit ParzenMixture(const std::vector<ParzenAxis>& axes);

  // `number` identifies the point. The latest 25 numbers weigh 1, older ones less and less.
  void Add(std::int64_t number, const CubePoint& point);
  // Requires that it was added.
  void Remove(std::int64_t number);
  bool Contains(std::int64_t number) const;
  // Ascending; valid until a point is added or removed.
  std::span<const std::int64_t> Numbers() const { return std::span(numbers_).subspan(1); }
  std::size_t size() const { return numbers_.size() - 1; }

  // Draws a point, with a coordinate on every axis.
  CubePoint Draw(PhiloxStream* random);
  // The logarithm of the density at each point.
  std::vector<double> LogDensities(std::span<const CubePoint> points);

 private:
  // What the kernels are on one axis: the wide one first, then those of the points by number.
  struct Axis {
    ParzenAxis kind;
    std::vector<float> scale;       // 1 / (sigma * sqrt(2)); 0: uniform
    std::vector<float> centre;      // mean * scale; or the index of the category, missing: -1
    std::vector<float> norm;        // logarithm of the density at the mean
    std::vector<std::int32_t> row;  // of ordered cells: in `rows`
    // Coordinates in order, with the points' numbers.
    std::vector<std::pair<double, std::int64_t>> sorted;
    // Logarithms of the density at each cell, by row, for a mean's cell and a sigma. Row 0:
    // uniform.
    std::vector<float> rows;
    std::map<std::pair<int, float>, std::int32_t> row_of;

    bool has_rows() const { return kind.is_ordered && kind.cells > 0; }
  };

  // The logarithms of all kernels at a cell: gathered once for all points that lie there.
  using Columns = std::map<std::pair<const Axis*, int>, std::vector<float>>;

  // The place of a point's kernel, or where it would be.
  std::size_t PlaceOf(std::int64_t number) const;
  // Makes room at a place, and closes it.
  void Open(std::size_t place);
  void Close(std::size_t place);
  void SetWeights();
  double MinSigma() const;
  double SigmaAt(const Axis& axis, std::size_t place) const;
  void SetKernel(Axis* axis, std::size_t place);
  static std::int32_t FindRow(Axis* axis, double mean, double sigma);
  void Insert(Axis* axis, double coordinate, std::int64_t number);
  void Erase(Axis* axis, double coordinate, std::int64_t number);
  void SetAllKernels();
  double DrawOn(const Axis& axis, std::size_t place, double u) const;
  // The part of a category's kernel that is uniform; the rest belongs to the point's own value.
  double UniformPart(const Axis& axis) const;
  static const float* ColumnOf(const Axis& axis, int cell, Columns* columns);
  // The axis's kernels for kLanePoints points that have it, which refer to `columns`.
  LaneAxis LaneOf(std::size_t axis, std::span<const CubePoint* const> points,
                  Columns* columns) const;
  std::vector<float> NormsOn(const std::vector<bool>& axes) const;

  std::vector<Axis> axes_;
  std::vector<std::int64_t> numbers_;  // ascending; that of the wide kernel first
  std::vector<CubePoint> points_;      // in the order of numbers_
  // In the order of numbers_, and some more, so that there is a multiple of kLaneGroup.
  std::vector<float> base_;  // 0, or very low where there is no kernel
  std::vector<float> weight_;
  double total_weight_ = 1;
  bool has_weights_ = false;
};

}  // namespace sweep
