#include "worker/kernels/testing/reference.h"

#include <algorithm>
#include <cmath>

namespace sweep::kernels::reference {
namespace {

// Calls `body` with (image, channel, y, x) of every element.
template <typename Body>
void ForEach(const Tensor& tensor, Body body) {
  for (int n = 0; n < tensor.images; ++n) {
    for (int c = 0; c < tensor.shape.channels; ++c) {
      for (int y = 0; y < tensor.shape.height; ++y) {
        for (int x = 0; x < tensor.shape.width; ++x) body(n, c, y, x);
      }
    }
  }
}

Shape Pooled(const Shape& input, int kernel, int stride) {
  return {input.channels, (input.height - kernel) / stride + 1,
          (input.width - kernel) / stride + 1};
}

}  // namespace

Tensor Convolution(const Tensor& x, const Vector& weights, const Vector& bias, int out_channels,
                   int kernel, int padding) {
  const int grown = 2 * padding - kernel + 1;
  Tensor y(x.images, {out_channels, x.shape.height + grown, x.shape.width + grown});
  ForEach(y, [&](int n, int o, int row, int column) {
    double sum = bias.empty() ? 0 : bias[o];
    const double* weight = &weights[std::size_t(o) * x.shape.channels * kernel * kernel];
    for (int c = 0; c < x.shape.channels; ++c) {
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx) {
          sum += *weight++ * x.padded(n, c, row + ky - padding, column + kx - padding);
        }
      }
    }
    y.at(n, o, row, column) = sum;
  });
  return y;
}

Tensor ConvolutionInputGradient(const Tensor& output_gradient, const Vector& weights,
                                const Shape& input, int kernel, int padding) {
  Tensor gradient(output_gradient.images, input);
  ForEach(gradient, [&](int n, int c, int y, int x) {
    double sum = 0;
    for (int o = 0; o < output_gradient.shape.channels; ++o) {
      const double* weight = &weights[(std::size_t(o) * input.channels + c) * kernel * kernel];
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx) {
          sum += *weight++ * output_gradient.padded(n, o, y + padding - ky, x + padding - kx);
        }
      }
    }
    gradient.at(n, c, y, x) = sum;
  });
  return gradient;
}

Vector ConvolutionWeightGradient(const Tensor& x, const Tensor& output_gradient, int kernel,
                                 int padding) {
  const int channels = x.shape.channels;
  Vector gradient(std::size_t(output_gradient.shape.channels) * channels * kernel * kernel);
  ForEach(output_gradient, [&](int n, int o, int row, int column) {
    const double z = output_gradient.at(n, o, row, column);
    double* sum = &gradient[std::size_t(o) * channels * kernel * kernel];
    for (int c = 0; c < channels; ++c) {
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx) {
          *sum++ += z * x.padded(n, c, row + ky - padding, column + kx - padding);
        }
      }
    }
  });
  return gradient;
}

Vector ChannelSums(const Tensor& x) {
  Vector sums(x.shape.channels);
  ForEach(x, [&](int n, int c, int y, int i) { sums[c] += x.at(n, c, y, i); });
  return sums;
}

Tensor Relu(const Tensor& x) {
  Tensor y = x;
  for (double& value : y.values) value = std::max(value, 0.0);
  return y;
}

Tensor ReluGradient(const Tensor& y, const Tensor& gradient) {
  Tensor result = gradient;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    if (y.values[i] <= 0) result.values[i] = 0;
  }
  return result;
}

Statistics ChannelStatistics(const Tensor& x) {
  const double count = static_cast<double>(x.images) * x.shape.height * x.shape.width;
  Statistics statistics{ChannelSums(x), Vector(x.shape.channels)};
  for (double& mean : statistics.mean) mean /= count;
  ForEach(x, [&](int n, int c, int y, int i) {
    const double difference = x.at(n, c, y, i) - statistics.mean[c];
    statistics.variance[c] += difference * difference / count;
  });
  return statistics;
}

Tensor Normalize(const Tensor& x, const Statistics& statistics, const Vector& gamma,
                 const Vector& beta, double epsilon) {
  Tensor result(x.images, x.shape);
  ForEach(x, [&](int n, int c, int y, int i) {
    const double scale = gamma[c] / std::sqrt(statistics.variance[c] + epsilon);
    result.at(n, c, y, i) = (x.at(n, c, y, i) - statistics.mean[c]) * scale + beta[c];
  });
  return result;
}

