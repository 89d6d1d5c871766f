#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace sweep {

// Files that are there as a whole or not at all. What fails returns false and leaves the reason in
// errno.

// Writes all of `text`, also when signals come between.
bool WriteAll(int fd, std::string_view text);

// Makes new names in a folder ("": this one) survive a power failure, where the file system can.
void SyncFolder(const std::string& folder);

// Replaces the file at `target`, or makes it, durably and through a temporary file beside it, which
// is its owner's alone until `prepare` has given it other permissions. A link is replaced itself:
// resolve it before.
bool ReplaceFile(const std::string& target, std::string_view text,
                 const std::function<bool(int fd)>& prepare);

}  // namespace sweep
