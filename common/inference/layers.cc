#include "common/inference/layers.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sweep {
namespace {

using Lanes = std::array<float, kLanes>;

// The part of a window that lies inside the image, along one side: kernel positions [begin, end)
// and the input position of the first.
struct Overlap {
  int begin;
  int end;
  int input;
};

Overlap Clip(int output, int kernel, int stride, int padding, int side) {
  const int start = output * stride - padding;
  const int begin = std::max(0, -start);
  return {begin, std::min(kernel, side - start), start + begin};
}

// Output channels that are computed together, so that each loaded input serves several products.
constexpr int kChannelsAtOnce = 4;

// One output pixel of `Channels` neighbouring channels, from `first` on.
template <int Channels>
void ConvPixel(const Layer& layer, const float* weight, const float* bias, const float* in,
               const Overlap& rows, const Overlap& columns, float* out) {
  const int width = layer.input.width;
  const std::size_t plane = static_cast<std::size_t>(layer.input.height) * width * kLanes;
  const std::size_t window = static_cast<std::size_t>(layer.kernel) * layer.kernel;
  const std::size_t filter = window * layer.input.channels;
  float sums[Channels][kLanes];
  for (int k = 0; k < Channels; ++k) std::fill_n(sums[k], kLanes, bias[k]);
  for (int c = 0; c < layer.input.channels; ++c, in += plane, weight += window) {
    for (int ky = rows.begin; ky < rows.end; ++ky) {
      const int y = rows.input + ky - rows.begin;
      const float* pixel = in + (static_cast<std::size_t>(y) * width + columns.input) * kLanes;
      const float* w = weight + static_cast<std::size_t>(ky) * layer.kernel + columns.begin;
      for (int kx = columns.begin; kx < columns.end; ++kx, pixel += kLanes, ++w) {
        for (int k = 0; k < Channels; ++k) {
          const float factor = w[static_cast<std::size_t>(k) * filter];
          for (std::size_t lane = 0; lane < kLanes; ++lane) sums[k][lane] += factor * pixel[lane];
        }
      }
    }
  }
  const std::size_t out_plane =
      static_cast<std::size_t>(layer.output.height) * layer.output.width * kLanes;
  for (int k = 0; k < Channels; ++k) std::copy_n(sums[k], kLanes, out + k * out_plane);
}

// Sums only window positions inside the image, which equals zero padding.
void Conv(const Layer& layer, std::span<const float> weight, std::span<const float> bias,
          std::span<const float> in, std::span<float> out) {
  const auto filter = static_cast<std::size_t>(layer.input.channels) * layer.kernel * layer.kernel;
  const Shape& to = layer.output;
  for (int first = 0; first < to.channels;) {
    const bool several = to.channels - first >= kChannelsAtOnce;
    for (int y = 0; y < to.height; ++y) {
      const Overlap rows = Clip(y, layer.kernel, layer.stride, layer.padding, layer.input.height);
      for (int x = 0; x < to.width; ++x) {
        const Overlap columns =
            Clip(x, layer.kernel, layer.stride, layer.padding, layer.input.width);
        const float* const w = weight.data() + static_cast<std::size_t>(first) * filter;
        float* const pixel =
            out.data() +
            ((static_cast<std::size_t>(first) * to.height + y) * to.width + x) * kLanes;
        if (several) {
          ConvPixel<kChannelsAtOnce>(layer, w, &bias[first], in.data(), rows, columns, pixel);
        } else {
          ConvPixel<1>(layer, w, &bias[first], in.data(), rows, columns, pixel);
        }
      }
    }
    first += several ? kChannelsAtOnce : 1;
  }
}

// The input has the order in which PyTorch flattens an image.
void Linear(const Layer& layer, std::span<const float> weight, std::span<const float> bias,
            std::span<const float> in, std::span<float> out) {
  const auto inputs = static_cast<std::size_t>(layer.input.elements());
  for (std::size_t o = 0; o < static_cast<std::size_t>(layer.out); ++o) {
    Lanes sum;
    sum.fill(bias[o]);
    for (std::size_t i = 0; i < inputs; ++i) {
      const float factor = weight[o * inputs + i];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum[lane] += factor * in[i * kLanes + lane];
      }
    }
    std::copy(sum.begin(), sum.end(), out.begin() + static_cast<std::ptrdiff_t>(o * kLanes));
  }
}

