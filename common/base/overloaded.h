#pragma once

namespace sweep {

// A visitor for std::visit, made of one function for each alternative.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace sweep
