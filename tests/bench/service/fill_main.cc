// fill_database FILE SWEEP TRIALS EPOCHS [OWN_MEASURES]: makes a database with one large finished
// sweep, whose epochs have so many measures besides the predefined ones.

#include <cstdio>
#include <cstdlib>

#include "tests/bench/service/fill.h"

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    std::fprintf(stderr, "usage: fill_database FILE SWEEP TRIALS EPOCHS [OWN_MEASURES]\n");
    return 2;
  }
  const absl::Status status =
      sweep::bench::FillDatabase({.path = argv[1],
                                  .sweep = argv[2],
                                  .trials = std::atoll(argv[3]),
                                  .epochs = std::atoi(argv[4]),
                                  .own_measures = argc == 6 ? std::atoi(argv[5]) : 0});
  if (!status.ok()) {
    std::fprintf(stderr, "fill_database: %s\n", std::string(status.message()).c_str());
  }
  return status.ok() ? 0 : 1;
}
