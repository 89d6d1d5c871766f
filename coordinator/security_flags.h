#pragma once

#include <CLI/CLI.hpp>

#include "coordinator/security/security_options.h"

namespace sweep {

// Adds the options of sweep-coordinator that protect it.
void AddSecurityFlags(CLI::App* app, SecurityOptions* security);

}  // namespace sweep
