#pragma once

// Helpers for the tests of this folder.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "worker/kernels/layout.h"
#include "worker/kernels/testing/reference.h"

namespace sweep::kernels {

// Runs a test body once per instruction set of this processor, best first.
void ForEachInstructionSet(const std::function<void()>& body);

// Random shapes and values from a fixed seed.
class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}
  int Int(int first, int last) {
    return std::uniform_int_distribution<int>(first, last)(generator_);
  }
  bool Coin() { return Int(0, 1) == 1; }
  // Values that are exact in float, so that kernel and reference read the same numbers.
  reference::Vector Normal(std::size_t count, double mean = 0, double stddev = 1);
  reference::Tensor Normal(int images, const Shape& shape, double mean = 0, double stddev = 1);
  // 1 where kept, 0 where dropped, in half of the places.
  reference::Tensor Mask(int images, const Shape& shape);

 private:
  std::mt19937 generator_;
};

AlignedBuffer<float> ToFloats(const reference::Vector& values);
// Blocks whose unused lanes hold `unused`.
AlignedBuffer<float> ToBlocks(const reference::Tensor& tensor, float unused = 1000);
AlignedBuffer<std::uint16_t> ToKeepBits(const reference::Tensor& mask);
reference::Tensor FromBlocks(const AlignedBuffer<float>& blocks, int images, const Shape& shape);
// True if the unused lanes of the last block are all zero.
bool UnusedLanesAreZero(const AlignedBuffer<float>& blocks, int images, const Shape& shape);

// ‖Δ‖₂ ≤ tolerance · ‖expected‖₂ and max|Δ| ≤ 1e-5 · max|expected|.
testing::AssertionResult Close(const reference::Vector& actual, const reference::Vector& expected,
                               double tolerance);
template <typename T>
reference::Vector ToDoubles(const T* values, std::size_t count) {
  return reference::Vector(values, values + count);
}

}  // namespace sweep::kernels
