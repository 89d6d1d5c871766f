#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/http/connection_front.h"
#include "coordinator/http/web_files.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"
#include "coordinator/views/views.h"

namespace sweep {

class AccessGate;

struct HttpOptions {
  std::string listen = "127.0.0.1:0";  // port 0: any free one
  Views* views = nullptr;              // this and all below must outlive the server
  Scheduler* scheduler = nullptr;
  Store* store = nullptr;
  BlobStore* blobs = nullptr;
  SpecCache* specs = nullptr;
  std::function<std::string()> metrics;  // the text at /metrics; null: none
  AccessGate* gate = nullptr;            // decides by tokens; null: none are needed
  std::span<const WebFile> files = WebFiles();
  ConnectionFront::Options connections;
};

// The web dashboard: its page, the views as JSON under /api, the actions, weights, /metrics and
// /healthz. docs/dashboard.md describes the permissions. Thread-safe.
class HttpServer {
 public:
  // InvalidArgument for an invalid address; Unavailable with the reason when it cannot listen.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpOptions& options);
  // Calls Shutdown.
  virtual ~HttpServer() = default;

  // "http://127.0.0.1:43211/".
  virtual const std::string& url() const = 0;
  // Aborts requests under way. Idempotent; takes under a second, unless a change waits for the
  // database (at most 10 s).
  virtual void Shutdown() = 0;
};

}  // namespace sweep
