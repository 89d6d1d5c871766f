#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sweep {

// The page's routes stand behind "#": /#/sweeps/night. Pure.

// Where the page is that an address without "#" means, as "../#/sweeps/night" for /sweeps/night;
// nullopt for a path that is none of the page's. Relative, so that it holds below a proxy's prefix.
// `query` is without "?".
std::optional<std::string> PageRoute(std::string_view path, std::string_view query);

// What stands at an address that is nobody's, with links to what there is.
std::string PageOfNoSuchPage(std::string_view path);

}  // namespace sweep
