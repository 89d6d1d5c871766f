#include "coordinator/http/request_head.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "coordinator/http/http_rules.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxShown = 60;
constexpr std::string_view kLineEnd = "\r\n";

// Characters of a token, RFC 9110 section 5.6.2.
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
  return absl::InvalidArgumentError(fmt::format("the request is malformed: {} in the line {:?}",
                                                what,
                                                line.substr(0, std::min(line.size(), kMaxShown))));
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Characters of a host name, RFC 3986 section 3.2.2: unreserved, sub-delims and the percent sign.
bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("-._~%!$&'()*+,;=").find(c) != std::string_view::npos;
}

// uri-host [ ":" port ] of RFC 9110 section 7.2; may be empty.
bool IsHost(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', bracket);
  const std::string_view name = text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  if (!std::all_of(port.begin(), port.end(), is_digit)) return false;
  if (bracket == 0) return std::all_of(name.begin(), name.end(), IsHostCharacter);
  if (bracket + 1 != name.size()) return false;
  return std::all_of(name.begin() + 1, name.begin() + static_cast<std::ptrdiff_t>(bracket),
                     [](char c) { return c == ':' || IsHostCharacter(c); });
}

// Parses the target; false when no form allowed for the method fits (RFC 9112 section 3.2).
bool ReadTarget(std::string_view target, RequestHead* head, std::string_view* authority) {
  constexpr std::string_view kScheme = "http://";
  if (!std::all_of(target.begin(), target.end(), IsVisible)) return false;
  if (target.find('#') != std::string_view::npos) return false;
  if (EqualsIgnoreCase(target.substr(0, kScheme.size()), kScheme)) {
    head->origin_bytes = std::min(target.find_first_of("/?", kScheme.size()), target.size());
    *authority = target.substr(kScheme.size(), head->origin_bytes - kScheme.size());
    target.remove_prefix(head->origin_bytes);
    if (authority->empty() || !IsHost(*authority)) return false;
  } else if (head->method == "CONNECT") {
    return !target.empty() && IsHost(target);
  } else if (head->method == "OPTIONS" && target == "*") {
    return true;
  } else if (!target.starts_with('/')) {
    return false;
  }
  const std::string_view path = target.substr(0, target.find('?'));
  head->path = path.empty() ? "/" : std::string(path);
  return true;
}

absl::Status ReadRequestLine(std::string_view line, RequestHead* head, bool* is_old,
                             std::string_view* authority) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("not a method, a target and a version", line);
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method)) return Bad("no method", line);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Bad("no HTTP/1.1 or HTTP/1.0", line);
  *is_old = version == "HTTP/1.0";
  head->method = std::string(method);
  if (!ReadTarget(target, head, authority)) {
    return Bad(
        "no path, or address that begins with http://, without spaces, '#' and control "
        "characters",
        line);
  }
  return absl::OkStatus();
}

// Fields that may appear only once, or exclude each other.
struct Seen {
  std::optional<std::string_view> host;
  bool length = false;
  bool encoding = false;
};

// Without chunked as the last coding, the end of a body is unknown (RFC 9112 section 6.1).
absl::Status CheckEncoding(std::string_view value, std::string_view line) {
  if (EqualsIgnoreCase(value, "chunked")) return absl::OkStatus();
  const std::string_view last = Trimmed(value.substr(value.rfind(',') + 1));
  if (!EqualsIgnoreCase(last, "chunked")) return Bad("no chunked at the end", line);
  return absl::UnimplementedError(
      fmt::format("of all transfer codings only chunked is understood, not {:?}",
                  value.substr(0, std::min(value.size(), kMaxShown))));
}

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
    if (std::exchange(seen->host, value)) return Bad("a second Host", line);
    if (!IsHost(value)) return Bad("no host with or without a port", line);
  } else if (name == "content-length") {
    if (std::exchange(seen->length, true)) return Bad("a second Content-Length", line);
    const bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (!is_number || !absl::SimpleAtoi(std::string(value), &head->body_bytes)) {
      return Bad("no number of bytes", line);
    }
  } else if (name == "transfer-encoding") {
    if (std::exchange(seen->encoding, true)) return Bad("a second Transfer-Encoding", line);
    return CheckEncoding(value, line);
  } else if (name == "expect") {
    head->awaits_continue = absl::AsciiStrToLower(std::string(value)) == "100-continue";
  }
  return absl::OkStatus();
}

// Splits `head` at its line ends.
std::vector<std::string_view> Lines(std::string_view head) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = head.find(kLineEnd);
    lines.push_back(head.substr(0, end));
    if (end == std::string_view::npos) return lines;
    head.remove_prefix(end + kLineEnd.size());
  }
}

}  // namespace

absl::Status CheckLineEnds(std::string_view text) {
  std::size_t begin = 0;  // start of the line
  for (std::size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
       at = text.find_first_of("\r\n", at + kLineEnd.size())) {
    if (text[at] == '\r' && at + 1 == text.size()) break;  // the line feed may follow
    if (text.substr(at, kLineEnd.size()) != kLineEnd) {
      return Bad("a line end that is not CR LF", text.substr(begin, at + 1 - begin));
    }
    begin = at + kLineEnd.size();
  }
  return absl::OkStatus();
}

absl::StatusOr<RequestHead> ParseRequestHead(std::string_view text) {
  if (absl::Status ends = CheckLineEnds(text); !ends.ok()) return ends;
  if (text.ends_with('\r')) return Bad("a line end that is not CR LF", text);
  const std::vector<std::string_view> lines = Lines(text);
  const std::string_view first = lines.front();
  RequestHead head;
  bool is_old = false;
  std::string_view authority;
  if (absl::Status read = ReadRequestLine(first, &head, &is_old, &authority); !read.ok()) {
    return read;
  }
  Seen seen;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (absl::Status read = ReadField(lines[i], &seen, &head); !read.ok()) return read;
  }
  if (!seen.host && !is_old) return Bad("no Host follows", first);
  if (head.origin_bytes > 0 && !EqualsIgnoreCase(seen.host.value_or(authority), authority)) {
    return Bad("another host than that of the field Host", first);
  }
  if (seen.encoding && seen.length) {
    return Bad("Transfer-Encoding and Content-Length follow, which say two sizes", first);
  }
  if (seen.encoding && is_old)
    return Bad("HTTP/1.0 has no Transfer-Encoding, which follows", first);
  return head;
}

}  // namespace sweep
