#pragma once

namespace sweep {

// From now on the calling thread gives way to ordinary threads where processors are scarce: beside
// one that computes it gets a tenth of a processor. Not to be taken back. For work that nobody else
// waits for, and that holds no lock that others need for more than a moment.
void LowerThreadPriority();

}  // namespace sweep
