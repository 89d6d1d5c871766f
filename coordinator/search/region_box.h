#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "coordinator/search/cube_point.h"

namespace sweep {

// An axis of the unit cube that boxes are made in.
struct RegionAxis {
  bool ordered = true;
  std::int64_t steps = 0;    // ordered: equally wide values; 0: a continuum
  std::vector<double> ends;  // not ordered: where each category's part of [0, 1) ends
};

// What a box takes of an axis.
struct RegionSide {
  double low = 0, high = 1;      // ordered: [low, high)
  std::vector<bool> categories;  // not ordered: which
  bool exists = true;            // false: the box's runs do not have the parameter
};
using RegionBox = std::vector<RegionSide>;

// The share of the cube that the box takes.
double VolumeOf(const std::vector<RegionAxis>& axes, const RegionBox& box);
bool IsInside(const std::vector<RegionAxis>& axes, const RegionBox& box, const CubePoint& point);
std::size_t CategoryAt(const RegionAxis& axis, double coordinate);
// The point of the box at those shares of its sides, each in [0, 1).
CubePoint PlaceIn(const std::vector<RegionAxis>& axes, const RegionBox& box,
                  const std::vector<double>& shares);

// What is known of a run at a point.
struct RegionSample {
  CubePoint point;
  double chance = 0;        // that it meets the gates
  double low = 0;           // the same, if the model is wrong about it
  bool counts = true;       // false: the constraints exclude the point
  bool is_foreign = false;  // no box may have it: other parameters exist there
};

// What a box must hold on average.
struct RegionDemand {
  double chance = 0.9;
  double low = 0.8;
};

// Boxes within a domain, made of cells: each axis of the domain is divided into some, and a box
// takes neighbouring cells of an ordered axis and any of the others. A box always has the cell of
// its anchor. Chances are means over samples that are evenly spread over the domain. Pure.
//
// The volume of a box with a given mean is largest where the chance on all its faces is the same.
// So boxes are made smaller by the face with the least chance, one layer of cells at a time, and
// larger by that with the greatest ("patient rule induction", Friedman and Fisher, "Bump hunting in
// high-dimensional data", 1999).
class RegionCells {
 public:
  static constexpr int kCells = 24;  // of an axis, at most, but for categories

  // `axes` and `samples` must outlive the object; `anchor` is in the domain.
  RegionCells(const std::vector<RegionAxis>& axes, const RegionBox& domain,
              const std::vector<RegionSample>& samples, const CubePoint& anchor);

  RegionBox Box() const;
  double Volume() const;
  std::size_t Inside() const;  // samples
  bool Holds(const RegionDemand& demand) const;
  void Set(const RegionBox& box);  // the cells whose middle it has, and the anchor's

  // Takes one layer away, that with the least chance. False when only the anchor's cell is left.
  bool Peel();
  // Peels until the demand holds, at most down to `least` samples. True when it holds.
  bool PeelUntil(const RegionDemand& demand, std::size_t least);
  // Adds layers as long as the demand holds.
  void Grow(const RegionDemand& demand);
  // Tries, for each layer that can be added or taken away, whether a larger box follows.
  void Exchange(const RegionDemand& demand, int rounds);

 private:
  struct Cell {
    double low = 0, high = 0;
    std::size_t category = 0;
    bool is_anchor = false;
  };
  struct Sums {
    double count = 0, chance = 0, low = 0;
    bool foreign = false;

    void Add(const RegionSample& sample);
    double Mean() const { return count > 0 ? chance / count : 0; }
  };
  struct Layer {
    std::size_t axis = 0, cell = 0;
  };
  using State = std::vector<std::vector<char>>;  // by axis and cell: whether the box has it

  void Divide(std::size_t axis, const RegionSide& side, double anchor);
  std::size_t CellOf(std::size_t axis, double coordinate) const;
  bool CanRemove(const Layer& layer) const;
  bool CanAdd(const Layer& layer) const;
  // The samples in the box; by layer, those that would go or come.
  Sums Count(std::vector<std::vector<Sums>>* layers) const;
  static bool Holds(const Sums& sums, const RegionDemand& demand);

  const std::vector<RegionAxis>& axes_;
  const RegionBox domain_;
  const std::vector<RegionSample>& samples_;
  std::vector<std::vector<Cell>> cells_;           // by axis
  std::vector<std::vector<std::size_t>> cell_of_;  // by sample and axis
  State has_;
};

}  // namespace sweep
