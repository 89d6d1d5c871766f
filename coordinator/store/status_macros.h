#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Early return of an absl::Status, private to this library.
#define STORE_CONCAT_INNER(a, b) a##b
#define STORE_CONCAT(a, b) STORE_CONCAT_INNER(a, b)

#define STORE_RETURN_IF_ERROR(expression)                                   \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

// STORE_ASSIGN_OR_RETURN(const TrialRow row, ReadTrial(…));
#define STORE_ASSIGN_OR_RETURN(declaration, expression) \
  STORE_ASSIGN_OR_RETURN_IMPL(STORE_CONCAT(result_, __LINE__), declaration, expression)
#define STORE_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                        \
  if (!result.ok()) return result.status();                          \
  declaration = *std::move(result)
