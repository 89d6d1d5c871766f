#pragma once

#include <vector>

#include "prometheus/metric_family.h"

namespace sweep {

// The process metrics of Prometheus's client libraries, under their usual names. Read from
// /proc/self; unreadable values are omitted.
std::vector<prometheus::MetricFamily> ProcessMetrics();

}  // namespace sweep
