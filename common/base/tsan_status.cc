// Replaces abseil's own Status::UnrefNonInlined in ThreadSanitizer builds: ThreadSanitizer does not
// see the ordering by which the library drops the last reference to a status. Every program of such
// a build that uses abseil links this file.

#include <atomic>
#include <cstdint>

#include "absl/base/config.h"
#include "absl/status/status.h"

static_assert(ABSL_LTS_RELEASE_VERSION == 20220623, "compare this file with status.cc");

void absl::Status::UnrefNonInlined(std::uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}
