#pragma once

#include <cstddef>
#include <string>

namespace sweep {

// The kinds of file that an InputFile accepts.
enum class InputKind {
  kRegular,
  kStreamToo,  // also an inherited pipe (/dev/stdin, <(...)) and a terminal
};

// A file that somebody named, open for reading. Anything but a file is refused at once: opening a
// named pipe would wait for its writer, and a device may never end. The destructor closes the file.
class InputFile {
 public:
  explicit InputFile(const std::string& path, InputKind kind = InputKind::kRegular);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool ok() const { return fd_ >= 0; }
  // Why the file cannot be read, worded to follow its path: "is a pipe, not a file". "" when it
  // can.
  const std::string& error() const { return error_; }
  // True when nothing has that name.
  bool is_missing() const { return missing_; }
  int fd() const { return fd_; }
  // Hands the descriptor over to the caller, who closes it.
  int Release();
  // Reads the rest of the file, but at most `most_bytes` + 1 bytes, so that the caller can tell
  // that it is too long. False when reading fails; error() says why.
  bool Read(std::size_t most_bytes, std::string* bytes);

 private:
  void Open(const std::string& path, InputKind kind);
  void Refuse(const std::string& why);

  int fd_ = -1;
  bool missing_ = false;
  std::string error_;
};

}  // namespace sweep
