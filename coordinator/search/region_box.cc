#include "coordinator/search/region_box.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sweep {
namespace {

double WidthOf(const RegionAxis& axis, std::size_t category) {
  return axis.ends[category] - (category == 0 ? 0 : axis.ends[category - 1]);
}

}  // namespace

double VolumeOf(const std::vector<RegionAxis>& axes, const RegionBox& box) {
  double volume = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!box[i].exists) continue;
    double width = axes[i].ordered ? box[i].high - box[i].low : 0;
    for (std::size_t c = 0; c < box[i].categories.size(); ++c) {
      if (box[i].categories[c]) width += WidthOf(axes[i], c);
    }
    volume *= width;
  }
  return volume;
}

std::size_t CategoryAt(const RegionAxis& axis, double coordinate) {
  const auto found = std::upper_bound(axis.ends.begin(), axis.ends.end(), coordinate);
  const auto last = std::ssize(axis.ends) - 1;
  return static_cast<std::size_t>(std::min(found - axis.ends.begin(), last));
}

bool IsInside(const std::vector<RegionAxis>& axes, const RegionBox& box, const CubePoint& point) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (std::isnan(point[i]) == box[i].exists) return false;
    if (!box[i].exists) continue;
    const bool is_in = axes[i].ordered ? point[i] >= box[i].low && point[i] < box[i].high
                                       : box[i].categories[CategoryAt(axes[i], point[i])];
    if (!is_in) return false;
  }
  return true;
}

CubePoint PlaceIn(const std::vector<RegionAxis>& axes, const RegionBox& box,
                  const std::vector<double>& shares) {
  CubePoint point(axes.size(), 0.5);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const RegionSide& side = box[i];
    if (!side.exists) continue;
    if (axes[i].ordered) {
      point[i] = std::min(side.low + shares[i] * (side.high - side.low), kBelowOne);
      continue;
    }
    double whole = 0;
    for (std::size_t c = 0; c < axes[i].ends.size(); ++c) {
      if (side.categories[c]) whole += WidthOf(axes[i], c);
    }
    double left = shares[i] * whole;
    for (std::size_t c = 0; c < axes[i].ends.size(); ++c) {
      if (!side.categories[c]) continue;
      const double width = WidthOf(axes[i], c);
      point[i] = axes[i].ends[c] - width + std::min(left, 0.999999 * width);
      if (left < width) break;
      left -= width;
    }
  }
  return point;
}

void RegionCells::Sums::Add(const RegionSample& sample) {
  foreign = foreign || sample.is_foreign;
  // Points that the constraints exclude are drawn by nobody.
  if (!sample.counts && !sample.is_foreign) return;
  ++count;
  if (sample.is_foreign) return;
  chance += sample.chance;
  low += sample.low;
}

RegionCells::RegionCells(const std::vector<RegionAxis>& axes, const RegionBox& domain,
                         const std::vector<RegionSample>& samples, const CubePoint& anchor)
    : axes_(axes), domain_(domain), samples_(samples), cells_(axes.size()) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (domain[i].exists) Divide(i, domain[i], anchor[i]);
    has_.emplace_back(cells_[i].size(), 1);
  }
  for (const RegionSample& sample : samples) {
    std::vector<std::size_t>& cells = cell_of_.emplace_back(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) cells[i] = CellOf(i, sample.point[i]);
  }
}

void RegionCells::Divide(std::size_t axis, const RegionSide& side, double anchor) {
  const RegionAxis& of = axes_[axis];
  std::vector<Cell>& cells = cells_[axis];
  if (!of.ordered) {
    for (std::size_t c = 0; c < of.ends.size(); ++c) {
      if (side.categories[c]) cells.push_back({.category = c});
    }
    const std::size_t own = CategoryAt(of, anchor);
    for (Cell& cell : cells) cell.is_anchor = cell.category == own;
    return;
  }
  std::vector<double> edges;
  for (int k = 0; k <= kCells; ++k) {
    double edge = side.low + (side.high - side.low) * k / kCells;
    // Between two values.
    const auto steps = static_cast<double>(of.steps);
    if (of.steps > 0) edge = std::round(edge * steps) / steps;
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    cells.push_back({.low = edges[k], .high = edges[k + 1]});
  }
  cells[CellOf(axis, anchor)].is_anchor = true;
}

std::size_t RegionCells::CellOf(std::size_t axis, double coordinate) const {
  const std::vector<Cell>& cells = cells_[axis];
  if (cells.empty()) return 0;
  if (!axes_[axis].ordered) {
    const std::size_t category = CategoryAt(axes_[axis], coordinate);
    const auto found = std::find_if(cells.begin(), cells.end(),
                                    [&](const Cell& cell) { return cell.category == category; });
    return static_cast<std::size_t>(found - cells.begin());
  }
  std::size_t cell = 0;
  while (cell + 1 < cells.size() && coordinate >= cells[cell].high) ++cell;
  return cell;
}

RegionBox RegionCells::Box() const {
  RegionBox box = domain_;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (!box[i].exists) continue;
    if (!axes_[i].ordered) {
      for (std::size_t c = 0; c < cells_[i].size(); ++c) {
        box[i].categories[cells_[i][c].category] = has_[i][c] != 0;
      }
      continue;
    }
    const auto first = std::find(has_[i].begin(), has_[i].end(), 1) - has_[i].begin();
    const auto last = has_[i].rend() - std::find(has_[i].rbegin(), has_[i].rend(), 1) - 1;
    box[i].low = cells_[i][static_cast<std::size_t>(first)].low;
    box[i].high = cells_[i][static_cast<std::size_t>(last)].high;
  }
  return box;
}

