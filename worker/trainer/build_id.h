#pragma once

#include <string>

namespace sweep {

// Identifies this program's code: the build id that its linker has written into it, in hexadecimal
// digits. "" when there is none.
std::string BuildId();

}  // namespace sweep
