#include "cli/models/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_replace.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/value.h"
#include "common/network/layer_kinds.h"

namespace sweep::cli {
namespace {

std::string ShapeText(const Shape& shape) {
  return fmt::format("{}×{}×{}", shape.channels, shape.height, shape.width);
}

// Makes text of a sweep safe for a comment: one line that cannot end the comment.
std::string CommentText(const std::string& text) {
  return absl::StrReplaceAll(Printable(text), {{"\"", "'"}, {"\\", "/"}, {"@", "(at)"}});
}

// Pads the lines to the longest and appends the comments.
std::string Aligned(const std::vector<std::string>& lines,
                    const std::vector<std::string>& comments) {
  std::size_t width = 0;
  for (const std::string& line : lines) width = std::max(width, line.size());
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += fmt::format("{}{:<{}}  # {}", i == 0 ? "" : "\n", lines[i], width, comments[i]);
  }
  return text;
}

std::string PythonLayers(const Network& network) {
  std::vector<std::string> lines, comments;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    lines.push_back("            " + InfoOf(layer.kind).python(layer) + ",");
    comments.push_back(fmt::format("{:>2}: {}", i, ShapeText(layer.output)));
    if (layer.parameters > 0) {
      comments.back() += fmt::format(", {} parameters", WithSeparators(layer.parameters));
    }
  }
  return Aligned(lines, comments);
}

constexpr char kLinearHelper[] = R"(
class Linear(nn.Linear):
    """Takes its input flat and gives [N, out, 1, 1], so that any layer can follow any other."""

    def forward(self, x):
        return super().forward(x.flatten(1))[:, :, None, None]

)";

std::string Facts(const TrialModel& model) {
  const v1::Trial& trial = model.trial;
  std::string text = fmt::format(
      "Trial {} of Sweep, seed {}: the weights after epoch {} of {}, with an accuracy of\n{} on "
      "the "
      "{} images of its evaluation. The weights file's SHA-256 is in trial.json.",
      ShortName(trial.name()), trial.seed(), model.epoch, trial.epochs(),
      MeasureText(kValidationAccuracy, model.accuracy), WithSeparators(trial.evaluation_images()));
  const std::string parameters = CommentText(ParametersText(trial));
  if (!parameters.empty()) text += "\nSearched: " + parameters;
  if (model.spec.evaluate_with == "batch_softmax") {
    text +=
        "\nThat accuracy is of a softmax over batches of 128 images; predict() takes the ordinary "
        "softmax\nover the classes, so its accuracy may differ.";
  }
  return text;
}

// The hyperparameters that differ from the trainer's defaults, and those that readers expect.
std::vector<std::string> RecipeNames(const nlohmann::json& spec) {
  const nlohmann::json defaults = nlohmann::json::parse(TrialSpecToJson(TrialSpec()));
  std::vector<std::string> names;
  for (const std::string& name : TrialParameterNames()) {
    const bool usual =
        name == "epochs" || name == "batch_size" || name == "lr" || name == "momentum";
    if (spec.contains(name) && (usual || spec[name] != defaults[name])) names.push_back(name);
  }
  return names;
}

std::string YamlNumber(const Layer& layer, const LayerNumber& number) {
  return std::visit(
      [&](auto member) {
        if constexpr (std::is_same_v<std::decay_t<decltype(layer.*member)>, int>) {
          return std::to_string(layer.*member);
        } else {
          return FormatValue(layer.*member);
        }
      },
      number.field);
}

// A single number stands alone; otherwise lists all values except unset switches.
std::string YamlLayer(const Layer& layer) {
  const LayerKindInfo& info = InfoOf(layer.kind);
  const std::string kind(info.name);
  if (info.numbers.empty()) return kind;
  if (info.numbers.size() == 1) return kind + ": " + YamlNumber(layer, info.numbers.front());
  std::string settings;
  for (const LayerNumber& number : info.numbers) {
    const auto* const is_on = std::get_if<bool Layer::*>(&number.field);
    if (is_on != nullptr && layer.**is_on == Layer().**is_on) continue;
    settings += fmt::format("{}{}: {}", settings.empty() ? "" : ", ", number.name,
                            YamlNumber(layer, number));
  }
  return fmt::format("{}: {{{}}}", kind, settings);
}

}  // namespace

std::string NetPy(const TrialModel& model) {
  const Network& network = model.spec.network;
  const bool has_log_softmax = network.layers.back().kind == LayerKind::kLogSoftmax;
  const auto is_linear = [](const Layer& layer) { return layer.kind == LayerKind::kLinear; };
  const bool has_linear = std::any_of(network.layers.begin(), network.layers.end(), is_linear);
  const std::string name = CommentText(network.name);
  const std::string result = has_log_softmax ? "self.layers(x).flatten(1)"
                                             : "self.layers(x).flatten(1).log_softmax(dim=1)";
  return absl::StrReplaceAll(
      std::string(NetPyTemplate()),
      {{"@TITLE@", fmt::format("The network {} with its weights, in plain PyTorch.", name)},
       {"@FACTS@", Facts(model)},
       {"@MEAN@", FormatDouble(model.spec.normalize_mean)},
       {"@STDDEV@", FormatDouble(model.spec.normalize_stddev)},
       {"@CHANNELS@", std::to_string(network.input.channels)},
       {"@HEIGHT@", std::to_string(network.input.height)},
       {"@WIDTH@", std::to_string(network.input.width)},
       {"@CLASSES@", std::to_string(network.classes)},
       {"@HELPERS@", has_linear ? kLinearHelper : ""},
       {"@SUMMARY@", fmt::format("{}: {} parameters.", name, WithSeparators(network.parameters))},
       {"@LAYERS@", PythonLayers(network)},
       {"@RESULT@", result}});
}

std::string NetworkYaml(const TrialModel& model) {
  const TrialSpec& spec = model.spec;
  const Network& network = spec.network;
  const std::string trial = ShortName(model.trial.name());
  std::string text = fmt::format(
      "# The network of trial {} with every number in place, written by `sweep model`.\n"
      "name: \"{}\"\n"
      "description: {} parameters; {} at epoch {} of trial {}\n"
      "input: [{}, {}, {}]\n"
      "normalize: {{mean: {}, stddev: {}}}\n"
      "loss: {}\n"
      "evaluate_with: {}\n\n"
      "layers:\n",
      trial, network.name, WithSeparators(network.parameters),
      MeasureText(kValidationAccuracy, model.accuracy), model.epoch, trial, network.input.channels,
      network.input.height, network.input.width, FormatDouble(spec.normalize_mean),
      FormatDouble(spec.normalize_stddev), spec.loss, spec.evaluate_with);
  std::vector<std::string> lines, comments;
  for (const Layer& layer : network.layers) {
    lines.push_back("  - " + YamlLayer(layer));
    comments.push_back(ShapeText(layer.output));
  }
  text += Aligned(lines, comments) + "\n";
  const nlohmann::json line = nlohmann::json::parse(model.spec_json);
  std::string values;
  for (const std::string& name : RecipeNames(line)) {
    const nlohmann::json& value = line[name];
    values += fmt::format("{}{}: {}", values.empty() ? "" : ", ", name,
                          value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text + fmt::format("\nrecipes:\n  seed:\n    source: trial {}\n    values: {{{}}}\n",
                            trial, values);
}

}  // namespace sweep::cli
