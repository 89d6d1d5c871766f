// Row strips: copies operands into scratch, applying the operators before the convolution, and
// writes rows of results, applying those after it. Included once per instruction set.

#if defined(SWEEP_KERNELS_STRIP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_STRIP_INL_H_
#undef SWEEP_KERNELS_STRIP_INL_H_
#else
#define SWEEP_KERNELS_STRIP_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "worker/kernels/convolution.h"
#include "worker/kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// A rectangle of pixels. It may reach beyond the image, where it is zero.
struct Window {
  Range rows;
  Range columns;
  std::ptrdiff_t row_stride() const { return std::ptrdiff_t{columns.size()} * kGroup; }
  std::ptrdiff_t channel_stride() const { return row_stride() * rows.size(); }
  // The offset in scratch of a pixel of channel 0.
  std::ptrdiff_t At(int y, int x) const {
    return (y - rows.begin) * row_stride() + std::ptrdiff_t{x - columns.begin} * kGroup;
  }
};

// Loads a window of all channels of a block, row by row: rows.Place() is the destination of the
// next row, and rows.Complete() takes the finished row.
template <typename Pixels, typename Operand, typename Rows>
HWY_INLINE void LoadRows(const Operand& operand, const Shape& shape, int block, int lanes,
                         const Window& window, Rows& rows) {
  const LaneTag d;
  const std::ptrdiff_t group_stride = rows.group_stride();
  const Range inside{std::clamp(0, window.columns.begin, window.columns.end),
                     std::clamp(shape.width, window.columns.begin, window.columns.end)};
  for (int channel = 0; channel < shape.channels; ++channel) {
    const Pixels pixels(operand, shape, block, channel, lanes);
    for (int y = window.rows.begin; y < window.rows.end; ++y) {
      const bool outside = y < 0 || y >= shape.height;
      const Range filled = outside ? Range{window.columns.end, window.columns.end} : inside;
      float* HWY_RESTRICT out = rows.Place();
      for (int x = window.columns.begin; x < filled.begin; ++x, out += kGroup) {
        for (int g = 0; g < kGroups; ++g) hn::Store(hn::Zero(d), d, out + g * group_stride);
      }
      const int first = y * shape.width;
      for (int x = filled.begin; x < filled.end; ++x, out += kGroup) {
#pragma GCC unroll 4
        for (int g = 0; g < kGroups; ++g) {
          hn::Store(pixels.At(first + x, g), d, out + g * group_stride);
        }
      }
      for (int x = filled.end; x < window.columns.end; ++x, out += kGroup) {
        for (int g = 0; g < kGroups; ++g) hn::Store(hn::Zero(d), d, out + g * group_stride);
      }
      rows.Complete(channel, y);
    }
  }
}

// Stores the rows unchanged, one after another: [group][channel][row][column][kGroup].
class PlainRows {
 public:
  PlainRows(const Window& window, int channels, float* scratch)
      : row_stride_(window.row_stride()),
        group_stride_(window.channel_stride() * channels),
        next_(scratch) {}
  std::ptrdiff_t group_stride() const { return group_stride_; }
  float* Place() const { return next_; }
  void Complete(int, int) { next_ += row_stride_; }

 private:
  std::ptrdiff_t row_stride_, group_stride_;
  float* next_;
};

template <typename Rows>
HWY_NOINLINE void LoadSource(const Source& source, const Shape& shape, int block,
                             const Window& window, Rows rows) {
  Select(source.scale != nullptr, source.keep.bits != nullptr,
         [&]<bool kAffine, bool kMasked>() HWY_ATTR {
           LoadRows<SourcePixels<kAffine, kMasked>>(source, shape, block, kLanes, window, rows);
         });
}

template <typename Rows>
HWY_NOINLINE void LoadGradient(const GradientSource& source, const Shape& shape, int block,
                               int lanes, const Window& window, Rows rows) {
  Select(source.scale != nullptr, source.relu, [&]<bool kNormalized, bool kRelu>() HWY_ATTR {
    LoadRows<GradientPixels<kNormalized, kRelu>>(source, shape, block, lanes, window, rows);
  });
}

// A row strip of one block.
struct StripPlace {
  int block;
  int strip;
};

// Calls body(place) for the strips of a unit, which is one of `parts` of a block.
template <typename Body>
HWY_INLINE void ForEachStrip(int unit, int parts, int strips, const Body& body) {
  const Range of_unit = Shares(strips, parts)[unit % parts];
  for (int strip = of_unit.begin; strip < of_unit.end; ++strip) {
    body(StripPlace{unit / parts, strip});
  }
}

// A unit's share of `totals`, [unit][2][channels] or null, set to zero.
inline StripSums StartSums(double* totals, int channels, int unit, float* scratch) {
  const StripSums sums{scratch, totals == nullptr ? nullptr : totals + 2 * channels * unit,
                       channels};
  sums.Start();
  return sums;
}

