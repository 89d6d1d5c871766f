#pragma once

// Internal to sweep_inference: the arithmetic of each layer.

#include <cstddef>
#include <span>
#include <vector>

#include "common/network/network.h"

namespace sweep {

// Number of images that go through a layer side by side: every activation is stored as
// [channel][row][column][lane], and the innermost loops run over the lanes. The loops stay plain
// for any kernel, stride and padding, and the compiler can vectorise them.
inline constexpr std::size_t kLanes = 8;

// Turns images [n][elements], n <= kLanes, into [elements][kLanes]; missing lanes are zero.
void Interleave(std::span<const float> images, std::size_t elements, std::vector<float>* out);

// False for layers that evaluation skips: dropout, and log_softmax, which LogSoftmax computes.
bool ChangesValues(LayerKind kind);

// Computes one layer: `in` has layer.input.elements() * kLanes values, `out`
// layer.output.elements() * kLanes. `weight` and `bias` are as InferenceNetwork keeps them.
void RunLayer(const Layer& layer, std::span<const float> weight, std::span<const float> bias,
              std::span<const float> in, std::span<float> out);

// The log-probabilities of one lane of the last layer's output.
void LogSoftmax(std::span<const float> in, std::size_t lane, std::span<float> out);

}  // namespace sweep
