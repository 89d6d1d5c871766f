#include "common/command_line/program_settings.h"

#include <cstdlib>
#include <utility>

#include "common/command_line/setting_sources.h"

namespace sweep {
namespace {

// Keeps CLI11 from reading the variables of options while it lives: it would put a file before
// them, and its messages do not name them.
class VariablesAside {
 public:
  explicit VariablesAside(CLI::App* app) {
    for (CLI::Option* const option : app->get_options()) {
      names_.emplace_back(option, option->get_envname());
      option->envname("");
    }
  }
  ~VariablesAside() {
    for (const auto& [option, name] : names_) option->envname(name);
  }
  VariablesAside(const VariablesAside&) = delete;
  VariablesAside& operator=(const VariablesAside&) = delete;

 private:
  std::vector<std::pair<CLI::Option*, std::string>> names_;
};

}  // namespace

ProgramSettings::ProgramSettings(CLI::App* app) : app_(app) {
  config_ = app->add_option("--config", path_, "a YAML file with these settings")
                ->type_name("FILE")
                ->configurable(false)
                ->envname(VariablePrefix(*app) + "CONFIG")
                ->check([](const std::string& path) {
                  return path.empty() ? std::string("needs the name of a file") : std::string();
                });
  print_config_ =
      app->add_flag("--print-config", print_, "print the settings, and where each comes from")
          ->configurable(false);
  settings_ = SettingsOf(app);
}

ProgramSettings::~ProgramSettings() {
  app_->remove_option(config_);
  app_->remove_option(print_config_);
}

Diagnostics ProgramSettings::Parse(const std::vector<std::string>& words) {
  FindFile();
  const VariablesAside aside(app_);
  ParseSome(app_, words);
  TakeFlags();
  Diagnostics faults;
  TakeVariables(app_, &settings_, &faults);
  if (!path_origin_.empty()) TakeFile(path_, app_, &settings_, &faults);
  if (faults.empty()) ParseAll(words);
  return faults;
}

std::string ProgramSettings::FileAndOrigin() const {
  return path_origin_.empty() ? "none" : path_ + " (" + path_origin_ + ")";
}

void ProgramSettings::FindFile() {
  const std::string& variable = config_->get_envname();
  const char* const named = std::getenv(variable.c_str());
  if (named == nullptr || *named == '\0') return;
  path_ = named;
  path_origin_ = variable;
}

void ProgramSettings::TakeFlags() {
  if (config_->count() > 0) path_origin_ = "--config";
  for (Setting& setting : settings_) {
    if (setting.option->count() == 0) continue;
    setting.values = setting.option->results();
    setting.origin = setting.flag;
  }
}

void ProgramSettings::ParseAll(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  for (const Setting& setting : settings_) {
    if (setting.origin == setting.flag) continue;
    const std::vector<std::string> its = setting.Words();
    all.insert(all.end(), its.begin(), its.end());
  }
  // These last, since a "--" among them ends the options.
  all.insert(all.end(), words.begin(), words.end());
  try {
    app_->parse(std::vector<std::string>(all.rbegin(), all.rend()));
  } catch (const CLI::RequiredError&) {
    // To be printed, settings need not be complete: so begins a new file.
    if (!print_) throw;
  }
}

}  // namespace sweep
