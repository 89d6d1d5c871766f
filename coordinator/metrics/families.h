#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prometheus/metric_family.h"

namespace sweep {

// Metric families whose values are computed when the text is made. Plain functions.

struct LabelledValue {
  std::string label_value;
  double value = 0;
};

prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value);
prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value);
// One series per value of `label`.
prometheus::MetricFamily Gauges(const std::string& name, const std::string& help,
                                const std::string& label, const std::vector<LabelledValue>& values);
prometheus::MetricFamily Counters(const std::string& name, const std::string& help,
                                  const std::string& label,
                                  const std::vector<LabelledValue>& values);

}  // namespace sweep
