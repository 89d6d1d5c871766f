#pragma once

// For tests and benchmarks.

#include <stdexcept>
#include <string>

#include "common/network/network_file.h"

namespace sweep {

// A built-in network with that dropout probability. Throws for an unknown name.
inline Network ResolveBuiltin(const std::string& name, double dropout) {
  const auto text = BuiltinNetworkText(name);
  if (!text.ok()) throw std::runtime_error(std::string(text.status().message()));
  Diagnostics diagnostics;
  const auto file = NetworkFile::Parse(*text, name, &diagnostics);
  if (!file.ok()) throw std::runtime_error(FormatDiagnostics(diagnostics));
  const auto network = file->Resolve({{"dropout", dropout}});
  if (!network.ok()) throw std::runtime_error(std::string(network.status().message()));
  return *network;
}

}  // namespace sweep
