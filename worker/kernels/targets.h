#pragma once

#include <string>
#include <vector>

namespace sweep::kernels {

// The kernels are compiled for several instruction sets; the best that the processor has is chosen
// at run time.

// Those that this processor has, best first: "AVX3" (AVX-512), "AVX2", "SCALAR".
std::vector<std::string> InstructionSets();

// Uses that one from now on, for tests and comparisons. False when it is not in the list. Not while
// a kernel runs.
bool UseInstructionSet(const std::string& name);

}  // namespace sweep::kernels
