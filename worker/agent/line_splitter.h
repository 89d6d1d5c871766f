#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sweep {

// Splits a byte stream into lines and holds at most `limit_bytes` of an unfinished one. Of a longer
// line it hands out the first `limit_bytes`, marked as cut, and skips the rest up to the newline,
// so that a line without an end costs no memory. A carriage return restarts the line, as on a
// terminal: only the last state of a progress bar is handed out. Not thread-safe.
class LineSplitter {
 public:
  // `cut` is true for a line that was longer than the limit. The text has no newline and no
  // carriage return and is valid only during the call.
  using Sink = std::function<void(std::string_view line, bool cut)>;

  explicit LineSplitter(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void Feed(std::string_view bytes, const Sink& sink);
  // At the end of the stream: hands out a last line without a newline.
  void Finish(const Sink& sink);

 private:
  void Append(std::string_view piece, const Sink& sink);

  const std::size_t limit_bytes_;
  std::string line_;
  bool skipping_ = false;
  bool returned_ = false;  // a carriage return came last
};

}  // namespace sweep
