#include "coordinator/http/request_head.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxShown = 60;
constexpr std::string_view kLineEnd = "\r\n";

// RFC 9110 section 5.6.2.
bool IsTokenCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

bool IsFieldCharacter(char c) {
  return c == ' ' || c == '\t' || IsVisible(c) || static_cast<unsigned char>(c) >= 0x80;
}

absl::Status Bad(std::string_view what, std::string_view line) {
  return absl::InvalidArgumentError(
      fmt::format("the request is malformed: {} in the line {:?}", what,
                  line.substr(0, std::min(line.size(), kMaxShown))));
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

absl::Status ReadRequestLine(std::string_view line, RequestHead* head, bool* is_old) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("not a method, a target and a version", line);
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method)) return Bad("no method", line);
  if (target.empty() || !std::all_of(target.begin(), target.end(), IsVisible)) {
    return Bad("no target without spaces and control characters", line);
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Bad("no HTTP/1.1 or HTTP/1.0", line);
  *is_old = version == "HTTP/1.0";
  head->method = std::string(method);
  head->path = std::string(target.substr(0, target.find('?')));
  return absl::OkStatus();
}

// What may stand once only, or not beside another.
struct Seen {
  bool host = false;
  bool length = false;
  bool encoding = false;
};

absl::Status ReadField(std::string_view line, Seen* seen, RequestHead* head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Bad("no field name right before a colon", line);
  }
  const std::string name = absl::AsciiStrToLower(std::string(line.substr(0, colon)));
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), IsFieldCharacter)) {
    return Bad("a control character", line);
  }
  if (name == "host") {
    if (std::exchange(seen->host, true)) return Bad("a second Host", line);
  } else if (name == "content-length") {
    if (std::exchange(seen->length, true)) return Bad("a second Content-Length", line);
    const bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (!is_number || !absl::SimpleAtoi(std::string(value), &head->body_bytes)) {
      return Bad("no number of bytes", line);
    }
  } else if (name == "transfer-encoding") {
    seen->encoding = true;
  } else if (name == "expect") {
    head->awaits_continue = absl::AsciiStrToLower(std::string(value)) == "100-continue";
  }
  return absl::OkStatus();
}

// Cuts `head` at its line ends. A carriage return or line feed alone ends a line for some readers only.
absl::StatusOr<std::vector<std::string_view>> Lines(std::string_view head) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = head.find(kLineEnd);
    const std::string_view line = head.substr(0, end);
    if (line.find_first_of("\r\n") != std::string_view::npos) {
      return Bad("a line end that is not CR LF", line);
    }
    lines.push_back(line);
    if (end == std::string_view::npos) return lines;
    head.remove_prefix(end + kLineEnd.size());
  }
}

}  // namespace

absl::StatusOr<RequestHead> ParseRequestHead(std::string_view text) {
  const absl::StatusOr<std::vector<std::string_view>> lines = Lines(text);
  if (!lines.ok()) return lines.status();
  RequestHead head;
  bool is_old = false;
  if (absl::Status read = ReadRequestLine(lines->front(), &head, &is_old); !read.ok()) return read;
  Seen seen;
  for (std::size_t i = 1; i < lines->size(); ++i) {
    if (absl::Status read = ReadField((*lines)[i], &seen, &head); !read.ok()) return read;
  }
  const std::string_view first = lines->front();
  if (!seen.host && !is_old) return Bad("no Host follows", first);
  if (seen.encoding && seen.length) {
    return Bad("Transfer-Encoding and Content-Length follow, which say two sizes", first);
  }
  if (seen.encoding && is_old) return Bad("HTTP/1.0 has no Transfer-Encoding, which follows", first);
  return head;
}

}  // namespace sweep
