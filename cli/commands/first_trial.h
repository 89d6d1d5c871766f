#pragma once

#include "cli/session.h"
#include "cli/spec_input.h"
#include "worker/agent/agent.h"

namespace sweep::cli {

// Trains the sweep's first trial on this machine until its first epoch or its end, in a temporary
// database, and prints the result. `slots` is the number for the full run's estimate; 0: one per
// core. Returns the exit code: 0 when an epoch was reported.
int TryFirstTrial(const SweepInput& input, int slots, const AgentOptions& agent,
                  const Session& session);

}  // namespace sweep::cli
