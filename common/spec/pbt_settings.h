#pragma once

#include <cstdint>
#include <string>

namespace sweep {

// A configuration as a segment of a member of a population.
struct Segment {
  int member = 0;           // from 1
  std::int64_t parent = 0;  // the configuration whose checkpoint it begins with; 0: none
  int start_epoch = 0;      // the last epoch of the parent; 0: none
  int target_epoch = 0;     // its own last epoch
  bool operator==(const Segment&) const = default;
};

// What `pbt` of a sweep file says: population based training (Jaderberg et al. 2017,
// arXiv:1711.09846). A member of the population is trained in segments of some epochs, each a
// configuration of its own that begins with the checkpoint of an earlier one.
struct PbtSettings {
  int population = 8;
  int segment_epochs = 2;
  // The share of the population that copies, and the share that is copied from; at most a half.
  double quantile = 0.25;
  // The probability that a copied value is drawn anew instead of changed a little.
  double resample = 0.25;
  // A member goes on only when all have ended the same segment.
  bool synchronous = false;

  // Segments of one member in a training of so many epochs.
  int SegmentsOf(int epochs) const { return (epochs + segment_epochs - 1) / segment_epochs; }
  // The last epoch of a segment that begins after `start`.
  int EndOf(int start, int epochs) const {
    return start + segment_epochs < epochs ? start + segment_epochs : epochs;
  }
  // The segment of `member` that begins after `start`, where `parent` ended.
  Segment SegmentOf(int member, std::int64_t parent, int start, int epochs) const {
    return {.member = member,
            .parent = parent,
            .start_epoch = start,
            .target_epoch = EndOf(start, epochs)};
  }
  std::int64_t Planned(int epochs) const { return std::int64_t{population} * SegmentsOf(epochs); }

  // For the digest of a sweep.
  std::string Canonical() const;
};

}  // namespace sweep
