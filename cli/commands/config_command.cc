#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/session.h"
#include "cli/user_settings.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

int ListSettings(const Session& session) {
  Listing listing;
  listing.columns = {{"SETTING", "key"}, {"VALUE", "value"}, {"FROM", "source", false, true, true}};
  for (const Setting& setting : session.settings) {
    listing.rows.push_back(
        {{setting.key, setting.key},
         {setting.value.empty() ? "–" : setting.value,
          setting.value.empty() ? nlohmann::json(nullptr) : nlohmann::json(setting.value)},
         {setting.source, setting.source}});
  }
  PrintListing(listing, session, std::cout);
  return kExitOk;
}

int Change(const absl::Status& status, const Session& session, const std::string& what) {
  if (!status.ok()) return Fail(status);
  Say(session, what);
  return kExitOk;
}

std::vector<std::string> KeyNames() {
  std::vector<std::string> names;
  for (const SettingInfo& info : SettingInfos()) names.push_back(info.key);
  return names;
}

}  // namespace

void AddConfigCommand(CLI::App* app, Session* session) {
  CLI::App* config = app->add_subcommand(
      "config",
      "Show or change settings\n"
      "Lists every setting with its value and where that comes from: a flag, an environment "
      "variable,\n"
      "the configuration file, or the default. The first of these that is given counts.");
  config->group("Files, workers, settings");
  config->require_subcommand(0, 1);
  config->footer(
      "Examples:\n"
      "  sweep config                                    what holds, and why\n"
      "  sweep config set coordinator trainer-1:7077     ask this one from now on\n"
      "  sweep config unset coordinator");
  config->callback([=] {
    if (config->get_subcommands().empty()) session->exit_code = ListSettings(*session);
  });

  auto key = std::make_shared<std::string>();
  auto value = std::make_shared<std::string>();
  CLI::App* set = config->add_subcommand("set",
                                         "Write a setting to the file\nComments in the file stay, "
                                         "and it is replaced as a whole or not at all.");
  set->add_option("KEY", *key, "the setting")->required()->check(OneOf(KeyNames()));
  set->add_option("VALUE", *value, "its value")->required();
  set->footer("Examples:\n  sweep config set format json");
  set->callback([=] {
    const std::string path = ConfigPath();
    session->exit_code = Change(SetInConfig(path, *key, *value), *session,
                                fmt::format("{} is {} from now on ({})", *key, *value, path));
  });

  CLI::App* unset = config->add_subcommand("unset", "Remove a setting from the file");
  unset->add_option("KEY", *key, "the setting")->required()->check(OneOf(KeyNames()));
  unset->footer("Examples:\n  sweep config unset format");
  unset->callback([=] {
    const std::string path = ConfigPath();
    session->exit_code = Change(UnsetInConfig(path, *key), *session,
                                fmt::format("{} is not in {} any more", *key, path));
  });
}

}  // namespace sweep::cli
