#pragma once

#include <functional>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "common/base/mutex.h"

namespace sweep::cli {

// The last filter before a person sees output: escapes the remaining characters that no text here
// needs (direction and format characters, controls, bytes that are not UTF-8). Keeps line feeds,
// tabs and carriage returns and, with `allows_styles`, the colours and movements that this program
// makes. With `is_for_people` false, documents for programs pass unchanged, except on a terminal
// (`is_on_terminal`): there the same characters become JSON escapes, so that JSON keeps its
// meaning.
class PrintableBuffer final : public std::streambuf {
 public:
  struct Rules {
    std::function<bool()> is_for_people;
    std::function<bool()> allows_styles;
    std::function<bool()> is_on_terminal = [] { return false; };
  };
  PrintableBuffer(std::streambuf* target, Rules rules);

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  // Writes the complete sequences of the pending text; with `all`, everything.
  bool Write(bool all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::streambuf* const target_;
  const Rules rules_;
  Mutex mutex_;                                  // logs come from other threads
  std::string pending_ ABSL_GUARDED_BY(mutex_);  // an incomplete sequence
};

// Filters a stream through a PrintableBuffer while the object lives.
class PrintableStream {
 public:
  PrintableStream(std::ostream& stream, PrintableBuffer::Rules rules);
  ~PrintableStream();
  PrintableStream(const PrintableStream&) = delete;
  PrintableStream& operator=(const PrintableStream&) = delete;

 private:
  std::ostream& stream_;
  PrintableBuffer buffer_;
  std::streambuf* const before_;
};

}  // namespace sweep::cli
