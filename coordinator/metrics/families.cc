#include "coordinator/metrics/families.h"

namespace sweep {
namespace {

prometheus::MetricFamily Family(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const std::string& label,
                                const std::vector<LabelledValue>& values) {
  prometheus::MetricFamily family{.name = name, .help = help, .type = type};
  for (const LabelledValue& item : values) {
    prometheus::ClientMetric metric;
    if (!label.empty()) metric.label.push_back({label, item.label_value});
    (type == prometheus::MetricType::Gauge ? metric.gauge.value : metric.counter.value) =
        item.value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value) {
  return Family(name, help, prometheus::MetricType::Gauge, "", {{"", value}});
}

prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value) {
  return Family(name, help, prometheus::MetricType::Counter, "", {{"", value}});
}

prometheus::MetricFamily Gauges(const std::string& name, const std::string& help,
                                const std::string& label,
                                const std::vector<LabelledValue>& values) {
  return Family(name, help, prometheus::MetricType::Gauge, label, values);
}

prometheus::MetricFamily Counters(const std::string& name, const std::string& help,
                                  const std::string& label,
                                  const std::vector<LabelledValue>& values) {
  return Family(name, help, prometheus::MetricType::Counter, label, values);
}

}  // namespace sweep