BatchNormGradients BatchNormGradient(const Tensor& x, const Vector& gamma, const Tensor& gradient,
                                     double epsilon) {
  const int channels = x.shape.channels;
  const double count = static_cast<double>(x.images) * x.shape.height * x.shape.width;
  const Statistics statistics = ChannelStatistics(x);
  const Tensor hat = Normalize(x, statistics, Vector(channels, 1), Vector(channels, 0), epsilon);
  BatchNormGradients result{Tensor(x.images, x.shape), ChannelSums(Multiply(hat, gradient)),
                            ChannelSums(gradient)};
  ForEach(x, [&](int n, int c, int y, int i) {
    const double centred = gradient.at(n, c, y, i) - result.beta[c] / count -
                           hat.at(n, c, y, i) * result.gamma[c] / count;
    result.input.at(n, c, y, i) = centred * gamma[c] / std::sqrt(statistics.variance[c] + epsilon);
  });
  return result;
}

Tensor Multiply(const Tensor& a, const Tensor& b) {
  Tensor product = a;
  for (std::size_t i = 0; i < b.values.size(); ++i) product.values[i] *= b.values[i];
  return product;
}

namespace {

// Calls `body` with each pooled element and the index of its maximum in x.
template <typename Body>
void ForEachMaximum(const Tensor& x, const Shape& pooled, int kernel, int stride, Body body) {
  ForEach(Tensor(x.images, pooled), [&](int n, int c, int y, int i) {
    std::size_t best = x.Index(n, c, y * stride, i * stride);
    for (int ky = 0; ky < kernel; ++ky) {
      for (int kx = 0; kx < kernel; ++kx) {
        const std::size_t here = x.Index(n, c, y * stride + ky, i * stride + kx);
        if (x.values[here] > x.values[best]) best = here;
      }
    }
    body(n, c, y, i, best);
  });
}

}  // namespace

Tensor MaxPool(const Tensor& x, int kernel, int stride) {
  Tensor y(x.images, Pooled(x.shape, kernel, stride));
  ForEachMaximum(x, y.shape, kernel, stride, [&](int n, int c, int row, int i, std::size_t best) {
    y.at(n, c, row, i) = x.values[best];
  });
  return y;
}

Tensor MaxPoolGradient(const Tensor& x, const Tensor& gradient, int kernel, int stride) {
  Tensor result(x.images, x.shape);
  ForEachMaximum(x, gradient.shape, kernel, stride,
                 [&](int n, int c, int row, int i, std::size_t best) {
                   result.values[best] += gradient.at(n, c, row, i);
                 });
  return result;
}

Tensor AveragePool(const Tensor& x, int kernel, int stride) {
  Tensor pooled(x.images, Pooled(x.shape, kernel, stride));
  ForEach(pooled, [&](int n, int c, int y, int i) {
    double sum = 0;
    for (int ky = 0; ky < kernel; ++ky) {
      for (int kx = 0; kx < kernel; ++kx) sum += x.at(n, c, y * stride + ky, i * stride + kx);
    }
    pooled.at(n, c, y, i) = sum / (kernel * kernel);
  });
  return pooled;
}

Tensor AveragePoolGradient(const Tensor& gradient, const Shape& input, int kernel, int stride) {
  Tensor result(gradient.images, input);
  ForEach(gradient, [&](int n, int c, int y, int i) {
    for (int ky = 0; ky < kernel; ++ky) {
      for (int kx = 0; kx < kernel; ++kx) {
        result.at(n, c, y * stride + ky, i * stride + kx) +=
            gradient.at(n, c, y, i) / (kernel * kernel);
      }
    }
  });
  return result;
}

LossResult Loss(const Tensor& outputs, const std::vector<std::uint8_t>& labels, double smoothing,
                bool over_batch) {
  const int images = outputs.images;
  const int classes = outputs.shape.channels;
  // Softmax i runs over (i, 0), (i, 1) … or over (0, i), (1, i) ….
  const int softmaxes = over_batch ? classes : images;
  const int terms = over_batch ? images : classes;
  LossResult result{0, Tensor(images, outputs.shape)};
  for (int i = 0; i < softmaxes; ++i) {
    const auto element = [&](int term) {
      return over_batch ? outputs.Index(term, i, 0, 0) : outputs.Index(i, term, 0, 0);
    };
    const auto target = [&](int term) {  // weight of this element's log-probability
      const int image = over_batch ? term : i;
      const int label = over_batch ? i : term;
      return (labels[image] == label ? 1 - smoothing : 0) / images + smoothing / (images * classes);
    };
    double sum = 0;
    double weight = 0;
    for (int t = 0; t < terms; ++t) sum += std::exp(outputs.values[element(t)]);
    for (int t = 0; t < terms; ++t) {
      weight += target(t);
      result.loss -= target(t) * (outputs.values[element(t)] - std::log(sum));
    }
    for (int t = 0; t < terms; ++t) {
      const double probability = std::exp(outputs.values[element(t)]) / sum;
      result.gradient.values[element(t)] = weight * probability - target(t);
    }
  }
  return result;
}

}  // namespace sweep::kernels::reference
