#include "cli/present/printable_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/code_point.h"
#include "common/base/printable.h"
#include "common/base/utf8.h"

namespace sweep::cli {
namespace {

constexpr std::size_t kLongestSequence = 32;

// The length of an escape sequence of this program at the start of `text`: a colour or a movement
// of LiveBlock. 0: another sequence; npos: it may be incomplete.
std::size_t StyleLength(std::string_view text) {
  if (text.size() < 2) return std::string_view::npos;
  if (text[1] != '[') return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  if (end == std::string_view::npos) {
    return text.size() < kLongestSequence ? std::string_view::npos : 0;
  }
  // Sequences that erase lines take no number here: with one they could erase the screen.
  const bool is_ours = end == 2 ? std::string_view("mJK").find(text[end]) != std::string_view::npos
                                : std::string_view("mF").find(text[end]) != std::string_view::npos;
  return is_ours ? end + 1 : 0;
}

// The number of bytes at the end of `text` that begin an incomplete character.
std::size_t UnfinishedUtf8(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

// Cleans one part without styles. Keeps carriage returns, since bars begin with them.
std::string Clean(std::string_view text) {
  std::string clean;
  while (true) {
    const std::size_t at = text.find('\r');
    clean += PrintableLines(text.substr(0, at));
    if (at == std::string_view::npos) return clean;
    clean += '\r';
    text.remove_prefix(at + 1);
  }
}

// Makes a document safe for a terminal: writes the characters that Printable escapes as JSON
// escapes.
std::string InJson(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const char32_t point = length == 0 ? 0xFFFD : CodePoint(text.substr(0, length));
    if (length > 0 && (!IsUnprintable(point) || point == '\n' || point == '\t')) {
      clean += text.substr(0, length);
    } else if (point < 0x10000) {
      clean += fmt::format("\\u{:04x}", static_cast<unsigned>(point));
    } else {
      const unsigned rest = static_cast<unsigned>(point) - 0x10000;
      clean += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace

PrintableBuffer::PrintableBuffer(std::streambuf* target, Rules rules)
    : target_(target), rules_(std::move(rules)) {}

PrintableBuffer::int_type PrintableBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  MutexLock lock(&mutex_);
  pending_ += traits_type::to_char_type(c);
  return Write(/*all=*/false) ? c : traits_type::eof();
}

std::streamsize PrintableBuffer::xsputn(const char* text, std::streamsize size) {
  MutexLock lock(&mutex_);
  pending_.append(text, static_cast<std::size_t>(size));
  return Write(/*all=*/false) ? size : 0;
}

int PrintableBuffer::sync() {
  MutexLock lock(&mutex_);
  const bool written = Write(/*all=*/true);
  return written && target_->pubsync() == 0 ? 0 : -1;
}

bool PrintableBuffer::Write(bool all) {
  std::string text = std::exchange(pending_, {});
  std::string clean;
  if (!rules_.is_for_people()) {
    clean = std::move(text);
    if (rules_.is_on_terminal()) {
      const std::size_t left = all ? 0 : UnfinishedUtf8(clean);
      pending_ = clean.substr(clean.size() - left);
      clean = InJson(std::string_view(clean).substr(0, clean.size() - left));
    }
  } else {
    std::string_view left = text;
    while (!left.empty()) {
      std::size_t end = std::min(left.find('\x1b'), left.size());
      if (end == left.size() && !all) end -= UnfinishedUtf8(left);
      clean += Clean(left.substr(0, end));
      left.remove_prefix(end);
      if (left.empty()) break;
      if (left[0] != '\x1b') {
        pending_ = left;
        break;
      }
      const std::size_t style = rules_.allows_styles() ? StyleLength(left) : 0;
      if (style == std::string_view::npos && !all) {
        pending_ = left;
        break;
      }
      const bool is_style = style != 0 && style != std::string_view::npos;
      clean += is_style ? std::string(left.substr(0, style)) : Printable(left.substr(0, 1));
      left.remove_prefix(is_style ? style : 1);
    }
  }
  return target_->sputn(clean.data(), static_cast<std::streamsize>(clean.size())) ==
         static_cast<std::streamsize>(clean.size());
}

PrintableStream::PrintableStream(std::ostream& stream, PrintableBuffer::Rules rules)
    : stream_(stream), buffer_(stream.rdbuf(), std::move(rules)), before_(stream.rdbuf(&buffer_)) {}

PrintableStream::~PrintableStream() {
  stream_.flush();
  stream_.rdbuf(before_);
}

}  // namespace sweep::cli
