#pragma once

#include <string>

#include "cli/connection.h"
#include "cli/session.h"

namespace sweep::cli {

// best --region: prints the ranges in which a share of the runs is expected to meet the criteria.
// `share`: "90%" or 0.9. Returns the exit code.
int BestRegion(Connection& connection, const std::string& sweep, const std::string& share,
               const Session& session);

}  // namespace sweep::cli
