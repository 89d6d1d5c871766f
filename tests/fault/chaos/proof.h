#pragma once

#include <string>
#include <vector>

#include "tests/fault/chaos/ledger.h"

namespace sweep::chaos {

// Checks the database of a coordinator that has stopped after all its sweeps have ended: the file
// is sound, every planned trial was made and completed exactly once with all its epochs, attempts
// that are over are closed, no two attempts measured different numbers, the content of blobs
// matches their names, and everything in the ledger is stored. Returns a description of every
// violation.
std::vector<std::string> FindViolations(const std::string& database, const Ledger& ledger);

}  // namespace sweep::chaos
