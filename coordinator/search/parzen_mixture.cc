#include "coordinator/search/parzen_mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "common/base/normal.h"
#include "coordinator/search/parzen_lanes.h"

namespace sweep {
namespace {

constexpr std::int64_t kWide = std::numeric_limits<std::int64_t>::min();  // before all numbers
constexpr std::size_t kFullWeights = 25;
// Kernels are not narrower than the axis divided by this, or by 1 + their number if that is less.
constexpr double kMostPerAxis = 100;
constexpr float kNoKernel = -1e4f;
constexpr double kLeastLog = -80;  // of a probability in `rows`

int CellOf(double coordinate, int cells) {
  return std::clamp(static_cast<int>(coordinate * cells), 0, cells - 1);
}

int CellOf(double coordinate, const ParzenAxis& axis) {
  if (axis.shares.empty()) return CellOf(coordinate, axis.cells);
  int last = 0;
  for (int cell = 0; cell < axis.cells; ++cell) {
    const double share = axis.shares[static_cast<std::size_t>(cell)];
    if (coordinate < share) return cell;
    coordinate -= share;
    if (share > 0) last = cell;
  }
  return last;
}

double ShareOf(int cell, const ParzenAxis& axis) {
  return axis.shares.empty() ? 1.0 / axis.cells : axis.shares[static_cast<std::size_t>(cell)];
}

double MiddleOf(int cell, const ParzenAxis& axis) {
  if (axis.shares.empty()) return (cell + 0.5) / axis.cells;
  return std::accumulate(axis.shares.begin(), axis.shares.begin() + cell, ShareOf(cell, axis) / 2);
}

}  // namespace

ParzenMixture::ParzenMixture(const std::vector<ParzenAxis>& axes) {
  for (const ParzenAxis& kind : axes) {
    Axis& axis = axes_.emplace_back();
    axis.kind = kind;
    if (axis.has_rows()) axis.rows.assign(static_cast<std::size_t>(kind.cells), 0.0f);
  }
  Open(0);
  numbers_ = {kWide};
  points_.emplace_back(axes.size(), 0.5);
  for (Axis& axis : axes_) {
    // Of a category, the wide kernel is uniform.
    if (axis.kind.is_ordered) Insert(&axis, 0.5, kWide);
  }
}

std::size_t ParzenMixture::PlaceOf(std::int64_t number) const {
  return static_cast<std::size_t>(std::lower_bound(numbers_.begin(), numbers_.end(), number) -
                                  numbers_.begin());
}

bool ParzenMixture::Contains(std::int64_t number) const {
  const std::size_t place = PlaceOf(number);
  return place < numbers_.size() && numbers_[place] == number;
}

void ParzenMixture::Open(std::size_t place) {
  const std::size_t used = numbers_.size();
  const auto open = [&]<typename T>(std::vector<T>* values, T value, T none) {
    if (used == values->size()) values->resize(used + kLaneGroup, none);
    const auto at = values->begin() + static_cast<std::ptrdiff_t>(place);
    const auto end = values->begin() + static_cast<std::ptrdiff_t>(used);
    std::move_backward(at, end, end + 1);
    *at = value;
  };
  open(&base_, 0.0f, kNoKernel);
  open(&weight_, 0.0f, 0.0f);
  for (Axis& axis : axes_) {
    const float missing = axis.kind.is_ordered ? 0.0f : -1.0f;
    open(&axis.centre, missing, missing);
    open(&axis.scale, 0.0f, 0.0f);
    open(&axis.norm, 0.0f, 0.0f);
    open(&axis.row, 0, 0);
  }
}

void ParzenMixture::Close(std::size_t place) {
  const std::size_t used = numbers_.size();
  const auto close = [&]<typename T>(std::vector<T>* values, T none) {
    const auto at = values->begin() + static_cast<std::ptrdiff_t>(place);
    const auto end = values->begin() + static_cast<std::ptrdiff_t>(used);
    std::move(at + 1, end, at);
    *(end - 1) = none;
  };
  close(&base_, kNoKernel);
  close(&weight_, 0.0f);
  for (Axis& axis : axes_) {
    close(&axis.centre, axis.kind.is_ordered ? 0.0f : -1.0f);
    close(&axis.scale, 0.0f);
    close(&axis.norm, 0.0f);
    close(&axis.row, 0);
  }
}

double ParzenMixture::MinSigma() const {
  return 1 / std::min(kMostPerAxis, 2 + static_cast<double>(size()));
}

double ParzenMixture::SigmaAt(const Axis& axis, std::size_t place) const {
  const auto& sorted = axis.sorted;
  if (sorted[place].second == kWide) return 1;
  const double here = sorted[place].first;
  double left = place > 0 ? here - sorted[place - 1].first : 0;
  double right = place + 1 < sorted.size() ? sorted[place + 1].first - here : 0;
  if (sorted.size() == 1) {
    left = here;
    right = 1 - here;
  }
  return std::clamp(std::max(left, right), MinSigma(), 1.0);
}

std::int32_t ParzenMixture::FindRow(Axis* axis, double mean, double sigma) {
  const int cells = axis->kind.cells;
  const auto next = static_cast<std::int32_t>(axis->row_of.size()) + 1;
  const auto [place, is_new] =
      axis->row_of.try_emplace({CellOf(mean, cells), static_cast<float>(sigma)}, next);
  if (!is_new) return place->second;
  const double low = NormalCdf(-mean / sigma);
  const double all = NormalCdf((1 - mean) / sigma) - low;
  double before = low;
  for (int cell = 0; cell < cells; ++cell) {
    const double after = NormalCdf(((cell + 1.0) / cells - mean) / sigma);
    const double density = std::max(after - before, 0.0) / all * cells;
    axis->rows.push_back(static_cast<float>(density > 0 ? std::log(density) : kLeastLog));
    before = after;
  }
  return next;
}

void ParzenMixture::SetKernel(Axis* axis, std::size_t place) {
  const auto [mean, number] = axis->sorted[place];
  const double sigma = SigmaAt(*axis, place);
  const std::size_t kernel = PlaceOf(number);
  if (axis->has_rows()) {
    axis->row[kernel] = FindRow(axis, mean, sigma);
    return;
  }
  const double scale = 1 / (sigma * std::numbers::sqrt2);
  const double inside = 0.5 * (std::erf((1 - mean) * scale) + std::erf(mean * scale));
  axis->centre[kernel] = static_cast<float>(mean * scale);
  axis->scale[kernel] = static_cast<float>(scale);
  axis->norm[kernel] =
      static_cast<float>(-std::log(sigma * std::sqrt(2 * std::numbers::pi) * inside));
}

void ParzenMixture::SetAllKernels() {
  for (Axis& axis : axes_) {
    if (axis.has_rows()) {
      axis.rows.resize(static_cast<std::size_t>(axis.kind.cells));
      axis.row_of.clear();
    }
    for (std::size_t place = 0; place < axis.sorted.size(); ++place) SetKernel(&axis, place);
  }
}

void ParzenMixture::Insert(Axis* axis, double coordinate, std::int64_t number) {
  if (std::isnan(coordinate)) return;  // as it was opened
  if (!axis->kind.is_ordered) {
    axis->centre[PlaceOf(number)] = static_cast<float>(CellOf(coordinate, axis->kind));
    return;
  }
  const std::pair<double, std::int64_t> entry(coordinate, number);
  const auto at = std::lower_bound(axis->sorted.begin(), axis->sorted.end(), entry);
  const auto place = static_cast<std::size_t>(at - axis->sorted.begin());
  axis->sorted.insert(at, entry);
  if (place > 0) SetKernel(axis, place - 1);
  SetKernel(axis, place);
  if (place + 1 < axis->sorted.size()) SetKernel(axis, place + 1);
}

void ParzenMixture::Erase(Axis* axis, double coordinate, std::int64_t number) {
  if (std::isnan(coordinate) || !axis->kind.is_ordered) return;
  const std::pair<double, std::int64_t> entry(coordinate, number);
  const auto at = std::lower_bound(axis->sorted.begin(), axis->sorted.end(), entry);
  const auto place = static_cast<std::size_t>(at - axis->sorted.begin());
  axis->sorted.erase(at);
  if (place > 0) SetKernel(axis, place - 1);
  if (place < axis->sorted.size()) SetKernel(axis, place);
}

void ParzenMixture::Add(std::int64_t number, const CubePoint& point) {
  const std::size_t place = PlaceOf(number);
  Open(place);
  numbers_.insert(numbers_.begin() + static_cast<std::ptrdiff_t>(place), number);
  points_.insert(points_.begin() + static_cast<std::ptrdiff_t>(place), point);
  has_weights_ = false;
  for (std::size_t i = 0; i < axes_.size(); ++i) Insert(&axes_[i], point[i], number);
  if (static_cast<double>(size()) + 2 <= kMostPerAxis) SetAllKernels();
}

void ParzenMixture::Remove(std::int64_t number) {
  const std::size_t place = PlaceOf(number);
  const CubePoint point = points_[place];
  Close(place);
  numbers_.erase(numbers_.begin() + static_cast<std::ptrdiff_t>(place));
  points_.erase(points_.begin() + static_cast<std::ptrdiff_t>(place));
  has_weights_ = false;
  for (std::size_t i = 0; i < axes_.size(); ++i) Erase(&axes_[i], point[i], number);
  if (static_cast<double>(size()) + 2 < kMostPerAxis) SetAllKernels();
}

void ParzenMixture::SetWeights() {
  if (std::exchange(has_weights_, true)) return;
  const std::size_t ramp = size() > kFullWeights ? size() - kFullWeights : 0;
  const double least = size() > 0 ? 1 / static_cast<double>(size()) : 1;
  weight_[0] = 1;
  total_weight_ = 1;
  for (std::size_t i = 0; i < size(); ++i) {
    double weight = 1;
    if (i < ramp) {
      weight = ramp > 1
                   ? least + (1 - least) * static_cast<double>(i) / static_cast<double>(ramp - 1)
                   : least;
    }
    weight_[i + 1] = static_cast<float>(weight);
    total_weight_ += weight;
  }
}

double ParzenMixture::UniformPart(const Axis& axis) const {
  return axis.kind.cells / (static_cast<double>(size() + 1) + axis.kind.cells);
}

double ParzenMixture::DrawOn(const Axis& axis, std::size_t place, double u) const {
  const double mean = points_[place][static_cast<std::size_t>(&axis - axes_.data())];
  const int cells = axis.kind.cells;
  const bool is_uniform = std::isnan(mean) || (place == 0 && !axis.kind.is_ordered);
  if (is_uniform) return cells > 0 ? MiddleOf(CellOf(u, axis.kind), axis.kind) : u;
  if (!axis.kind.is_ordered) {
    const double uniform = UniformPart(axis);
    return MiddleOf(CellOf(u < uniform ? u / uniform : mean, axis.kind), axis.kind);
  }
  if (axis.has_rows()) {
    const float* const row = axis.rows.data() + std::ptrdiff_t{axis.row[place]} * cells;
    for (int cell = 0; cell < cells; ++cell) {
      u -= std::exp(static_cast<double>(row[cell])) / cells;
      if (u < 0) return (cell + 0.5) / cells;
    }
    return mean;
  }
  const double sigma = 1 / (static_cast<double>(axis.scale[place]) * std::numbers::sqrt2);
  const double low = NormalCdf(-mean / sigma);
  const double high = NormalCdf((1 - mean) / sigma);
  const double drawn = mean + sigma * NormalQuantile(low + u * (high - low));
  return std::clamp(drawn, 0.0, kBelowOne);
}

CubePoint ParzenMixture::Draw(PhiloxStream* random) {
  SetWeights();
  double left = random->NextUniform() * total_weight_;
  std::size_t place = 0;
  while (place < size() && (left -= static_cast<double>(weight_[place])) >= 0) ++place;
  CubePoint point;
  for (const Axis& axis : axes_) point.push_back(DrawOn(axis, place, random->NextUniform()));
  return point;
}

const float* ParzenMixture::ColumnOf(const Axis& axis, int cell, Columns* columns) {
  const auto [column, is_new] = columns->try_emplace({&axis, cell});
  if (is_new) {
    column->second.reserve(axis.row.size());
    const float* const at_cell = axis.rows.data() + cell;
    for (const std::int32_t row : axis.row) {
      column->second.push_back(at_cell[std::ptrdiff_t{row} * axis.kind.cells]);
    }
  }
  return column->second.data();
}

LaneAxis ParzenMixture::LaneOf(std::size_t axis_index, std::span<const CubePoint* const> points,
                               Columns* columns) const {
  const Axis& axis = axes_[axis_index];
  LaneAxis lane{.scale = axis.scale.data(), .centre = axis.centre.data()};
  if (!axis.kind.is_ordered) lane.kind = LaneAxis::Kind::kCategory;
  if (axis.has_rows()) lane.kind = LaneAxis::Kind::kCell;
  const double uniform = UniformPart(axis);
  for (std::size_t p = 0; p < points.size(); ++p) {
    const double coordinate = (*points[p])[axis_index];
    lane.coordinate[p] = static_cast<float>(coordinate);
    if (lane.kind == LaneAxis::Kind::kNumber) continue;
    const int cell = CellOf(coordinate, axis.kind);
    if (lane.kind == LaneAxis::Kind::kCell) {
      lane.at_cell[p] = ColumnOf(axis, cell, columns);
    } else {
      lane.coordinate[p] = static_cast<float>(cell);
      lane.same[p] =
          static_cast<float>(std::log((1 - uniform) / ShareOf(cell, axis.kind) + uniform));
      lane.other[p] = static_cast<float>(std::log(uniform));
    }
  }
  return lane;
}

// The logarithms of all kernels at their own points, on those axes.
std::vector<float> ParzenMixture::NormsOn(const std::vector<bool>& axes) const {
  std::vector<float> norms = base_;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (!axes[i]) continue;
    for (std::size_t kernel = 0; kernel < norms.size(); ++kernel) {
      norms[kernel] += axes_[i].norm[kernel];
    }
  }
  return norms;
}

