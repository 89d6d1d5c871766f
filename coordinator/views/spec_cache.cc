#include "coordinator/views/spec_cache.h"

#include <algorithm>

#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxEntries = 256;

}  // namespace

absl::StatusOr<std::shared_ptr<const SweepSpec>> SpecCache::Get(const std::string& sweep) {
  std::uint64_t drops = 0;
  {
    MutexLock lock(&mutex_);
    drops = drops_;
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
  Put(sweep, shared, drops);
  return shared;
}

void SpecCache::Drop(const std::string& sweep) {
  MutexLock lock(&mutex_);
  ++drops_;
  entries_.erase(sweep);
}

void SpecCache::Put(const std::string& sweep, std::shared_ptr<const SweepSpec> spec,
                    std::uint64_t drops) {
  MutexLock lock(&mutex_);
  if (drops != drops_) return;  // what was read may be what was dropped
  entries_[sweep] = {.spec = std::move(spec), .used = ++uses_};
  if (entries_.size() <= kMaxEntries) return;
  entries_.erase(
      std::min_element(entries_.begin(), entries_.end(),
                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace sweep
