#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"

namespace sweep {

// An open connection whose next request has arrived: its header, and of a change that is not too
// large its body.
struct HttpConnection {
  int socket = -1;
  std::string peer;  // "127.0.0.1"
  std::string received;
  std::string path;  // of that request, as sent
  int served = 0;    // requests
};

// Accepts connections and waits, on one thread for all of them, until a request is there, its body
// included; only then it takes one of the few threads that answer. So clients that are idle or slow
// cost a descriptor each and nothing else, and there is a limit on those. What asks whether the
// service is well has a thread of its own. Malformed headers get 400. Thread-safe.
class ConnectionFront {
 public:
  struct Options {
    int threads = 4;
    std::size_t max_queued = 64;        // requests that wait for a thread; more get 503
    std::size_t max_connections = 256;  // beyond it the one that is idle longest is closed
    std::size_t max_header_bytes = 16 << 10;
    std::size_t max_body_bytes = 64 << 10;          // a larger body is left to the handler
    absl::Duration header_time = absl::Seconds(5);  // from the first byte to the end of the header
    absl::Duration body_time = absl::Seconds(5);    // from there to the end of the body
    absl::Duration idle_time = absl::Seconds(15);   // between requests
    int max_requests = 100;                         // of one connection
    // Paths whose answers wait for no other one: their thread answers nothing else.
    std::vector<std::string> urgent_paths = {};
  };
  // Answers one request; true when the connection may be used for another one, whose beginning it
  // then leaves in `received`. On one of the threads.
  using Handler = std::function<bool(HttpConnection* connection)>;

  // `listener` is a listening socket, which goes with the object.
  ConnectionFront(int listener, const Options& options, Handler handler);
  // As Shutdown.
  ~ConnectionFront();

  // Breaks off what is under way: every connection is closed. Idempotent.
  void Shutdown();

 private:
  struct Waiting {
    HttpConnection connection;
    absl::Time since;
    bool has_begun = false;       // a part of the header is there
    std::size_t whole_bytes = 0;  // of header and body together, once the header is there
  };
  // Requests that wait for a thread.
  struct Lane {
    std::deque<HttpConnection> queue;
    CondVar changed;
  };

  void FrontLoop();
  void WorkerLoop(Lane* lane);
  void Accept();
  void TakeReturned();
  // Both: false when the connection is no longer among the waiting ones.
  bool Receive(Waiting* waiting);
  bool Advance(Waiting* waiting);
  bool BeginBody(std::size_t header_end, Waiting* waiting);
  void Dispatch(HttpConnection connection);
  void CloseOverdue(absl::Time now);
  void MakeRoom();
  void Wake();

  const Options options_;
  const Handler handler_;
  const int listener_;
  int wake_ = -1;  // eventfd
  // Both of the front's thread: those who wait, by socket, and whether one more could be accepted.
  std::map<int, Waiting> waiting_;
  bool has_descriptors_ = true;

  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Lane lane_ ABSL_GUARDED_BY(mutex_);
  Lane urgent_ ABSL_GUARDED_BY(mutex_);
  std::deque<HttpConnection> returned_ ABSL_GUARDED_BY(mutex_);
  std::map<int, bool> active_ ABSL_GUARDED_BY(mutex_);  // sockets that a thread works on
  std::thread front_;
  std::vector<std::thread> workers_;
};

}  // namespace sweep
