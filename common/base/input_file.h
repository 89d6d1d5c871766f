#pragma once

#include <cstddef>
#include <string>

namespace sweep {

// What may be read from where somebody says that a file is.
enum class InputKind {
  kRegular,
  kStreamToo,  // also a pipe that this process was handed (/dev/stdin, <(...)) and a terminal
};

// A file that somebody named, open for reading. What is no file is refused at once instead of
// waited for: opening a named pipe waits for whoever writes into it, and a device may have no end.
// Closed with the object.
class InputFile {
 public:
  explicit InputFile(const std::string& path, InputKind kind = InputKind::kRegular);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool ok() const { return fd_ >= 0; }
  // Why it cannot be read, as something to say of the path: "is a pipe, not a file". "" when
  // it can.
  const std::string& error() const { return error_; }
  // Whether there is nothing of that name.
  bool is_missing() const { return missing_; }
  int fd() const { return fd_; }
  // The caller's from here on.
  int Release();
  // What is left of it, and of what is longer than `most_bytes` one byte more. False when reading
  // fails, and error() says why.
  bool Read(std::size_t most_bytes, std::string* bytes);

 private:
  void Open(const std::string& path, InputKind kind);
  void Refuse(const std::string& why);

  int fd_ = -1;
  bool missing_ = false;
  std::string error_;
};

}  // namespace sweep
