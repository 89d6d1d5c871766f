#include "coordinator/specs/spec_cache.h"

#include <algorithm>

#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// Limit on cached specs of ended sweeps.
constexpr std::size_t kMaxEnded = 256;

// The method of a sweep whose file is not accepted.
constexpr SearchMethod kUnknownMethod = {
    .word = "", .finite = false, .needs_run_cap = false, .learns = false, .help = ""};

// Everything known about a sweep without its file.
SweepSpec WithoutFile(const SweepRow& row) {
  SweepSpec spec;
  spec.name = row.name;
  spec.labels = row.labels;
  spec.digest = row.digest;
  spec.method = &kUnknownMethod;
  if (!row.objectives.empty()) spec.objectives = row.objectives;
  spec.dataset.name.clear();
  spec.epochs = 0;
  spec.run_cap = row.planned_configurations;
  // A configuration gets all its trials at once; without configurations the number is unknown.
  spec.replicates =
      row.configurations > 0 ? static_cast<int>(row.counts.total() / row.configurations) : 0;
  return spec;
}

// The first error, since later ones may follow from it.
std::string RefusalOf(const Diagnostics& diagnostics, const absl::Status& status) {
  const auto error = std::find_if(diagnostics.begin(), diagnostics.end(), [](const auto& one) {
    return one.severity == Diagnostic::Severity::kError;
  });
  if (error == diagnostics.end()) return std::string(status.message());
  const std::size_t others = CountErrors(diagnostics) - 1;
  std::string text = FormatDiagnostic(*error);
  if (others > 0) text += fmt::format(" (and {} more)", others);
  return text;
}

}  // namespace

StoredSpec SpecOfRow(const SweepRow& row) {
  return {.spec = std::make_shared<const SweepSpec>(WithoutFile(row))};
}

std::string NotAccepted(const StoredSpec& stored) {
  return fmt::format("this build does not accept its file: {}; it does not run", stored.refusal);
}

absl::Status NotAcceptedError(const std::string& sweep, const StoredSpec& stored) {
  return absl::FailedPreconditionError(fmt::format("sweep '{}': {}", sweep, NotAccepted(stored)));
}

absl::StatusOr<StoredSpec> SpecCache::Show(const SweepRow& row) {
  const std::pair<std::int64_t, std::string> work(row.id, row.name);
  std::uint64_t drops = 0;
  {
    MutexLock lock(&mutex_);
    while (true) {
      if (Entry* const entry = Find(row); entry != nullptr) return entry->stored;
      if (parsing_.insert(work).second) break;
      parsed_.Wait(&mutex_);
    }
    drops = drops_;
  }
  const absl::StatusOr<StoredSpec> stored = ReadAndParse(row);
  MutexLock lock(&mutex_);
  parsing_.erase(work);
  parsed_.NotifyAll();
  // If a sweep was dropped meanwhile, the result may be outdated.
  if (stored.ok() && drops == drops_) {
    Put(row.id, {.name = row.name, .revision = row.revision, .stored = *stored});
  }
  return stored;
}

absl::StatusOr<StoredSpec> SpecCache::Show(const std::string& sweep) {
  if (std::optional<StoredSpec> known = Known(sweep)) return *std::move(known);
  const absl::StatusOr<SweepRow> row = store_->Read(FindSweep, sweep);
  if (!row.ok()) return row.status();
  return Show(*row);
}

absl::StatusOr<SharedSpec> SpecCache::Get(const std::string& sweep) {
  const absl::StatusOr<StoredSpec> stored = Show(sweep);
  if (!stored.ok()) return stored.status();
  if (!stored->is_accepted()) return NotAcceptedError(sweep, *stored);
  return stored->spec;
}

absl::StatusOr<StoredSpec> SpecCache::ReadAndParse(const SweepRow& listed) const {
  SweepRow row = listed;
  if (row.source.text.empty()) {
    absl::StatusOr<SweepRow> whole = store_->Read(FindSweepById, listed.id);
    if (!whole.ok()) return whole.status();
    row = *std::move(whole);
  }
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::ParseStored(row.source, row.digest, &diagnostics);
  if (spec.ok()) return StoredSpec{.spec = std::make_shared<const SweepSpec>(*std::move(spec))};
  StoredSpec stored = SpecOfRow(row);
  stored.refusal = RefusalOf(diagnostics, spec.status());
  return stored;
}

std::optional<StoredSpec> SpecCache::Known(const SweepRow& row) {
  MutexLock lock(&mutex_);
  const Entry* const entry = Find(row);
  return entry == nullptr ? std::nullopt : std::optional(entry->stored);
}

std::optional<StoredSpec> SpecCache::Known(const std::string& sweep) {
  MutexLock lock(&mutex_);
  const auto id = ids_.find(sweep);
  if (id == ids_.end()) return std::nullopt;
  Entry& entry = entries_.at(id->second);
  entry.used = ++uses_;
  return entry.stored;
}

void SpecCache::Replace(const SweepRow& row, StoredSpec stored) {
  MutexLock lock(&mutex_);
  Put(row.id, {.name = row.name, .revision = row.revision, .stored = std::move(stored)});
}

void SpecCache::Keep(const SweepRow& row, StoredSpec stored) {
  MutexLock lock(&mutex_);
  Put(row.id,
      {.name = row.name, .revision = row.revision, .stored = std::move(stored), .is_kept = true});
}

void SpecCache::Release(std::int64_t sweep_id) {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(sweep_id);
  if (found == entries_.end() || !std::exchange(found->second.is_kept, false)) return;
  --kept_;
  found->second.used = ++uses_;
  RemoveLeastUsed();
}

void SpecCache::Drop(std::int64_t sweep_id) {
  MutexLock lock(&mutex_);
  ++drops_;
  Remove(sweep_id);
}

SpecCache::Entry* SpecCache::Find(const SweepRow& row) {
  const auto found = entries_.find(row.id);
  if (found == entries_.end() || found->second.name != row.name) return nullptr;
  if (found->second.revision < row.revision) return nullptr;
  found->second.used = ++uses_;
  return &found->second;
}

void SpecCache::Put(std::int64_t sweep_id, Entry entry) {
  const auto before = entries_.find(sweep_id);
  if (before != entries_.end() && before->second.name == entry.name &&
      before->second.revision > entry.revision) {
    return;
  }
  entry.is_kept |= before != entries_.end() && before->second.is_kept;
  entry.used = ++uses_;
  Remove(sweep_id);
  if (entry.is_kept) ++kept_;
  ids_[entry.name] = sweep_id;
  entries_.emplace(sweep_id, std::move(entry));
  RemoveLeastUsed();
}

void SpecCache::Remove(std::int64_t sweep_id) {
  const auto found = entries_.find(sweep_id);
  if (found == entries_.end()) return;
  const auto id = ids_.find(found->second.name);
  if (id != ids_.end() && id->second == sweep_id) ids_.erase(id);
  if (found->second.is_kept) --kept_;
  entries_.erase(found);
}

void SpecCache::RemoveLeastUsed() {
  if (entries_.size() - kept_ <= kMaxEnded) return;
  auto least = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.is_kept) continue;
    if (least == entries_.end() || entry->second.used < least->second.used) least = entry;
  }
  Remove(least->first);
}

}  // namespace sweep
