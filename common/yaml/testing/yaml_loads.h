#pragma once

#include <pthread.h>

#include <array>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// While it lives, records the name of the reading thread for each YAML document. At most one object
// at a time.
class YamlLoads {
 public:
  YamlLoads() {
    Clear();
    ObserveYamlLoads(&Note);
  }
  ~YamlLoads() { ObserveYamlLoads(nullptr); }
  YamlLoads(const YamlLoads&) = delete;
  YamlLoads& operator=(const YamlLoads&) = delete;

  std::vector<std::string> threads() const {
    MutexLock lock(&mutex_);
    return threads_;
  }
  void Clear() {
    MutexLock lock(&mutex_);
    threads_.clear();
  }

 private:
  static void Note() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    MutexLock lock(&mutex_);
    threads_.emplace_back(name.data());
  }

  static inline Mutex mutex_;
  static inline std::vector<std::string> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
