#include "proto/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sweep {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHostCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool IsIpv6Character(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}

// An IPv6 address may end in a zone: fe80::1%eth0.
bool LooksLikeIpv6(std::string_view text) {
  const std::string_view address = text.substr(0, text.find('%'));
  return std::count(address.begin(), address.end(), ':') >= 2 &&
         std::all_of(address.begin(), address.end(), IsIpv6Character);
}

bool IsIpv6(const std::string& text) {
  const std::size_t zone = text.find('%');
  in6_addr parsed;
  return inet_pton(AF_INET6, text.substr(0, zone).c_str(), &parsed) == 1 &&
         (zone == text.npos || text.find(':', zone) == text.npos);
}

constexpr int kLastPort = 65535;
constexpr char kPortRange[] = "the port is a number from 1 to 65535";

// The right spelling of an IPv6 address without brackets; empty when the text is none. The last
// group of "::1:7077" may be a port if it has the digits of one above 1023: then the advice names
// both readings.
std::string Ipv6Advice(const std::string& text) {
  constexpr std::size_t kDigits = 4;
  constexpr int kLastReservedPort = 1023;
  const std::size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon), port = text.substr(colon + 1);
  std::vector<std::string> readings;
  if (port.size() >= kDigits && std::all_of(port.begin(), port.end(), IsDigit) && IsIpv6(host)) {
    int number = 0;
    const bool is_port = absl::SimpleAtoi(port, &number) && number <= kLastPort;
    if (!is_port) return kPortRange;
    if (number > kLastReservedPort) readings.push_back(absl::StrCat("[", host, "]:", port));
  }
  if (IsIpv6(text)) readings.push_back(absl::StrCat("[", text, "]:", kDefaultPort));
  if (readings.empty()) return "";
  return "write an IPv6 address in brackets: " + absl::StrJoin(readings, " or ");
}

absl::Status Refuse(std::string_view text, const std::string& why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is no HOST:PORT", why.empty() ? "" : ": ", why));
}

// "[::1]" of "[::1]:7077", "host" of "host:7077"; the remaining text begins with the colon or is
// empty.
std::string_view HostOf(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : text.npos;
  if (bracket != text.npos) return text.substr(0, bracket + 1);
  return text.substr(0, text.find(':'));
}

bool IsHost(std::string_view host) {
  if (host.starts_with('['))
    return host.ends_with(']') && IsIpv6(std::string(host.substr(1, host.size() - 2)));
  return !host.empty() && std::all_of(host.begin(), host.end(), IsHostCharacter);
}

// The address in a URL, without scheme and path.
std::string WithinUrl(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme != text.npos) text.remove_prefix(scheme + 3);
  while (text.starts_with('/')) text.remove_prefix(1);
  return std::string(text.substr(0, text.find_first_of("/?#")));
}

}  // namespace

absl::StatusOr<std::string> ParseAddress(std::string_view text) {
  if (text.find('/') != text.npos) {
    const absl::StatusOr<std::string> within = ParseAddress(WithinUrl(text));
    return Refuse(text, within.ok() ? absl::StrCat("write ", *within) : "");
  }
  if (LooksLikeIpv6(text)) return Refuse(text, Ipv6Advice(std::string(text)));
  const std::string_view host = HostOf(text);
  if (std::all_of(text.begin(), text.end(), IsDigit)) {
    return Refuse(text, text.empty() ? "" : absl::StrCat("write 127.0.0.1:", std::string(text)));
  }
  if (!IsHost(host)) return Refuse(text, "");
  std::string_view port = text.substr(host.size());
  if (port.empty()) return absl::StrCat(std::string(text), ":", kDefaultPort);
  port.remove_prefix(1);
  int number = 0;
  const bool digits = !port.empty() && std::all_of(port.begin(), port.end(), IsDigit);
  if (!digits || !absl::SimpleAtoi(std::string(port), &number) || number < 1 ||
      number > kLastPort) {
    return Refuse(text, kPortRange);
  }
  return std::string(text);
}

bool IsLoopbackAddress(std::string_view address) {
  const std::string host(HostOf(address));
  if (host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return host.starts_with("127.");
  in6_addr v6;
  return host.starts_with('[') && host.ends_with(']') &&
         inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace sweep
