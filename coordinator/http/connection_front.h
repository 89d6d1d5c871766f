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

// An open connection whose next request has arrived: its header, and the body of a change unless it
// is too large.
struct HttpConnection {
  int socket = -1;
  std::string peer;  // "127.0.0.1"
  std::string received;
  std::string path;  // of the request, as sent
  int served = 0;    // number of requests
};

// Accepts connections, and waits on one thread for all of them until a complete request with its
// body has arrived; only then the request takes one of the few answering threads. So an idle or
// slow client costs only a descriptor, and the number of connections is limited. Health checks have
// their own thread. Malformed headers get 400. Thread-safe.
class ConnectionFront {
 public:
  struct Options {
    int threads = 4;
    std::size_t max_queued = 64;        // requests waiting for a thread; further ones get 503
    std::size_t max_connections = 256;  // beyond it the longest idle connection is closed
    std::size_t max_header_bytes = 16 << 10;
    std::size_t max_body_bytes = 64 << 10;          // a larger body is left to the handler
    absl::Duration header_time = absl::Seconds(5);  // from the first byte to the end of the header
    absl::Duration body_time = absl::Seconds(5);    // from there to the end of the body
    absl::Duration idle_time = absl::Seconds(15);   // between requests
    int max_requests = 100;                         // per connection
    // Paths that never wait for other requests: one thread serves only these.
    std::vector<std::string> urgent_paths = {};
  };
  // Answers one request on one of the threads. True when the connection may serve another request,
  // whose first bytes are then in `received`.
  using Handler = std::function<bool(HttpConnection* connection)>;

  // `listener` is a listening socket; the object closes it.
  ConnectionFront(int listener, const Options& options, Handler handler);
  // Calls Shutdown.
  ~ConnectionFront();

  // Closes every connection, even during a request. Idempotent.
  void Shutdown();

 private:
  struct Waiting {
    HttpConnection connection;
    absl::Time since;
    bool has_begun = false;       // a part of the header has arrived
    std::size_t whole_bytes = 0;  // of header and body together, once the header is complete
  };
  // Requests waiting for a thread.
  struct RequestQueue {
    std::deque<HttpConnection> connections;
    CondVar changed;
  };

  void FrontLoop();
  void WorkerLoop(RequestQueue* queue);
  void Accept();
  void TakeReturned();
  // Both return false when the connection is no longer waiting.
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
  // Used only by the front's thread: the waiting connections by socket, and whether descriptors are
  // left to accept another one.
  std::map<int, Waiting> waiting_;
  bool has_descriptors_ = true;

  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  RequestQueue ordinary_ ABSL_GUARDED_BY(mutex_);
  RequestQueue urgent_ ABSL_GUARDED_BY(mutex_);
  std::deque<HttpConnection> returned_ ABSL_GUARDED_BY(mutex_);
  std::map<int, bool> active_ ABSL_GUARDED_BY(mutex_);  // sockets being served by a thread
  std::thread front_;
  std::vector<std::thread> workers_;
};

}  // namespace sweep
