#include "coordinator/search/point_identity.h"

#include "absl/strings/str_cat.h"

namespace sweep {

std::string PointIdentity(const ParameterMap& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    const std::string shown = CanonicalText(value);
    absl::StrAppend(&text, name, "=", value.index(), ":", shown.size(), ":", shown, ";");
  }
  return text;
}

absl::uint128 PointFingerprint(const ParameterMap& parameters) {
  constexpr absl::uint128 kOffset = absl::MakeUint128(0x6c62272e07bb0142, 0x62b821756295c58d);
  constexpr absl::uint128 kPrime = absl::MakeUint128(0x0000000001000000, 0x000000000000013b);
  absl::uint128 hash = kOffset;
  for (const char byte : PointIdentity(parameters)) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  }
  return hash;
}

}  // namespace sweep