double RegionCells::Volume() const { return VolumeOf(axes_, Box()); }

void RegionCells::Set(const RegionBox& box) {
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    for (std::size_t c = 0; c < cells_[i].size(); ++c) {
      const Cell& cell = cells_[i][c];
      const double middle = (cell.low + cell.high) / 2;
      const bool is_in = axes_[i].ordered ? middle >= box[i].low && middle < box[i].high
                                          : box[i].categories[cell.category];
      has_[i][c] = cell.is_anchor || is_in ? 1 : 0;
    }
  }
}

bool RegionCells::CanRemove(const Layer& layer) const {
  const std::vector<char>& has = has_[layer.axis];
  if (has[layer.cell] == 0 || cells_[layer.axis][layer.cell].is_anchor) return false;
  if (!axes_[layer.axis].ordered) return true;
  return layer.cell == 0 || layer.cell + 1 == has.size() || has[layer.cell - 1] == 0 ||
         has[layer.cell + 1] == 0;
}

bool RegionCells::CanAdd(const Layer& layer) const {
  const std::vector<char>& has = has_[layer.axis];
  if (has[layer.cell] != 0) return false;
  if (!axes_[layer.axis].ordered) return true;
  return (layer.cell > 0 && has[layer.cell - 1] != 0) ||
         (layer.cell + 1 < has.size() && has[layer.cell + 1] != 0);
}

RegionCells::Sums RegionCells::Count(std::vector<std::vector<Sums>>* layers) const {
  if (layers != nullptr) {
    layers->clear();
    for (const std::vector<Cell>& cells : cells_) layers->emplace_back(cells.size());
  }
  Sums inside;
  for (std::size_t s = 0; s < samples_.size(); ++s) {
    std::size_t misses = 0, axis = 0;
    for (std::size_t i = 0; i < axes_.size() && misses < 2; ++i) {
      if (cells_[i].empty() || has_[i][cell_of_[s][i]] != 0) continue;
      ++misses;
      axis = i;
    }
    if (misses == 0) inside.Add(samples_[s]);
    if (layers == nullptr || misses > 1) continue;
    for (std::size_t i = misses == 1 ? axis : 0; i < (misses == 1 ? axis + 1 : axes_.size()); ++i) {
      if (!cells_[i].empty()) (*layers)[i][cell_of_[s][i]].Add(samples_[s]);
    }
  }
  return inside;
}

std::size_t RegionCells::Inside() const { return static_cast<std::size_t>(Count(nullptr).count); }

bool RegionCells::Holds(const Sums& sums, const RegionDemand& demand) {
  return sums.count > 0 && !sums.foreign && sums.chance >= demand.chance * sums.count &&
         sums.low >= demand.low * sums.count;
}

bool RegionCells::Holds(const RegionDemand& demand) const { return Holds(Count(nullptr), demand); }

bool RegionCells::Peel() {
  std::vector<std::vector<Sums>> layers;
  Count(&layers);
  Layer worst;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    for (std::size_t c = 0; c < cells_[i].size(); ++c) {
      if (!CanRemove({i, c}) || layers[i][c].Mean() >= least) continue;
      least = layers[i][c].Mean();
      worst = {i, c};
    }
  }
  if (std::isinf(least)) return false;
  has_[worst.axis][worst.cell] = 0;
  return true;
}

bool RegionCells::PeelUntil(const RegionDemand& demand, std::size_t least) {
  // Constraints may leave few of the points from the start.
  const std::size_t stop = std::min(least, 3 * Inside() / 5);
  while (!Holds(demand)) {
    if (Inside() < stop || !Peel()) return false;
  }
  return true;
}

void RegionCells::Grow(const RegionDemand& demand) {
  while (true) {
    std::vector<std::vector<Sums>> layers;
    const Sums inside = Count(&layers);
    Layer best;
    double greatest = -1;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      for (std::size_t c = 0; c < cells_[i].size(); ++c) {
        const Sums& more = layers[i][c];
        if (!CanAdd({i, c}) || more.count == 0 || more.Mean() <= greatest) continue;
        const Sums both = {.count = inside.count + more.count,
                           .chance = inside.chance + more.chance,
                           .low = inside.low + more.low,
                           .foreign = inside.foreign || more.foreign};
        if (!Holds(both, demand)) continue;
        greatest = more.Mean();
        best = {i, c};
      }
    }
    if (greatest < 0) return;
    has_[best.axis][best.cell] = 1;
  }
}

void RegionCells::Exchange(const RegionDemand& demand, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const State before = has_;
    State best = has_;
    double largest = Volume() * (1 + 1e-9);
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      for (std::size_t c = 0; c < cells_[i].size(); ++c) {
        has_ = before;
        const Layer layer = {i, c};
        if (!CanRemove(layer) && !CanAdd(layer)) continue;
        has_[i][c] = has_[i][c] != 0 ? 0 : 1;
        if (!PeelUntil(demand, 1)) continue;
        Grow(demand);
        if (Volume() <= largest) continue;
        largest = Volume();
        best = has_;
      }
    }
    has_ = best;
    if (has_ == before) return;
  }
}

}  // namespace sweep
