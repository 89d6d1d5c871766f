#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Why no system executes a file that begins with these bytes, worded to follow "cannot be executed:
// ", or "" when the bytes look fine. Pure: needs neither the machine nor the file's permissions, so
// it also checks a program that is still text. Pass at least the first 4 KiB of a file, or all of
// it.
std::string WhyNotExecutable(std::string_view bytes);

// Why this process cannot execute the file at `path`, in the same form: it is absent, is no regular
// file, lacks the permission, lies on a file system mounted noexec, has wrong bytes (see above), is
// for another machine, or its interpreter is missing. Follows interpreters as the kernel does. A
// relative interpreter is looked up below `folder`, the working folder of the program ("": the
// current one).
std::string WhyNotExecutableFile(const std::string& path, const std::string& folder = "");

}  // namespace sweep
