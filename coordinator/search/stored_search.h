#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/observations.h"
#include "coordinator/search/search.h"
#include "coordinator/search/search_calls.h"
#include "coordinator/store/store.h"

namespace sweep {

// A search of its own beside the driver's, for questions about a sweep: it sees the stored events
// up to a chosen one, also those of a sweep that has ended. Reads the store and may think for long,
// so it belongs on threads for reads. Used by one thread at a time.
class StoredSearch {
 public:
  // Of one of the files that the sweep has had. `first_own`: the number of the first configuration
  // that the file has made, or will make. Reads what the search begins with (search_start.h). The
  // store must outlive it.
  static absl::StatusOr<std::unique_ptr<StoredSearch>> Make(Store* store, std::int64_t sweep_id,
                                                            std::shared_ptr<const SweepSpec> spec,
                                                            std::int64_t first_own);
  // With what the search begins with.
  StoredSearch(Store* store, std::int64_t sweep_id, std::shared_ptr<const SweepSpec> spec,
               SearchStart start);

  // Passes the events up to that sequence to the search. Events that it has seen stay seen. Does
  // nothing for methods that do not learn.
  absl::Status ObserveThrough(std::int64_t sequence);
  // As above, in steps; `may_go_on` is asked before each, and its error ends it.
  absl::Status ObserveThrough(std::int64_t sequence,
                              const std::function<absl::Status()>& may_go_on);

  // As the driver's suggestions: a random point where the model of a method that learns fails.
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number);
  // What Suggest would answer; the search does not count the point as known.
  absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number);
  // The configuration of that number has this point, whatever the search would suggest.
  void Know(std::int64_t number, const ParameterMap& parameters, const Segment* segment = nullptr);

  // Why there is no configuration of that number.
  std::string WhyNone(std::int64_t number) const {
    return sweep::WhyNone(*search_, number, leaves_out_);
  }

  Search& search() { return *search_; }
  // All events up to this one have been seen.
  std::int64_t seen() const { return seen_; }

 private:
  // Replaces the page by the one after it.
  absl::Status ReadPage();

  Store* const store_;
  const std::int64_t sweep_id_;
  const std::shared_ptr<const SweepSpec> spec_;  // shared with the caller; the search refers to it
  const bool leaves_out_;                        // points that are known from elsewhere
  ObservationCursor cursor_;
  const std::unique_ptr<Search> search_;
  ObservationPage page_;
  std::size_t next_ = 0;  // of the page's observations
  std::int64_t seen_ = 0;
};

}  // namespace sweep
