#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sweep {

// Routes of the page follow "#": /#/sweeps/night. Pure.

// The page's address for a path without "#": "../#/sweeps/night" for /sweeps/night; nullopt when
// the page has no such route. Relative, so that it works below a proxy's prefix. `query` has no
// "?".
std::optional<std::string> PageRoute(std::string_view path, std::string_view query);

// The page at an unknown address, with links to the existing ones.
std::string PageOfNoSuchPage(std::string_view path);

}  // namespace sweep
