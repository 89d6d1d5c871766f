#include "coordinator/http/page_routes.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, 4> kRoutes = {"sweeps", "workers", "compare", "draw"};

// The relative path from the path's folder to the page: "./" for /sweeps, "../" for /sweeps/night.
std::string ToRoot(std::string_view path) {
  const auto slashes = std::count(path.begin(), path.end(), '/');
  std::string root = "./";
  for (std::ptrdiff_t i = 1; i < slashes; ++i) root = i == 1 ? "../" : root + "../";
  return root;
}

// Escapes characters that are invalid in a header or a fragment.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>') {
      absl::StrAppendFormat(&escaped, "%%%02X", byte);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::optional<std::string> PageRoute(std::string_view path, std::string_view query) {
  if (!path.starts_with('/')) return std::nullopt;
  const std::string_view route = path.substr(1);
  const std::string_view first = route.substr(0, route.find('/'));
  if (std::find(kRoutes.begin(), kRoutes.end(), first) == kRoutes.end()) return std::nullopt;
  std::string target = ToRoot(path) + "#/" + Escaped(route);
  if (!query.empty()) target += "?" + Escaped(query);
  return target;
}

std::string PageOfNoSuchPage(std::string_view path) {
  const std::string root = ToRoot(path);
  return absl::StrReplaceAll(R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>No such page – Sweep</title>
<h1>No such page</h1>
<p>There is nothing at this address. There are <a href="ROOT#/">the sweeps</a>,
<a href="ROOT#/workers">the workers</a>, <a href="ROOT#/compare">trials to compare</a> and
<a href="ROOT#/draw">a digit to draw</a>; a sweep is at <code>#/sweeps/NAME</code>.</p>
</html>
)html",
                             {{"ROOT", root}});
}

}  // namespace sweep
