// Network files: parsing never throws, and an accepted file resolves or gives a reason.

#include <cstdint>
#include <string_view>

#include "common/network/network_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sweep::Diagnostics diagnostics;
  const auto file = sweep::NetworkFile::Parse(text, "fuzz.yaml", &diagnostics);
  if (file.ok() != (sweep::CountErrors(diagnostics) == 0)) __builtin_trap();
  if (!file.ok()) return 0;
  for (const sweep::Recipe& recipe : file->recipes()) {
    (void)file->Resolve(recipe.Merged()).ok();
  }
  const auto network = file->Resolve({{"dropout", 0.1}});
  if (network.ok() && network->parameters < 0) __builtin_trap();
  return 0;
}