std::vector<double> ParzenMixture::LogDensities(std::span<const CubePoint> points) {
  SetWeights();
  // Points that have the same axes can be looked at together.
  std::map<std::vector<bool>, std::vector<std::size_t>> by_shape;
  for (std::size_t p = 0; p < points.size(); ++p) by_shape[ShapeOf(points[p])].push_back(p);
  std::vector<double> densities(points.size());
  Columns columns;
  for (const auto& [shape, members] : by_shape) {
    const std::vector<float> norms = NormsOn(shape);
    for (std::size_t first = 0; first < members.size(); first += kLanePoints) {
      const std::size_t last = members.size() - 1;
      std::array<const CubePoint*, kLanePoints> group;  // the last point again, where too few
      for (std::size_t p = 0; p < kLanePoints; ++p) {
        group[p] = &points[members[std::min(first + p, last)]];
      }
      std::vector<LaneAxis> lanes;
      for (std::size_t i = 0; i < axes_.size(); ++i) {
        if (shape[i]) lanes.push_back(LaneOf(i, group, &columns));
      }
      const auto sums = LogSums(lanes, norms.data(), weight_.data(), norms.size());
      for (std::size_t p = 0; p < kLanePoints && first + p <= last; ++p) {
        densities[members[first + p]] = sums[p] - std::log(total_weight_);
      }
    }
  }
  return densities;
}

}  // namespace sweep
