#include "coordinator/views/index_query.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "coordinator/views/view_query.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::string_view kDescending = " desc";
// The number of rows between checks of the time limit.
constexpr std::size_t kRowsPerLook = 256;

// Rows with the values to sort by.
template <typename Key>
using Keyed = std::vector<std::pair<Key, std::size_t>>;

// Appends the rows in order of their keys. Rows with the same key keep their order.
template <typename Key>
void AppendSorted(Keyed<Key> keys, bool descending, std::vector<std::size_t>* rows) {
  std::stable_sort(keys.begin(), keys.end(), [descending](const auto& a, const auto& b) {
    return descending ? b.first < a.first : a.first < b.first;
  });
  for (const auto& [key, row] : keys) rows->push_back(row);
}

// InvalidArgument, since a retry would fail too.
absl::Status TooSlow(const TrialFilter& filter, std::size_t trials) {
  return absl::InvalidArgumentError(
      fmt::format("filter '{}' takes too long over {} trials; ask for less",
                  Shortened(filter.text(), kShownBytes), trials));
}

absl::StatusOr<std::vector<std::size_t>> Matching(const SweepIndex& index,
                                                  const IndexQuery& query) {
  std::vector<SweepIndex::Getter> getters;
  if (query.filter) {
    for (const std::string& name : query.filter->names()) getters.push_back(index.Find(name));
  }
  std::vector<std::size_t> rows;
  rows.reserve(index.trials().size());
  std::vector<Value> values(getters.size());
  const absl::Duration deadline = RealClock()->Monotonic() + query.filter_time;
  for (std::size_t row = 0; row < index.trials().size(); ++row) {
    const bool looks_at_clock = query.filter && row % kRowsPerLook == kRowsPerLook - 1;
    if (looks_at_clock && RealClock()->Monotonic() >= deadline) {
      return TooSlow(*query.filter, index.trials().size());
    }
    const IndexedTrial& trial = index.trials()[row];
    if (trial.configuration == 0 || (query.state && trial.state != *query.state)) continue;
    if (query.ranked && !trial.IsRanked()) continue;
    if (query.qualifying && !trial.qualifies) continue;
    bool is_complete = true;
    for (std::size_t i = 0; is_complete && i < getters.size(); ++i) {
      std::optional<Value> value = getters[i](row);
      is_complete = value.has_value();
      if (is_complete) values[i] = *std::move(value);
    }
    if (!is_complete) continue;
    if (query.filter) {
      const absl::StatusOr<bool> matches =
          query.filter->Test(values, fmt::format("{}/{}", index.spec().name, row + 1));
      if (!matches.ok()) return matches.status();
      if (!*matches) continue;
    }
    rows.push_back(row);
  }
  return rows;
}

// The rows in order, followed by those without a value. Numbers are less than texts.
std::vector<std::size_t> Sorted(const std::vector<std::size_t>& rows,
                                const SweepIndex::Getter& getter, bool descending) {
  Keyed<double> numbers;
  Keyed<std::string> texts;
  std::vector<std::size_t> missing;
  for (const std::size_t row : rows) {
    std::optional<Value> value = getter(row);
    if (!value) {
      missing.push_back(row);
    } else if (auto* const text = std::get_if<std::string>(&*value)) {
      texts.emplace_back(std::move(*text), row);
    } else if (auto* const list = std::get_if<ListValue>(&*value)) {
      texts.emplace_back(std::move(list->json), row);
    } else if (const double number = AsDouble(*value); std::isnan(number)) {
      missing.push_back(row);
    } else {
      numbers.emplace_back(number, row);
    }
  }
  std::vector<std::size_t> sorted;
  sorted.reserve(rows.size());
  if (descending) AppendSorted(std::move(texts), descending, &sorted);
  AppendSorted(std::move(numbers), descending, &sorted);
  if (!descending) AppendSorted(std::move(texts), descending, &sorted);
  sorted.insert(sorted.end(), missing.begin(), missing.end());
  return sorted;
}

// True when gates or objectives use this measure.
bool IsHeld(const SweepIndex& index, std::string_view name) {
  const std::vector<std::string> judged = index.spec().JudgedMeasures();
  return std::find(judged.begin(), judged.end(), CanonicalMeasure(name)) != judged.end();
}

}  // namespace

absl::StatusOr<std::vector<std::size_t>> SelectRows(const SweepIndex& index,
                                                    const IndexQuery& query) {
  std::string_view name = query.order_by;
  const bool descending = name.ends_with(kDescending);
  if (descending) name.remove_suffix(kDescending.size());
  // "number" always means the trial's number, even if a hyperparameter has that name.
  const bool by_number = name == "number" || name == "trial.number";
  const absl::Status named = CheckTrialName(index.spec(), std::string(name));
  if (!named.ok() && !by_number && !(query.ranked && IsHeld(index, name))) {
    const std::vector<std::string> known = KnownTrialNames(index.spec());
    const bool is_known = std::binary_search(known.begin(), known.end(), name);
    return absl::InvalidArgumentError(
        fmt::format("trials cannot be ordered by '{}'{}", Shortened(query.order_by, kShownBytes),
                    is_known ? fmt::format(": {}", std::string(named.message())) : ""));
  }
  absl::StatusOr<std::vector<std::size_t>> rows = Matching(index, query);
  if (!rows.ok() || by_number) {
    if (rows.ok() && descending) std::reverse(rows->begin(), rows->end());
    return rows;
  }
  const std::string order(name);
  return Sorted(*rows, query.ranked ? index.FindRanked(order) : index.Find(order), descending);
}

}  // namespace sweep
