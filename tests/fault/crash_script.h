#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sweep/v1/workers.pb.h"

namespace sweep::testing {

// Results of earlier answers that later calls need.
struct Memory {
  v1::LeaseToken token;                // of the last granted lease
  v1::LeaseToken asked;                // of the last trial that a caller got
  std::vector<std::string> blobs;      // the stored ones
  std::vector<std::string> completed;  // trials
};

// One call of a script. Its messages are made once, so that it can be sent again unchanged.
struct ScriptedCall {
  std::string method;  // "/sweep.v1.SweepService/CreateSweep"
  std::function<std::vector<std::string>(const Memory&)> make;  // the serialized messages
  std::function<void(const std::string& answer, Memory*)> learn = nullptr;
};

// Calls that lead sweeps through everything that can happen to them, with every method of the
// contract that changes something durable: "a" is trained by a worker, "e" by a caller, and "b" is
// decided about.
std::vector<ScriptedCall> MakeScript();

// Methods that change nothing durable, "/sweep.v1.SweepService/GetSweep".
bool OnlyReads(const std::string& method);
// Methods whose effect is kept in memory only, as their contract states.
bool IsInMemory(const std::string& method);

}  // namespace sweep::testing
