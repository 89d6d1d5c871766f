#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sweep {

// Cuts a byte stream into lines and holds at most `limit_bytes` of an unfinished one. Of a longer
// line the first `limit_bytes` are handed out, marked as cut, and the rest up to the newline is
// skipped, so that a program that never ends a line costs no memory. A carriage return begins the
// line anew, as it does on a terminal: of a progress bar only its last state is handed out. Not
// thread-safe.
class LineSplitter {
 public:
  // `cut` is true for a line that was longer than the limit. The text has no newline and no
  // carriage return and is valid only during the call.
  using Sink = std::function<void(std::string_view line, bool cut)>;

  explicit LineSplitter(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void Feed(std::string_view bytes, const Sink& sink);
  // At the end of the stream: hands out a last line that has no newline.
  void Finish(const Sink& sink);

 private:
  void Append(std::string_view piece, const Sink& sink);

  const std::size_t limit_bytes_;
  std::string line_;
  bool skipping_ = false;
  bool returned_ = false;  // a carriage return came last
};

}  // namespace sweep
