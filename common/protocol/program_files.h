#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace sweep {

// The files that a sweep sends for its own trainer (`files:`), text by name. The client reads them;
// the coordinator checks these rules, and the worker again before it writes the files.
using ProgramFiles = std::map<std::string, std::string>;

inline constexpr std::size_t kMaxProgramFiles = 16;
inline constexpr std::size_t kMaxProgramBytes = std::size_t{1} << 20;  // together

// "", or why a file may not have that name. A name is relative, has at most 255 bytes and 8 folders
// and no "." or "..", so that the file stays below its target folder.
std::string CheckProgramFileName(std::string_view name);

// "", or why the files may not be sent together. Checks names, number, sizes, UTF-8 without NUL,
// and that no file has the name of another one's folder.
std::string CheckProgramFiles(const ProgramFiles& files);

// SHA-256 of names and texts; "" without files.
std::string ProgramDigest(const ProgramFiles& files);

}  // namespace sweep
