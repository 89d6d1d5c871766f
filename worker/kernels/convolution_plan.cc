#include "worker/kernels/convolution_plan.h"

#include <algorithm>

namespace sweep::kernels {
namespace {

// Hands out places in scratch, each on a cache line.
class Places {
 public:
  std::size_t Take(std::size_t floats) {
    const std::size_t place = total_;
    total_ += (floats + kLanes - 1) / kLanes * kLanes;
    return place;
  }
  std::size_t total() const { return total_; }

 private:
  std::size_t total_ = 0;
};

std::size_t OffsetFloats(int count) {
  return static_cast<std::size_t>(count) * sizeof(std::ptrdiff_t) / sizeof(float);
}

// Cuts `height` rows so that a strip and `halo` more rows of `row_floats` fit into `bytes`.
int StripsFor(int height, std::size_t row_floats, int halo, std::size_t bytes) {
  const auto fitting = static_cast<int>(bytes / sizeof(float) / row_floats);
  return std::min(height, CeilDiv(height, std::max(1, fitting - halo)));
}

}  // namespace

ForwardPlan::ForwardPlan(const ConvolutionShape& conv) {
  const Shape output = conv.output();
  const auto columns = static_cast<std::size_t>(conv.input.width + 2 * conv.padding);
  const std::size_t row_floats = conv.input.channels * columns * kLanes;
  strips = StripsFor(output.height, row_floats, conv.kernel - 1, kStripBytes);
  Places places;
  window = places.Take(row_floats * (CeilDiv(output.height, strips) + conv.kernel - 1));
  sums = places.Take(std::size_t{2} * output.channels * kLanes);
  offsets = places.Take(OffsetFloats(conv.input.channels * conv.taps()));
  total = places.total();
}

BackwardPlan::BackwardPlan(const ConvolutionShape& conv) {
  const Shape output = conv.output();
  const int reach = conv.kernel - 1 - conv.padding;
  z_columns = {std::min(0, -reach), std::max(output.width, conv.input.width + conv.padding)};
  x_columns = {-conv.padding, conv.input.width + conv.padding};
  const std::size_t z_row = static_cast<std::size_t>(output.channels) * z_columns.size() * kLanes;
  const std::size_t x_row =
      static_cast<std::size_t>(conv.input.channels) * x_columns.size() * kLanes;
  strips = StripsFor(std::min(output.height, conv.input.height), z_row + x_row, conv.kernel - 1,
                     2 * kStripBytes);
  int z_rows = 0;
  int x_rows = 0;
  for (int strip = 0; strip < strips; ++strip) {
    const StripRows rows = Rows(conv, strip);
    z_rows = std::max(z_rows, rows.z.size());
    x_rows = std::max(x_rows, rows.x.size());
  }
  Places places;
  z_window = places.Take(z_row * z_rows);
  x_window = places.Take(x_row * x_rows);
  lane_sums = places.Take((conv.weights() + output.channels) * kLanes);
  sums = places.Take(std::size_t{2} * conv.input.channels * kLanes);
  offsets = places.Take(OffsetFloats(std::max(conv.input.channels, output.channels) * conv.taps()));
  total = places.total();
}

StripRows BackwardPlan::Rows(const ConvolutionShape& conv, int strip) const {
  StripRows rows;
  rows.output = Shares(conv.output().height, strips)[strip];
  rows.input = Shares(conv.input.height, strips)[strip];
  const int reach = conv.kernel - 1 - conv.padding;
  rows.z = {std::min(rows.output.begin, rows.input.begin - reach),
            std::max(rows.output.end, rows.input.end + conv.padding)};
  rows.x = {rows.output.begin - conv.padding, rows.output.end - conv.padding + conv.kernel - 1};
  return rows;
}

}  // namespace sweep::kernels
