// A coordinator whose metrics a test can serve: prints its address, then for each line on standard
// input the text of its metrics and a line "# end". Ends with the input.
//
//   metrics_coordinator DATABASE

#include <cstdio>
#include <iostream>
#include <string>

#include "coordinator/api/server.h"
#include "spdlog/spdlog.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  spdlog::set_level(spdlog::level::off);
  auto server =
      sweep::CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = argv[1]});
  if (!server.ok()) {
    std::cerr << server.status() << '\n';
    return 1;
  }
  std::cout << (*server)->address() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << (*server)->MetricsText() << "# end" << std::endl;
  }
  return 0;
}
