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

// An open connection whose next request has arrived up to the end of its header.
struct HttpConnection {
  int socket = -1;
  std::string peer;  // "127.0.0.1"
  std::string received;
  int served = 0;  // requests
};

// Accepts connections and waits, on one thread for all of them, until a request's header is there;
// only then a request takes one of the few threads that answer. So clients that are idle or slow
// cost a descriptor each and nothing else, and there is a limit on those. Thread-safe.
class ConnectionFront {
 public:
  struct Options {
    int threads = 4;
    std::size_t max_queued = 64;        // requests that wait for a thread; more get 503
    std::size_t max_connections = 256;  // beyond it the one that is idle longest is closed
    std::size_t max_header_bytes = 16 << 10;
    absl::Duration header_time = absl::Seconds(5);  // from the first byte to the end of the header
    absl::Duration idle_time = absl::Seconds(15);   // between requests
    int max_requests = 100;                         // of one connection
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
    bool has_begun = false;  // a part of the header is there
  };

  void FrontLoop();
  void WorkerLoop();
  void Accept();
  void TakeReturned();
  // False when the connection is no longer among the waiting ones.
  bool ReadHeader(Waiting* waiting);
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
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<HttpConnection> queue_ ABSL_GUARDED_BY(mutex_);
  std::deque<HttpConnection> returned_ ABSL_GUARDED_BY(mutex_);
  std::map<int, bool> active_ ABSL_GUARDED_BY(mutex_);  // sockets that a thread works on
  std::thread front_;
  std::vector<std::thread> workers_;
};

}  // namespace sweep
