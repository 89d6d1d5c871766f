#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "cli/help/schemas.h"
#include "cli/session.h"
#include "common/command_line/options.h"
#include "common/spec/schema.h"

namespace sweep::cli {

void AddSchemaCommand(CLI::App* app, Session*) {
  CLI::App* schema = app->add_subcommand(
      "schema",
      "JSON Schema for editors\n"
      "Prints the schema (draft-07) of sweep files or of network files. An editor with a YAML\n"
      "language server completes keys and words by it and marks what is wrong while you type.\n"
      "Save it beside your files and name it in the first line of each:\n\n"
      "  # yaml-language-server: $schema=sweep.schema.json\n\n"
      "or for all of a folder, in VS Code (with the extension YAML by Red Hat) in\n"
      ".vscode/settings.json:\n\n"
      "  {\"yaml.schemas\": {\"./sweep.schema.json\": \"sweeps/*.yaml\",\n"
      "                    \"./network.schema.json\": \"nets/*.yaml\"}}\n\n"
      "A schema knows one file's structure. `sweep validate` also knows the networks, expressions\n"
      "and the search space.");
  schema->group("Files, workers, settings");
  schema->footer(
      "Examples:\n"
      "  sweep schema sweep > sweep.schema.json\n"
      "  sweep schema network > network.schema.json");
  auto kind = std::make_shared<std::string>();
  schema->add_option("KIND", *kind, "sweep or network")
      ->required()
      ->check(OneOf({"sweep", "network"}));
  schema->callback([kind] {
    const std::string_view text = *kind == "sweep" ? kSweepSchema : kNetworkSchema;
    std::cout << FillSchema(*kind, text) << std::flush;
  });
}

}  // namespace sweep::cli
