#include "worker/kernels/convolution_plan.h"

#include <algorithm>

namespace sweep::kernels {
namespace {

// Allots places in scratch, each on a cache line of its own.
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

// The number of strips of `height` rows such that a strip and `halo` more rows fit into `bytes`.
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
    const StripRows rows = BackwardRows(conv, strips, strip);
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

StripRows BackwardRows(const ConvolutionShape& conv, int strips, int strip) {
  StripRows rows;
  rows.output = Shares(conv.output().height, strips)[strip];
  rows.input = Shares(conv.input.height, strips)[strip];
  const int reach = conv.kernel - 1 - conv.padding;
  rows.z = {std::min(rows.output.begin, rows.input.begin - reach),
            std::max(rows.output.end, rows.input.end + conv.padding)};
  rows.x = {rows.output.begin - conv.padding, rows.output.end - conv.padding + conv.kernel - 1};
  return rows;
}

namespace {

// Floats of one row of all channels, at their points.
std::size_t PlanesRowFloats(int channels, int tiles) {
  return std::size_t{kPoints} * channels * tiles * kLanes;
}

// Includes the vector that makes strides odd.
std::size_t PlanesFloats(int channels, int rows, int tiles) {
  return channels * Planes{{0, rows}, tiles}.channel_stride() * kLanes;
}

std::size_t ProductFloats(int channels) {
  return std::size_t{kPoints} * channels * kMostTileColumns * kLanes;
}

}  // namespace

WinogradForwardPlan::WinogradForwardPlan(const ConvolutionShape& conv) {
  const Shape output = conv.output();
  tiles = CeilDiv(output.width, kTileResults);
  strips = StripsFor(output.height, PlanesRowFloats(conv.input.channels, tiles), conv.kernel - 1,
                     kStripBytes);
  Places places;
  row = places.Take(std::size_t{kLanes} * TilePixels(tiles));
  planes = places.Take(
      PlanesFloats(conv.input.channels, CeilDiv(output.height, strips) + conv.kernel - 1, tiles));
  products = places.Take(ProductFloats(output.channels));
  sums = places.Take(std::size_t{2} * output.channels * kLanes);
  offsets = places.Take(OffsetFloats(conv.input.channels * conv.kernel));
  total = places.total();
}

WinogradBackwardPlan::WinogradBackwardPlan(const ConvolutionShape& conv) {
  const Shape output = conv.output();
  const int reach = conv.kernel - 1 - conv.padding;
  output_tiles = CeilDiv(output.width, kTileResults);
  input_tiles = CeilDiv(conv.input.width, kTileResults);
  z_columns = {-reach, std::max(kTileResults * output_tiles, TilePixels(input_tiles) - reach)};
  const std::size_t shared_row = std::max(PlanesRowFloats(output.channels, input_tiles),
                                          PlanesRowFloats(conv.input.channels, output_tiles));
  strips = StripsFor(std::min(output.height, conv.input.height),
                     shared_row + PlanesRowFloats(output.channels, output_tiles), conv.kernel - 1,
                     2 * kStripBytes);
  std::size_t shared = 0;
  std::size_t own = 0;
  for (int strip = 0; strip < strips; ++strip) {
    const StripRows rows = BackwardRows(conv, strips, strip);
    const int halo = conv.kernel - 1;
    shared = std::max({shared, PlanesFloats(output.channels, rows.input.size() + halo, input_tiles),
                       PlanesFloats(conv.input.channels, rows.output.size() + halo, output_tiles)});
    own = std::max(own, PlanesFloats(output.channels, rows.output.size(), output_tiles));
  }
  Places places;
  row = places.Take(std::size_t{kLanes} * std::max(z_columns.size(), TilePixels(output_tiles)));
  planes = places.Take(shared);
  z_planes = places.Take(own);
  products = places.Take(ProductFloats(conv.input.channels));
  lane_sums = places.Take((conv.weights() / conv.kernel * kPoints + output.channels) * kLanes);
  sums = places.Take(std::size_t{2} * conv.input.channels * kLanes);
  offsets = places.Take(OffsetFloats(std::max(conv.input.channels, output.channels) * conv.kernel));
  total = places.total();
}

}  // namespace sweep::kernels
