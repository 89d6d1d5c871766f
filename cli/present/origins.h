#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/spec/suggestion_origin.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// How a trial's values were chosen; nullopt when that was not stored.
std::optional<SuggestionOrigin> OriginOf(const v1::Trial& trial);

// How the configurations of a sweep were chosen. Memory grows with the methods that it has had.
class OriginCounts {
 public:
  // Counts a trial's configuration once: with its first replicate.
  void Add(const v1::Trial& trial);
  // "2 from try_first, 8 start-up points of gp, 31 by the model of gp". Empty when nothing is
  // known.
  std::string Text() const;

 private:
  struct Key {
    SuggestionSource source;
    std::string method;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::int64_t> counts_;
};

}  // namespace sweep::cli
