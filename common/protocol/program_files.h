#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace sweep {

// The files that a sweep brings along for its own trainer (`files:`): text by name. Read by the
// client, held against these rules by the coordinator, and again by the worker that writes them.
using ProgramFiles = std::map<std::string, std::string>;

inline constexpr std::size_t kMaxProgramFiles = 16;
inline constexpr std::size_t kMaxProgramBytes = std::size_t{1} << 20;  // together

// "" when a file may have that name, else why not: relative, of at most 255 bytes and 8 folders,
// without "." and "..", so that it stays below the folder that it is written into.
std::string CheckProgramFileName(std::string_view name);

// "" when the files may travel together, else why not: names, numbers, sizes, UTF-8 without NUL,
// and no name that is another's folder.
std::string CheckProgramFiles(const ProgramFiles& files);

// SHA-256 over names and texts; "" when there are none.
std::string ProgramDigest(const ProgramFiles& files);

}  // namespace sweep
