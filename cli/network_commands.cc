#include <fmt/format.h>

#include <iostream>

#include "cli/session.h"
#include "cli/spec_input.h"
#include "cli/text.h"
#include "common/network/network_file.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

Cell Count(std::int64_t value) { return {WithSeparators(value), value}; }

std::string ShapeText(const Shape& shape) {
  return fmt::format("[{}, {}, {}]", shape.channels, shape.height, shape.width);
}

Cell Mega(std::int64_t flops) {
  const double mega = static_cast<double>(flops) / 1e6;
  return {fmt::format("{:.2f}", mega), mega};
}

Listing BuiltinListing() {
  Listing listing;
  listing.columns = {{"NETWORK", "network"},          {"PARAMS", "parameters", true},
                     {"FC LAYER", "fully_connected"}, {"LAYERS", "layers", true},
                     {"FORWARD MFLOP", "forward_mflop", true}, {"TRAIN MFLOP", "train_mflop", true},
                     {"RECEPTIVE FIELD", "receptive_field", true},
                     {"ABOUT", "description", false, true, true}};
  for (const std::string& name : BuiltinNetworkNames()) {
    const absl::StatusOr<std::string> text = BuiltinNetworkText(name);
    Diagnostics diagnostics;
    const absl::StatusOr<NetworkFile> file = NetworkFile::Parse(*text, name, &diagnostics);
    if (!file.ok()) continue;
    const absl::StatusOr<Network> network = ResolveWithRecipe(*file);
    if (!network.ok()) continue;
    listing.rows.push_back({{name, name},
                            Count(network->parameters),
                            {network->fully_connected ? "yes" : "no", network->fully_connected},
                            Count(static_cast<std::int64_t>(network->layers.size())),
                            Mega(network->forward_flops),
                            Mega(network->train_flops),
                            Count(network->receptive_field),
                            {file->description(), file->description()}});
  }
  return listing;
}

Listing LayerListing(const Network& network) {
  Listing listing;
  listing.columns = {{"LAYER", "layer"},
                     {"OUTPUT SHAPE", "output_shape"},
                     {"PARAMS", "parameters", true},
                     {"FORWARD MFLOP", "forward_mflop", true},
                     {"TRAIN MFLOP", "train_mflop", true},
                     {"RECEPTIVE FIELD", "receptive_field", true}};
  int number = 0;
  for (const Layer& layer : network.layers) {
    ++number;
    listing.rows.push_back({{fmt::format("{} {}", number, DescribeLayer(layer)), DescribeLayer(layer)},
                            {ShapeText(layer.output),
                             json::array({layer.output.channels, layer.output.height, layer.output.width})},
                            Count(layer.parameters),
                            Mega(layer.forward_flops),
                            Mega(layer.train_flops),
                            Count(layer.receptive_field)});
  }
  return listing;
}

int ShowNetwork(const std::string& name, const Session& session) {
  const absl::StatusOr<NetworkFile> file = ReadNetwork(name);
  if (!file.ok()) return FailInput(file.status());
  const absl::StatusOr<Network> network = ResolveWithRecipe(*file);
  if (!network.ok()) return FailInput(network.status());
  if (session.format == Format::kTable) {
    std::cout << Styled(session, Style::kBold, network->name) << "  " << Printable(file->description())
              << "\ninput " << ShapeText(network->input) << "\n\n";
  }
  PrintListing(LayerListing(*network), session.format, session.width, std::cout);
  if (session.format != Format::kTable) return kExitOk;
  std::cout << fmt::format(
      "\n{} trainable parameters, {}; {:.2f} MFLOP forward and {:.2f} MFLOP training per image;\n"
      "receptive field {} × {} pixels (kernel and stride arithmetic)\n",
      WithSeparators(network->parameters),
      network->fully_connected ? "with a fully connected layer" : "no fully connected layer",
      static_cast<double>(network->forward_flops) / 1e6, static_cast<double>(network->train_flops) / 1e6,
      network->receptive_field, network->receptive_field);
  for (const Recipe& recipe : file->recipes()) {
    std::cout << fmt::format("recipe {}:", recipe.name);
    for (const auto& [key, value] : recipe.values) std::cout << ' ' << key << '=' << FormatValue(value);
    for (const auto& [key, value] : recipe.ours) std::cout << ' ' << key << '=' << FormatValue(value) << "(ours)";
    std::cout << '\n';
  }
  return kExitOk;
}

}  // namespace

void AddNetworkCommands(CLI::App* app, Session* session) {
  CLI::App* networks = app->add_subcommand("networks", "The built-in networks, or one layer by layer");
  auto name = std::make_shared<std::string>();
  networks->add_option("NETWORK", *name, "built-in name or network file");
  networks->callback([=] {
    if (name->empty()) {
      PrintListing(BuiltinListing(), session->format, session->width, std::cout);
    } else {
      session->exit_code = ShowNetwork(*name, *session);
    }
  });
}

}  // namespace sweep::cli
