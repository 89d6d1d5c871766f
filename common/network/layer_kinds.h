#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/network/network.h"

namespace sweep {

// Limit per layer.
constexpr int kMaxChannels = 65536;

// One number or switch of a layer: a field of Layer and its allowed values.
struct LayerNumber {
  // The value of a layer that does not set it.
  enum class Default {
    kNone,       // there is no default
    kLayers,     // the initial value of the field in Layer
    kKernel,     // the kernel's side
    kInFile,     // `in_file` in a network file; the trainer's protocol must say it
    kReference,  // ${dropout} in a network file; the trainer's protocol must say it
  };
  std::string_view name;  // the key in files and in the trainer's protocol
  std::variant<bool Layer::*, int Layer::*, double Layer::*> field;
  double min = 0;
  double max = 0;
  bool open_max = false;
  Default otherwise = Default::kNone;
  int in_file = 0;
  bool takes_same = false;        // `same`: half an odd kernel
  std::string_view help;          // for the schema
  std::string_view label = name;  // for messages
};

// The position of a layer in its network.
struct LayerPlace {
  bool first_trainable = false;  // no earlier layer can learn
  bool last = false;
};

// Which trainable tensors a layer has.
enum class LayerWeights {
  kNone,
  kFilters,  // weight {out, channels, kernel, kernel} and, if `bias`, bias {out}
  kMatrix,   // weight {out, elements} and, if `bias`, bias {out}
  kNorm,     // weight and bias {channels}, and running estimates
};

// Everything about a kind of layer except how it is computed.
struct LayerKindInfo {
  LayerKind kind;
  std::string_view name;   // the word of network files and of the trainer's protocol
  std::string_view torch;  // the module in PyTorch
  std::string_view help;   // for the schema
  std::vector<LayerNumber> numbers = {};
  std::string_view short_form = "";  // the number that may stand alone, as in `max_pool: 2`
  std::string_view needs = "";       // the end of the message for a layer without settings
  LayerWeights weights = LayerWeights::kNone;
  // Sets output, receptive field, parameters and FLOPs of a layer whose input is set and whose
  // output is its input. Returns "" or why the layer does not fit. Null: nothing to set.
  std::string (*infer)(const LayerPlace& place, Layer* layer) = nullptr;
  // The numbers as text, "16 3×3". Null: there are none.
  std::string (*text)(const Layer& layer) = nullptr;
  // The PyTorch expression for the module, "nn.MaxPool2d(2, stride=2)".
  std::string (*python)(const Layer& layer) = nullptr;
};

// Every kind, in the order of LayerKind: the one table of their names, numbers and shapes. Network
// files, the trainer's protocol, the schema and the tables that people read follow it. The code
// that computes a layer switches over LayerKind without a default, so that compilers name a missing
// kind.
const std::vector<LayerKindInfo>& LayerKinds();
const LayerKindInfo& InfoOf(LayerKind kind);

// Limit on a layer's activations per image.
inline constexpr std::int64_t kMaxLayerElements = std::int64_t{1} << 31;

// "" or "kernel is 300; allowed is 1 to 255".
std::string CheckRange(std::string_view what, std::int64_t value, std::int64_t low,
                       std::int64_t high);
// "28×28" and "1×28×28".
std::string FormatPlane(const Shape& shape);
std::string FormatShape(const Shape& shape);

}  // namespace sweep
