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

}  // namespace sweep
