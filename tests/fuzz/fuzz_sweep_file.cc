// Sweep files: parsing never throws, and an accepted file can be completed and searched.

#include <cstdint>
#include <string>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sweep::SweepSource source{.file = "fuzz.yaml",
                                  .text = std::string(reinterpret_cast<const char*>(data), size)};
  sweep::Diagnostics diagnostics;
  const auto spec = sweep::SweepSpec::Parse(source, &diagnostics);
  if (spec.ok() != (sweep::CountErrors(diagnostics) == 0))
    __builtin_trap();  // an error without a message, or the reverse
  if (!spec.ok()) return 0;
  const auto search = sweep::Search::Make(&*spec);
  const auto first = search->Suggest(1);
  if (!first.ok() || !first->has_value()) return 0;
  if (spec->MakeTrialSpec((*first)->configuration, 0).epochs < 1) __builtin_trap();
  return 0;
}
