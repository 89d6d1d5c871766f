#pragma once

#include <vector>

#include "prometheus/metric_family.h"

namespace sweep {

// What Prometheus's client libraries tell of their process, under the names that they use. From
// /proc/self; what cannot be read is left out.
std::vector<prometheus::MetricFamily> ProcessMetrics();

}  // namespace sweep
