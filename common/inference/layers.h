#pragma once

// Internal to sweep_inference: the arithmetic of each layer.

#include <cstddef>
#include <span>
#include <vector>

#include "common/network/network.h"

namespace sweep {

// So many images go through a layer side by side: every activation is stored as
// [channel][row][column][lane], and the innermost loops run over the lanes. That keeps the loops
// plain, whatever kernel, stride and padding are, and lets the compiler vectorise them.
inline constexpr std::size_t kLanes = 8;

// Images [n][elements], n <= kLanes, to [elements][kLanes]; missing lanes are zero.
void Interleave(std::span<const float> images, std::size_t elements, std::vector<float>* out);

// False for what evaluation passes through as it is: dropout, and log_softmax, which LogSoftmax is.
bool ChangesValues(LayerKind kind);

// One layer: `in` has layer.input.elements() * kLanes values, `out` layer.output.elements() *
// kLanes. `weight` and `bias` as InferenceNetwork keeps them.
void RunLayer(const Layer& layer, std::span<const float> weight, std::span<const float> bias,
              std::span<const float> in, std::span<float> out);

// The log-probabilities of one lane of the last layer's output.
void LogSoftmax(std::span<const float> in, std::size_t lane, std::span<float> out);

}  // namespace sweep
