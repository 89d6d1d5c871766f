#pragma once

#include <CLI/CLI.hpp>

#include "proto/channel_security.h"

namespace sweep {

// Adds the options of sweep-worker that say how it reaches its coordinator.
void AddSecurityFlags(CLI::App* app, ChannelSecurity* security);

}  // namespace sweep
