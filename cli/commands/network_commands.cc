#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "cli/present/cells.h"
#include "cli/present/network_table.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "cli/training/settings.h"
#include "common/network/layer_kinds.h"
#include "common/network/network_file.h"
#include "common/spec/parameter.h"

namespace sweep::cli {
namespace {

using cells::Count;
using cells::Mega;
using nlohmann::json;

Listing BuiltinListing() {
  Listing listing;
  listing.columns = {{"NETWORK", "network"},
                     {"PARAMS", "parameters", true},
                     {"FC LAYER", "fully_connected"},
                     {"LAYERS", "layers", true, true, false, 2},
                     {"FORWARD MFLOP", "forward_mflop", true},
                     {"TRAIN MFLOP", "train_mflop", true, true, false, 3},
                     {"FIELD", "receptive_field", true, true, false, 1},
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

struct NetworksOptions {
  std::string network;  // name or file; "": all built-in ones
  std::vector<std::string> settings;
  int batch = 0;
};

Listing LayerListing(const Network& network) {
  Listing listing;
  listing.columns = {{"", "layer"},          {"", "name"},          {"", "output_shape"},
                     {"", "parameters"},     {"", "forward_mflop"}, {"", "train_mflop"},
                     {"", "receptive_field"}};
  int number = 0;
  for (const Layer& layer : network.layers) {
    ++number;
    const std::string name = fmt::format("{}-{}", InfoOf(layer.kind).torch, number);
    listing.rows.push_back(
        {{"", DescribeLayer(layer)},
         {"", name},
         {"", json::array({layer.output.channels, layer.output.height, layer.output.width})},
         Count(layer.parameters),
         Mega(layer.forward_flops),
         Mega(layer.train_flops),
         Count(layer.receptive_field)});
  }
  return listing;
}

void PrintRecipes(const NetworkFile& file) {
  for (const Recipe& recipe : file.recipes()) {
    std::cout << "recipe " << Printable(recipe.name) << ":";
    for (const auto& [key, value] : recipe.values) {
      std::cout << ' ' << key << '=' << Printable(FormatValue(value));
    }
    for (const auto& [key, value] : recipe.ours) {
      std::cout << ' ' << key << '=' << Printable(FormatValue(value)) << "(ours)";
    }
    std::cout << '\n';
  }
}

absl::StatusOr<Network> ResolveWithSettings(const NetworkFile& file,
                                            const std::vector<std::string>& settings) {
  std::vector<std::string> warnings;
  const absl::StatusOr<ParameterMap> given = ParseSettings(settings, &warnings);
  if (!given.ok()) return given.status();
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
  const absl::Status names =
      CheckSettingNames(*given, NetworkParameterNames(file), absl::StrCat("network ", file.name()));
  if (!names.ok()) return names;
  ParameterMap values = RecipeValues(file);
  values.try_emplace("dropout", 0.0);
  for (const auto& [name, value] : *given) {
    const absl::Status allowed = CheckParameterValue(name, value);
    if (!allowed.ok()) return absl::InvalidArgumentError(absl::StrCat("--set ", allowed.message()));
    values[name] = value;
  }
  return file.Resolve(values);
}

int ShowNetwork(const NetworksOptions& options, const Session& session) {
  const absl::StatusOr<NetworkFile> file = ReadNetwork(options.network);
  if (!file.ok()) return FailInput(file.status());
  const absl::StatusOr<Network> network = ResolveWithSettings(*file, options.settings);
  if (!network.ok()) return FailInput(network.status());
  if (session.format != Format::kTable) {
    PrintListing(LayerListing(*network), session, std::cout);
    return kExitOk;
  }
  std::cout << Styled(session, Style::kBold, Printable(network->name)) << "  "
            << Printable(file->description()) << '\n'
            << NetworkTable(*network, options.batch, session.width);
  PrintRecipes(*file);
  return kExitOk;
}

int Networks(const NetworksOptions& options, const Session& session) {
  if (!options.network.empty()) return ShowNetwork(options, session);
  if (!options.settings.empty() || options.batch > 0) {
    return Fail(absl::InvalidArgumentError("--set and --batch go with a network"));
  }
  PrintListing(BuiltinListing(), session, std::cout);
  return kExitOk;
}

}  // namespace

void AddNetworkCommands(CLI::App* app, Session* session) {
  CLI::App* networks = app->add_subcommand(
      "networks",
      "List networks or layers\n"
      "Without a name the built-in networks. With the name of one, or the path of a network file, "
      "its layers with shapes, parameters, FLOPs per image (2 per multiply-add; training is "
      "forward "
      "and both gradients) and receptive field (kernel and stride arithmetic), then totals and "
      "memory in the form of torchsummary. The values of the recipe 'seed' hold, else of the "
      "first.");
  networks->group("Networks and models");
  networks->footer(
      "Examples:\n"
      "  sweep networks\n"
      "  sweep networks cnn-17216 --batch 128        memory of a batch\n"
      "  sweep networks my-net.yaml --set width=12   a file's own parameter");
  auto options = std::make_shared<NetworksOptions>();
  networks->add_option("NETWORK", options->network, "built-in name or network file");
  networks
      ->add_option("--set", options->settings, "value of a parameter of the network; repeatable")
      ->type_name("NAME=VALUE");
  networks->add_option("--batch", options->batch, "images in the shapes and the memory")
      ->check(CLI::Range(1, 1'000'000));
  networks->callback([=] { session->exit_code = Networks(*options, *session); });
}

}  // namespace sweep::cli
