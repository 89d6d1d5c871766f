#include "common/base/file_replacement.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace sweep {

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void SyncFolder(const std::string& folder) {
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

bool ReplaceFile(const std::string& target, std::string_view text,
                 const std::function<bool(int fd)>& prepare) {
  std::string temporary = target + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // with permissions 0600
  if (fd < 0) return false;
  const bool replaced = prepare(fd) && WriteAll(fd, text) && fsync(fd) == 0 &&
                        rename(temporary.c_str(), target.c_str()) == 0;
  const int reason = errno;
  close(fd);
  if (!replaced) unlink(temporary.c_str());
  SyncFolder(std::filesystem::path(target).parent_path());
  errno = reason;
  return replaced;
}

}  // namespace sweep
