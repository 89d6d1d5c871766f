#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/network/network.h"

namespace sweep {

// Of one layer.
constexpr int kMaxChannels = 65536;

// One number of a layer, or a switch: a field of Layer and what it may be.
struct LayerNumber {
  // What a layer has that does not say it.
  enum class Default {
    kNone,       // it must say it
    kLayers,     // what the field of a Layer has
    kKernel,     // its kernel's side
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
  std::string_view help;          // of the schema
  std::string_view label = name;  // in messages
};

// Where a layer stands.
struct LayerPlace {
  bool first_trainable = false;  // nothing before it can learn
  bool last = false;
};

// Which trainable tensors a layer has.
enum class LayerWeights {
  kNone,
  kFilters,  // weight {out, channels, kernel, kernel} and, if `bias`, bias {out}
  kMatrix,   // weight {out, elements} and, if `bias`, bias {out}
  kNorm,     // weight and bias {channels}, and running estimates
};

// All that is known of a kind of layer but how it is computed.
struct LayerKindInfo {
  LayerKind kind;
  std::string_view name;   // the word of network files and of the trainer's protocol
  std::string_view torch;  // the module in PyTorch
  std::string_view help;   // of the schema
  std::vector<LayerNumber> numbers = {};
  std::string_view short_form = "";  // the number that may stand alone, as in `max_pool: 2`
  std::string_view needs = "";       // what one without settings is told to have
  LayerWeights weights = LayerWeights::kNone;
  // Sets output, receptive field, parameters and FLOPs of a layer whose input is set and whose
  // output is its input. "" or why it does not fit. Null: there is nothing to set.
  std::string (*infer)(const LayerPlace& place, Layer* layer) = nullptr;
  // The numbers in words, "16 3×3". Null: there are none.
  std::string (*text)(const Layer& layer) = nullptr;
  // What makes the module in PyTorch, "nn.MaxPool2d(2, stride=2)".
  std::string (*python)(const Layer& layer) = nullptr;
};

// Every kind, in the order of LayerKind: the one table of their names, numbers and shapes. Network
// files, the trainer's protocol, the schema and the tables that people read follow it. How a layer
// is computed is said by switches without a default, so that compilers name those that lack a kind.
const std::vector<LayerKindInfo>& LayerKinds();
const LayerKindInfo& InfoOf(LayerKind kind);

// Bound on a layer's activations, per image.
inline constexpr std::int64_t kMaxLayerElements = std::int64_t{1} << 31;

// "" or "kernel is 300; allowed is 1 to 255".
std::string CheckRange(std::string_view what, std::int64_t value, std::int64_t low,
                       std::int64_t high);
// "28×28" and "1×28×28".
std::string FormatPlane(const Shape& shape);
std::string FormatShape(const Shape& shape);

}  // namespace sweep
