#include "common/base/input_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace sweep {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

// An anonymous pipe, as a shell makes between two programs.
bool IsAnonymous(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlink(link.c_str(), target.data(), target.size());
  return length > 0 &&
         std::string_view(target.data(), static_cast<std::size_t>(length)).starts_with("pipe:");
}

bool IsStream(int fd, mode_t mode) {
  return (S_ISFIFO(mode) && IsAnonymous(fd)) || (S_ISCHR(mode) && isatty(fd) == 1);
}

std::string WhatItIs(mode_t mode) {
  if (S_ISDIR(mode)) return "is a folder, not a file";
  if (S_ISFIFO(mode)) return "is a pipe, not a file";
  if (S_ISSOCK(mode)) return "is a socket, not a file";
  return "is a device, not a file";
}

}  // namespace

InputFile::InputFile(const std::string& path, InputKind kind) { Open(path, kind); }

void InputFile::Open(const std::string& path, InputKind kind) {
  // Without O_NONBLOCK, opening a named pipe would block.
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat info{};
  if (fd_ < 0) {
    const int error = errno;
    missing_ = error == ENOENT || error == ENOTDIR;
    const bool is_socket = error == ENXIO && stat(path.c_str(), &info) == 0;
    return Refuse(missing_    ? "no such file"
                  : is_socket ? WhatItIs(info.st_mode)
                              : std::string("cannot be opened: ") + std::strerror(error));
  }
  if (fstat(fd_, &info) != 0) return Refuse(std::string("cannot be read: ") + std::strerror(errno));
  const bool allowed =
      S_ISREG(info.st_mode) || (kind == InputKind::kStreamToo && IsStream(fd_, info.st_mode));
  if (!allowed) return Refuse(WhatItIs(info.st_mode));
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
}

InputFile::~InputFile() {
  if (fd_ >= 0) close(fd_);
}

void InputFile::Refuse(const std::string& why) {
  error_ = why;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

int InputFile::Release() { return std::exchange(fd_, -1); }

bool InputFile::Read(std::size_t most_bytes, std::string* bytes) {
  bytes->clear();
  while (fd_ >= 0 && bytes->size() <= most_bytes) {
    const std::size_t had = bytes->size();
    const std::size_t piece = std::min(kPieceBytes, most_bytes - had + 1);
    bytes->resize(had + piece);
    const ssize_t got = read(fd_, bytes->data() + had, piece);
    const int error = errno;
    bytes->resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    if (got < 0 && error != EINTR) Refuse(std::string("cannot be read: ") + std::strerror(error));
  }
  return error_.empty();
}

}  // namespace sweep
