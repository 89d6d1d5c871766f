#pragma once

#include <functional>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "common/base/mutex.h"

namespace sweep::cli {

// The last place before a person's eyes: what still holds characters that no text here needs
// (direction and format characters, controls, bytes that are no UTF-8) gets them as escapes. Line
// feeds, tabs and carriage returns stay, and with `allows_styles` the colours and movements that
// this program itself makes. `is_for_people` says whether that is wished: documents for programs go
// through as they are, but where a person looks at one (`is_on_terminal`): there the same
// characters are written as JSON writes them, so that JSON says the same.
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
  // Of what is pending, all that is whole; with `all`, everything.
  bool Write(bool all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::streambuf* const target_;
  const Rules rules_;
  Mutex mutex_;                                  // logs come from other threads
  std::string pending_ ABSL_GUARDED_BY(mutex_);  // a sequence that is not whole yet
};

// Puts a PrintableBuffer before a stream for as long as the object lives.
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
