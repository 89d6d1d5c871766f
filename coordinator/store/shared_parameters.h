#pragma once

#include <initializer_list>
#include <memory>
#include <utility>

#include "common/base/value.h"

namespace sweep {

// The hyperparameters of a stored configuration. They never change, so copies share them.
class SharedParameters {
 public:
  SharedParameters() = default;
  SharedParameters(ParameterMap values)  // implicit: rows are made from maps
      : values_(std::make_shared<const ParameterMap>(std::move(values))) {}
  SharedParameters(std::initializer_list<ParameterMap::value_type> values)
      : SharedParameters(ParameterMap(values)) {}

  const ParameterMap& values() const {
    static const ParameterMap none;
    return values_ == nullptr ? none : *values_;
  }
  operator const ParameterMap&() const { return values(); }
  auto begin() const { return values().begin(); }
  auto end() const { return values().end(); }

  friend bool operator==(const SharedParameters& a, const SharedParameters& b) {
    return a.values() == b.values();
  }

 private:
  std::shared_ptr<const ParameterMap> values_;
};

}  // namespace sweep