void BatchNorm(const Layer& layer, std::span<const float> factor, std::span<const float> summand,
               std::span<const float> in, std::span<float> out) {
  const std::size_t plane =
      static_cast<std::size_t>(layer.input.height) * layer.input.width * kLanes;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::size_t channel = i / plane;
    out[i] = in[i] * factor[channel] + summand[channel];
  }
}

// Calls reduce(channel's plane, first row, end row, first column, end column) for each output.
template <typename Reduce>
void Pool(const Layer& layer, std::span<const float> in, std::span<float> out,
          const Reduce& reduce) {
  const Shape& from = layer.input;
  const Shape& to = layer.output;
  const bool global = layer.kind == LayerKind::kGlobalAvgPool;
  float* result = out.data();
  for (int c = 0; c < to.channels; ++c) {
    const float* const plane =
        in.data() + static_cast<std::size_t>(c) * from.height * from.width * kLanes;
    for (int y = 0; y < to.height; ++y) {
      for (int x = 0; x < to.width; ++x, result += kLanes) {
        const int top = y * layer.stride;
        const int left = x * layer.stride;
        const int bottom = global ? from.height : top + layer.kernel;
        const int right = global ? from.width : left + layer.kernel;
        Lanes value;
        bool first = true;
        for (int row = top; row < bottom; ++row) {
          for (int column = left; column < right; ++column) {
            const float* const pixel =
                plane + (static_cast<std::size_t>(row) * from.width + column) * kLanes;
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
              value[lane] = first ? pixel[lane] : reduce(value[lane], pixel[lane]);
            }
            first = false;
          }
        }
        std::copy(value.begin(), value.end(), result);
      }
    }
  }
}

void AveragePool(const Layer& layer, std::span<const float> in, std::span<float> out) {
  Pool(layer, in, out, [](float a, float b) { return a + b; });
  const bool global = layer.kind == LayerKind::kGlobalAvgPool;
  const int pixels = global ? layer.input.height * layer.input.width : layer.kernel * layer.kernel;
  for (float& value : out) value /= static_cast<float>(pixels);
}

}  // namespace

void Interleave(std::span<const float> images, std::size_t elements, std::vector<float>* out) {
  out->assign(elements * kLanes, 0.0f);
  for (std::size_t i = 0; i < images.size(); ++i) {
    (*out)[i % elements * kLanes + i / elements] = images[i];
  }
}

bool ChangesValues(LayerKind kind) {
  return kind != LayerKind::kDropout && kind != LayerKind::kDropout2d &&
         kind != LayerKind::kLogSoftmax;
}

void RunLayer(const Layer& layer, std::span<const float> weight, std::span<const float> bias,
              std::span<const float> in, std::span<float> out) {
  switch (layer.kind) {
    case LayerKind::kConv:
      return Conv(layer, weight, bias, in, out);
    case LayerKind::kLinear:
      return Linear(layer, weight, bias, in, out);
    case LayerKind::kBatchNorm:
      return BatchNorm(layer, weight, bias, in, out);
    case LayerKind::kRelu:
      std::transform(in.begin(), in.end(), out.begin(), [](float x) { return x < 0 ? 0.0f : x; });
      return;
    case LayerKind::kMaxPool:
      return Pool(layer, in, out, [](float a, float b) { return a < b ? b : a; });
    case LayerKind::kAvgPool:
    case LayerKind::kGlobalAvgPool:
      return AveragePool(layer, in, out);
    case LayerKind::kDropout:
    case LayerKind::kDropout2d:
    case LayerKind::kLogSoftmax:
      std::copy(in.begin(), in.end(), out.begin());
      return;
  }
}

void LogSoftmax(std::span<const float> in, std::size_t lane, std::span<float> out) {
  float largest = in[lane];
  for (std::size_t i = 0; i < out.size(); ++i) largest = std::max(largest, in[i * kLanes + lane]);
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    sum += std::exp(static_cast<double>(in[i * kLanes + lane] - largest));
  }
  const double log_sum = std::log(sum);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<double>(in[i * kLanes + lane] - largest) - log_sum);
  }
}

}  // namespace sweep
