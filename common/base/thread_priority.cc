#include "common/base/thread_priority.h"

#include <sys/resource.h>

namespace sweep {

void LowerThreadPriority() {
  constexpr int kNice = 10;
  // On Linux of the thread alone. Lowering is always allowed; where it fails nothing is lost.
  if (getpriority(PRIO_PROCESS, 0) < kNice) {
    static_cast<void>(setpriority(PRIO_PROCESS, 0, kNice));
  }
}

}  // namespace sweep
