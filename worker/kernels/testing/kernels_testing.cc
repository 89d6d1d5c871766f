#include "worker/kernels/testing/kernels_testing.h"

#include <algorithm>
#include <cmath>

#include "worker/kernels/targets.h"

namespace sweep::kernels {

void ForEachInstructionSet(const std::function<void()>& body) {
  for (const std::string& name : InstructionSets()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(UseInstructionSet(name));
    body();
  }
  UseInstructionSet(InstructionSets().front());
}

reference::Vector Random::Normal(std::size_t count, double mean, double stddev) {
  std::normal_distribution<double> distribution(mean, stddev);
  reference::Vector values(count);
  for (double& value : values) value = static_cast<float>(distribution(generator_));
  return values;
}

reference::Tensor Random::Normal(int images, const Shape& shape, double mean, double stddev) {
  reference::Tensor tensor(images, shape);
  tensor.values = Normal(tensor.values.size(), mean, stddev);
  return tensor;
}

reference::Tensor Random::Mask(int images, const Shape& shape) {
  reference::Tensor mask(images, shape);
  for (double& value : mask.values) value = static_cast<double>(generator_() % 2);
  return mask;
}

AlignedBuffer<float> ToFloats(const reference::Vector& values) {
  AlignedBuffer<float> floats(values.size());
  std::copy(values.begin(), values.end(), floats.data());
  return floats;
}

AlignedBuffer<float> ToBlocks(const reference::Tensor& tensor, float unused) {
  const AlignedBuffer<float> images = ToFloats(tensor.values);
  AlignedBuffer<float> blocks(BatchElements(tensor.shape, tensor.images));
  PackImages(images.data(), tensor.images, tensor.shape, blocks.data());
  const int lanes = LanesIn(tensor.images, Blocks(tensor.images) - 1);
  const std::size_t last = blocks.size() - BlockElements(tensor.shape);
  for (std::size_t i = last; i < blocks.size(); ++i) {
    if (static_cast<int>(i % kLanes) >= lanes) blocks[i] = unused;
  }
  return blocks;
}

AlignedBuffer<std::uint16_t> ToKeepBits(const reference::Tensor& mask) {
  const auto elements = static_cast<std::size_t>(mask.shape.elements());
  AlignedBuffer<std::uint16_t> bits(elements * Blocks(mask.images));
  for (int image = 0; image < mask.images; ++image) {
    for (std::size_t e = 0; e < elements; ++e) {
      const bool kept = mask.values[image * elements + e] != 0;
      bits[image / kLanes * elements + e] |= static_cast<std::uint16_t>(kept << image % kLanes);
    }
  }
  return bits;
}

reference::Tensor FromBlocks(const AlignedBuffer<float>& blocks, int images, const Shape& shape) {
  reference::Tensor tensor(images, shape);
  AlignedBuffer<float> floats(tensor.values.size());
  UnpackImages(blocks.data(), images, shape, floats.data());
  std::copy_n(floats.data(), floats.size(), tensor.values.begin());
  return tensor;
}

bool UnusedLanesAreZero(const AlignedBuffer<float>& blocks, int images, const Shape& shape) {
  const int lanes = LanesIn(images, Blocks(images) - 1);
  for (std::size_t i = blocks.size() - BlockElements(shape); i < blocks.size(); ++i) {
    if (static_cast<int>(i % kLanes) >= lanes && blocks[i] != 0) return false;
  }
  return true;
}

testing::AssertionResult Close(const reference::Vector& actual, const reference::Vector& expected,
                               double tolerance) {
  if (actual.size() != expected.size()) return testing::AssertionFailure() << "other sizes";
  double difference = 0, scale = 0, largest_difference = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double delta = std::abs(actual[i] - expected[i]);
    if (std::isnan(delta)) return testing::AssertionFailure() << "not a number at " << i;
    difference += delta * delta;
    scale += expected[i] * expected[i];
    largest_difference = std::max(largest_difference, delta);
    largest = std::max(largest, std::abs(expected[i]));
  }
  if (std::sqrt(difference) <= tolerance * std::sqrt(scale) &&
      largest_difference <= 1e-5 * largest) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "differ by " << std::sqrt(difference / std::max(scale, 1e-300))
         << " relatively, at most by " << largest_difference << " of " << largest;
}

}  // namespace sweep::kernels
