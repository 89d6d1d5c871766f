#include "common/command_line/likely.h"

#include <algorithm>
#include <map>

#include "common/base/nearest.h"

namespace sweep {
namespace {

using Words = std::vector<std::string>;

// Names from other programs, each with the flags that it may mean here.
const std::map<std::string, Words>& OtherNames() {
  static const auto* const names = new std::map<std::string, Words>{
      {"-v", {"--version"}},
      {"-V", {"--version"}},
      {"--verbose", {"--log-level"}},
      {"--debug", {"--log-level"}},
      {"--loglevel", {"--log-level"}},
      {"-j", {"--slots"}},
      {"--jobs", {"--slots"}},
      {"--workers", {"--slots"}},
      {"--parallel", {"--slots"}},
      {"--concurrency", {"--slots"}},
      {"-n", {"--top", "--limit", "--tail", "--slots"}},
      {"--n", {"--top", "--limit", "--tail"}},
      {"--num", {"--top", "--limit", "--tail"}},
      {"--count", {"--top", "--limit", "--tail"}},
      {"--lines", {"--tail"}},
      {"-f", {"--follow"}},
      {"-y", {"--yes"}},
      {"--force", {"--yes"}},
      {"--filter", {"--where"}},
      {"--database", {"--db"}},
      {"--host", {"--listen", "--coordinator"}},
      {"--port", {"--listen", "--coordinator"}},
      {"-p", {"--listen", "--coordinator"}},
      {"--bind", {"--listen"}},
      {"--address", {"--listen", "--coordinator"}},
      {"--server", {"--coordinator"}},
      {"--url", {"--coordinator"}},
      {"--master", {"--coordinator"}},
      {"--gpu", {"--device"}},
      {"--dashboard", {"--http"}},
      {"--data", {"--data-dir"}},
  };
  return *names;
}

bool IsAmong(const std::string& flag, const Words& flags) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

}  // namespace

std::string LikelyFlag(const std::string& flag, const Words& flags) {
  if (IsAmong(flag, flags)) return "; behind '--' every word is a name";
  for (const char* const format : {"json", "csv", "table"}) {
    if (flag == std::string("--") + format && IsAmong("--format", flags)) {
      return std::string("; did you mean '--format ") + format + "'?";
    }
  }
  if (const auto other = OtherNames().find(flag); other != OtherNames().end()) {
    for (const std::string& name : other->second) {
      if (IsAmong(name, flags)) return "; did you mean '" + name + "'?";
    }
  }
  // Any two one-letter options are one edit apart, so the nearest one says nothing.
  const bool is_letter = flag.size() == 2 && flag[0] == '-';
  return is_letter ? "" : DidYouMean(flag, flags);
}

}  // namespace sweep