// Adds the pixels of some rows to lane sums.
HWY_INLINE void AddPixels(const float* first, std::ptrdiff_t row_stride, int rows, int width,
                          float* total) {
  const LaneTag d;
  Lanes sum[2] = {hn::Zero(d), hn::Zero(d)};
  for (int row = 0; row < rows; ++row, first += row_stride) {
    ForEachPixel(0, width, [&](int x, int chain) HWY_ATTR {
      sum[chain] = hn::Add(sum[chain], hn::Load(d, first + x * kGroup));
    });
  }
  hn::Store(hn::Add(hn::Load(d, total), hn::Add(sum[0], sum[1])), d, total);
}

HWY_INLINE float SumOfLanesAt(const float* lanes) {
  const LaneTag d;
  return hn::GetLane(hn::SumOfLanes(d, hn::Load(d, lanes)));
}

// The destination of a tile's results: one row of one group of an operand, by channel and pixel of
// the row. Tiles prefetch the lines when they begin, so that storing does not wait for memory.
struct RowPlace {
  RowPlace(const Shape& shape, int block, int y, int of_group)
      : plane(std::ptrdiff_t{shape.height} * shape.width),
        first(block * shape.channels * plane + std::ptrdiff_t{y} * shape.width),
        group(of_group) {}

  // The offset in floats from the start of the batch.
  std::ptrdiff_t At(int channel, int pixel) const {
    return (first + channel * plane + pixel) * kLanes + group * kGroup;
  }
  template <int kPixels>
  HWY_INLINE void Prefetch(const float* batch, int channel, int pixel) const {
    const float* line = batch + At(channel, pixel);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) hwy::Prefetch(line + p * kLanes);
  }

  std::ptrdiff_t plane;
  std::ptrdiff_t first;
  int group;
};

// Finishes a row of a convolution's output: bias, ReLU and statistics.
struct OutputRow {
  template <int kPixels>
  HWY_INLINE void Prefetch(int channel, int pixel) const {
    place.Prefetch<kPixels>(work.output, channel, pixel);
  }

  template <int kPixels>
  HWY_INLINE void Finish(const Lanes (&results)[kPixels], int channel, int pixel) const {
    const LaneTag d;
    const Lanes bias = hn::Set(d, work.bias == nullptr ? 0.0f : work.bias[channel]);
    float* const out = work.output + place.At(channel, pixel);
    Lanes values[kPixels];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      values[p] = hn::Add(results[p], bias);
      if (work.relu) values[p] = Relu(values[p]);
      hn::Store(values[p], d, out + p * kLanes);
    }
    if (sums.total == nullptr) return;
    const Lanes pivot = hn::Set(d, work.pivot == nullptr ? 0.0f : work.pivot[channel]);
    Lanes sum = hn::Zero(d);
    Lanes square = hn::Zero(d);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      const Lanes centred = hn::Sub(values[p], pivot);
      sum = hn::Add(sum, centred);
      square = hn::MulAdd(centred, centred, square);
    }
    sums.Add(channel, place.group, sum, square);
  }

  const ConvolutionForward& work;
  RowPlace place;
  const StripSums& sums;
};

// Finishes a row of the gradient at a convolution's input and writes it to a sink.
struct InputGradientRow {
  template <int kPixels>
  HWY_INLINE void Prefetch(int channel, int pixel) const {
    place.Prefetch<kPixels>(sink.gradient, channel, pixel);
    if (sums.total != nullptr) place.Prefetch<kPixels>(sink.activation, channel, pixel);
  }

  template <int kPixels>
  HWY_INLINE void Finish(const Lanes (&results)[kPixels], int channel, int pixel) const {
    const LaneTag d;
    const Lanes factor = hn::Set(d, sink.keep_factor);
    float* const out = sink.gradient + place.At(channel, pixel);
    Lanes values[kPixels];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) values[p] = hn::Mul(results[p], factor);
    if (sink.keep.bits != nullptr) {
      const std::uint16_t* const keep = KeepPlane(sink.keep, shape, block, channel);
      const int step = sink.keep.per_channel ? 0 : 1;
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const std::uint16_t bits = keep[(y * shape.width + pixel + p) * step];
        values[p] = hn::IfThenElseZero(KeepMask(bits, place.group), values[p]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) hn::Store(values[p], d, out + p * kLanes);
    if (sums.total == nullptr) return;
    const float* const activation = sink.activation + place.At(channel, pixel);
    const Lanes mean = hn::Set(d, sink.mean[channel]);
    Lanes sum = hn::Zero(d);
    Lanes product = hn::Zero(d);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      const Lanes centred = hn::Sub(hn::Load(d, activation + p * kLanes), mean);
      sum = hn::Add(sum, values[p]);
      product = hn::MulAdd(values[p], centred, product);
    }
    sums.Add(channel, place.group, sum, product);
  }

  const GradientSink& sink;
  const Shape& shape;
  int block;
  int y;
  RowPlace place;
  const StripSums& sums;
};

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
