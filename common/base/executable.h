#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Why no system executes a file that begins with these bytes, in words that go on after "cannot be
// executed: ". "" when the bytes speak against nothing. Pure: knows neither the machine nor the
// file's permissions, so it serves where a program is only text yet. At least the first 4 KiB of a
// file are wanted, or all of it.
std::string WhyNotExecutable(std::string_view bytes);

// Why this process cannot execute what lies at `path`, likewise: it is absent, no file, lacks the
// permission, lies on a file system that is mounted noexec, has bytes as above, is made for another
// machine, or its interpreter is not there. Follows interpreters as the kernel does. A relative
// interpreter is looked for below `folder`, in which the program is to run ("": here).
std::string WhyNotExecutableFile(const std::string& path, const std::string& folder = "");

}  // namespace sweep
