#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/store.h"
#include "fmt/format.h"

namespace sweep {

// Carries `change` out once per request, which verb, object and id identify. The number that
// `change` returns is stored: a repeated request changes nothing and gets it again. A request
// without an id is carried out each time.
template <typename Change>
absl::StatusOr<std::int64_t> Once(WriteTransaction& transaction, std::string_view verb,
                                  const std::string& object, const std::string& request_id,
                                  Change change) {
  if (request_id.empty()) return change();
  const std::string request = fmt::format("{} {} {}", verb, object, request_id);
  const absl::StatusOr<std::optional<std::int64_t>> before = transaction.FindRequest(request);
  if (!before.ok()) return before.status();
  if (before->has_value()) return **before;
  const absl::StatusOr<std::int64_t> result = change();
  if (!result.ok()) return result;
  if (absl::Status kept = transaction.RememberRequest(request, *result); !kept.ok()) return kept;
  return result;
}

}  // namespace sweep
