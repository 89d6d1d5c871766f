#pragma once

// Internal to common/network: the files of `networks/`, compiled in.

#include <span>
#include <string_view>

namespace sweep {

struct BuiltinNetwork {
  std::string_view name;
  std::string_view text;
};

std::span<const BuiltinNetwork> BuiltinNetworks();

}  // namespace sweep
