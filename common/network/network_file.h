#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/diagnostic.h"
#include "common/base/value.h"
#include "common/network/network.h"

namespace sweep {

// A named set of hyperparameters that a network file recommends.
struct Recipe {
  std::string name;             // "seed", "tuned"
  std::string source;           // where the values come from, in words
  ParameterMap values;          // given by the source
  ParameterMap ours;            // not given by the source; filled in by this project
  ParameterMap Merged() const;  // values and ours together
};

struct LayerTemplate;

// A parsed network file: a layer list whose numbers may refer to hyperparameters (`${width}`),
// with recipes. Immutable after parsing.
class NetworkFile {
 public:
  // Parses YAML text. Adds every error (file, line, nearest valid key) to `diagnostics` and then
  // returns InvalidArgument; never throws. A good file may have warnings. `file` is only for
  // messages.
  static absl::StatusOr<NetworkFile> Parse(std::string_view text, std::string_view file,
                                           Diagnostics* diagnostics);
  // Likewise for a file that was stored with a sweep of edition 1 (SweepSource::edition).
  static absl::StatusOr<NetworkFile> ParseAsStored(std::string_view text, std::string_view file,
                                                   Diagnostics* diagnostics);

  const std::string& name() const { return name_; }
  const std::string& description() const { return description_; }
  const std::string& file() const { return file_; }
  // The text it was parsed from.
  const std::string& text() const { return text_; }
  // The meaning of the text: equal for texts that differ only in comments, spacing or the order of
  // keys.
  const std::string& canonical() const { return canonical_; }
  // Hyperparameters that the layers refer to as ${name}, sorted. Includes "dropout" when a dropout
  // layer sets no probability.
  const std::vector<std::string>& references() const { return references_; }
  // Defaults of the file's own hyperparameters (its `parameters:` map, such as width: 16).
  const ParameterMap& defaults() const { return defaults_; }
  const std::vector<Recipe>& recipes() const { return recipes_; }
  // nullptr when there is no such recipe.
  const Recipe* FindRecipe(std::string_view name) const;
  // Pixel values are divided by 255, then (x - mean) / stddev.
  double normalize_mean() const { return normalize_mean_; }
  double normalize_stddev() const { return normalize_stddev_; }
  // "nll" (default) or "nll_batch_softmax"; "class_softmax" (default) or "batch_softmax".
  const std::string& loss() const { return loss_; }
  const std::string& evaluate_with() const { return evaluate_with_; }

  // Replaces the references by `parameters`, else by the file's defaults, and infers shapes.
  // InvalidArgument as "file:line: layer 3 (conv): …" when a number is missing, out of range or of
  // the wrong type, or a layer does not fit its input.
  absl::StatusOr<Network> Resolve(const ParameterMap& parameters) const;

 private:
  friend class NetworkFileParser;
  std::string name_, description_, file_, text_, canonical_;
  Shape input_{1, 28, 28};
  std::vector<std::string> references_;
  ParameterMap defaults_;
  std::vector<Recipe> recipes_;
  double normalize_mean_ = 0.1307;
  double normalize_stddev_ = 0.3081;
  std::string loss_ = "nll";
  std::string evaluate_with_ = "class_softmax";
  std::shared_ptr<const std::vector<LayerTemplate>> layers_;  // shared: copies of immutable data
};

// Names of the networks built into the binaries, in the order of the write-ups.
std::vector<std::string> BuiltinNetworkNames();
// The text of a built-in network's file; NotFound with the nearest name when there is none.
absl::StatusOr<std::string> BuiltinNetworkText(std::string_view name);

}  // namespace sweep
