#pragma once

#include <string>
#include <vector>

namespace sweep::kernels {

// The kernels are compiled for several instruction sets; the best one that the processor has is
// chosen at run time.

// The instruction sets of this processor, best first: "AVX3" (AVX-512), "AVX2", "SCALAR".
std::vector<std::string> InstructionSets();

// Uses this one from now on, for tests and comparisons. False when it is not in the list. Must not
// be called while a kernel runs.
bool UseInstructionSet(const std::string& name);

}  // namespace sweep::kernels
