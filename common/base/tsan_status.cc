// The count of those who share a status's text, for ThreadSanitizer, which does not see that the
// library counts it down in order. Every program of a ThreadSanitizer build that uses abseil is
// linked with this file: its definition takes the place of the library's own.

#include <atomic>
#include <cstdint>

#include "absl/base/config.h"
#include "absl/status/status.h"

static_assert(ABSL_LTS_RELEASE_VERSION == 20220623, "compare this file with status.cc");

void absl::Status::UnrefNonInlined(std::uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}
