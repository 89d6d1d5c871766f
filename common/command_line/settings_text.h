#pragma once

#include <string>
#include <vector>

#include "common/command_line/man_page.h"
#include "common/command_line/setting.h"

namespace sweep {

// What a program tells of its settings.

// A configuration file with one line for each setting: what holds and, in a comment, where it comes
// from. What nothing sets and has no default is a comment as a whole. `file` goes into the head.
std::string SettingsText(const std::vector<Setting>& settings, const std::string& program,
                         const std::string& file);

// The sentences below the options on the page of help: how file and environment spell them.
std::string SettingsNote(const std::vector<Setting>& settings);

// The sections of the manual on file and environment.
void AddSettings(const std::vector<Setting>& settings, ManPage* page);

// The table of docs/configuration.md: a row for each setting of `app`.
std::string SettingsTable(const CLI::App& app, const std::vector<Setting>& settings);

}  // namespace sweep
