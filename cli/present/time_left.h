#pragma once

#include "absl/time/time.h"
#include "cli/connection.h"

namespace sweep::cli {

// How long an active sweep will take to its end if its latest trials are typical and as many go on
// running as run now; InfiniteDuration when that cannot be said (nothing runs, or nothing has
// completed yet). Two calls of bounded size for an active sweep, none for another.
absl::Duration EstimateTimeLeft(Connection& connection, const v1::Sweep& sweep);

}  // namespace sweep::cli
