#include "coordinator/views/spec_cache.h"

#include <algorithm>

#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxEntries = 256;

}  // namespace

absl::StatusOr<std::shared_ptr<const SweepSpec>> SpecCache::Get(const std::string& sweep) {
  {
    MutexLock lock(&mutex_);
    if (const auto found = entries_.find(sweep); found != entries_.end()) {
      found->second.used = ++uses_;
      return found->second.spec;
    }
  }
  const absl::StatusOr<SweepRow> row = store_->GetSweep(sweep);
  if (!row.ok()) return row.status();
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::ParseStored(row->source, row->digest, &diagnostics);
  if (!spec.ok()) {
    return absl::InternalError(
        fmt::format("sweep {}: what is stored is not understood any more: {}", sweep,
                    FormatDiagnostics(diagnostics)));
  }
  auto shared = std::make_shared<const SweepSpec>(*std::move(spec));
  Put(sweep, shared);
  return shared;
}

void SpecCache::Put(const std::string& sweep, std::shared_ptr<const SweepSpec> spec) {
  MutexLock lock(&mutex_);
  entries_[sweep] = {.spec = std::move(spec), .used = ++uses_};
  if (entries_.size() <= kMaxEntries) return;
  entries_.erase(
      std::min_element(entries_.begin(), entries_.end(),
                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace sweep
