#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "coordinator/search/search.h"

namespace sweep {

// All suggestions of a search without observations, in order.
inline std::vector<ParameterMap> All(const SweepSpec& spec) {
  const std::unique_ptr<Search> search = Search::Make(&spec);
  std::vector<ParameterMap> points;
  for (std::int64_t number = 1; number <= spec.PlannedConfigurations(); ++number) {
    const auto next = search->Suggest(number);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return points;
    EXPECT_EQ((*next)->configuration.number, number);
    points.push_back((*next)->configuration.parameters);
  }
  return points;
}

}  // namespace sweep
