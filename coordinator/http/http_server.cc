#include "coordinator/http/http_server.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "coordinator/http/gzip.h"
#include "coordinator/http/http_actions.h"
#include "coordinator/http/http_rules.h"
#include "coordinator/http/listen_address.h"
#include "coordinator/http/page_routes.h"
#include "coordinator/http/socket_stream.h"
#include "coordinator/security/access_gate.h"
#include "coordinator/views/recent_answers.h"
#include "coordinator/views/view_query.h"
#include "fmt/format.h"
#include "httplib.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

using httplib::Request;
using httplib::Response;

constexpr std::int64_t kMaxBodyBytes = 64 << 10;
constexpr std::size_t kLeastGzipBytes = 1000;
constexpr int kGzipLevel = 4;
// Leaves threads for other requests while downloads are slow.
constexpr int kMaxDownloads = 2;
constexpr std::int64_t kDownloadPieceBytes = 256 << 10;
// Hides Accept-Encoding from httplib, which would itself compress, with a format that takes a
// second for 300 kB.
constexpr char kAcceptEncoding[] = "X-Accept-Encoding";
// Only proxies send these headers.
constexpr const char* kForwarding[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
                                       "X-Real-IP", "Via"};
constexpr char kTokenWanted[] = "Basic realm=\"sweep: a token as the password\", charset=\"UTF-8\"";
constexpr char kJson[] = "application/json; charset=utf-8";
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src "
    "'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

HttpCaller CallerOf(const Request& request) {
  return {.peer = request.remote_addr,
          .host = request.get_header_value("Host"),
          .origin = request.get_header_value("Origin"),
          .fetch_site = request.get_header_value("Sec-Fetch-Site"),
          .content_type = request.get_header_value("Content-Type"),
          .is_forwarded = std::any_of(std::begin(kForwarding), std::end(kForwarding),
                                      [&](const char* name) { return request.has_header(name); })};
}

// Refuses bodies of unknown length and compressed ones, which httplib would read without a limit.
absl::Status CheckBody(const Request& request) {
  if (request.has_header("Transfer-Encoding") || request.has_header("Content-Encoding")) {
    return absl::InvalidArgumentError(
        "the body of a change is sent as it is, without Transfer-Encoding and Content-Encoding");
  }
  std::int64_t size = 0;
  if (!absl::SimpleAtoi(request.get_header_value("Content-Length"), &size) || size < 0) {
    return absl::InvalidArgumentError("a change needs Content-Length, the size of its body");
  }
  if (size <= kMaxBodyBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "the body of a change has at most {} bytes; this one has {}", kMaxBodyBytes, size));
}

void SendError(const absl::Status& status, Response* response) {
  response->status = HttpStatus(status);
  if (response->status == 503) response->set_header("Retry-After", "1");
  response->set_content(ErrorDocument(status), kJson);
}

// True for paths that cost more than a file of the page.
bool IsData(std::string_view path) {
  return path == "/api" || path.starts_with("/api/") || path == "/metrics";
}

// The path as sent, without the query.
std::string_view RawPath(const Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

std::string_view RawQuery(const Request& request) {
  const std::size_t mark = request.target.find('?');
  return mark == std::string::npos ? std::string_view()
                                   : std::string_view(request.target).substr(mark + 1);
}

// Uses only process_request of httplib's server, which parses a request, routes it and writes the
// answer. ConnectionFront accepts the connections and waits for requests.
class Router final : public httplib::Server {
 public:
  // Without a socket httplib assumes a shutdown and sends no long answers.
  Router() { svr_sock_ = 0; }
  using Server::process_request;
};

class HttpServerImpl final : public HttpServer {
 public:
  HttpServerImpl(const HttpOptions& options, const ListenAddress& address, bool is_loopback)
      : options_(options),
        is_loopback_(is_loopback),
        url_("http://" + address.Reachable().ToString() + "/") {
    router_.set_keep_alive_timeout(absl::ToInt64Seconds(options.connections.idle_time));
    router_.set_keep_alive_max_count(static_cast<std::size_t>(options.connections.max_requests));
    router_.set_default_headers({{"Content-Security-Policy", kContentSecurityPolicy},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"},
                                 {"Cache-Control", "no-cache"}});
    router_.set_pre_routing_handler(
        [this](const Request& request, Response& response) { return Route(request, &response); });
    router_.Post(".*",
                 [this](const Request& request, Response& response) { Act(request, &response); });
    router_.set_exception_handler(
        [](const Request&, Response& response, const std::exception_ptr&) {
          SendError(absl::InternalError("the answer could not be made"), &response);
        });
    // Errors of httplib itself have no document.
    router_.set_error_handler([](const Request&, Response& response) {
      if (!response.body.empty()) return;
      const absl::Status status =
          absl::InvalidArgumentError("the request cannot be understood, or asks for too much");
      response.set_content(ErrorDocument(status), kJson);
    });
  }
  ~HttpServerImpl() override { HttpServerImpl::Shutdown(); }

  void Serve(int listener) {
    ConnectionFront::Options connections = options_.connections;
    // A busy service must not look dead to monitoring.
    connections.urgent_paths = {"/healthz", "/metrics"};
    front_ = std::make_unique<ConnectionFront>(
        listener, connections, [this](HttpConnection* connection) { return Answer(connection); });
  }

  const std::string& url() const override { return url_; }
  void Shutdown() override {
    if (front_ != nullptr) front_->Shutdown();
  }

 private:
  bool Answer(HttpConnection* connection) {
    SocketStream stream(connection, {});
    bool asks_to_close = false;
    bool may_have_body = true;
    const bool is_last = connection->served + 1 >= options_.connections.max_requests;
    const bool written =
        router_.process_request(stream, is_last, asks_to_close, [&may_have_body](Request& request) {
          request.ranges.clear();
          const std::string encodings = request.get_header_value("Accept-Encoding");
          request.headers.erase("Accept-Encoding");
          request.headers.erase("Expect");  // the front has sent "100 Continue"
          request.set_header(kAcceptEncoding, encodings);
          may_have_body = (request.method != "GET" && request.method != "HEAD") ||
                          request.has_header("Content-Length") ||
                          request.has_header("Transfer-Encoding");
          // An unread body must not be read as the next request.
          if (!may_have_body) return;
          request.headers.erase("Connection");
          request.set_header("Connection", "close");
        });
    return written && !asks_to_close && !may_have_body;
  }

  Router::HandlerResponse Route(const Request& request, Response* response) {
    const HttpCaller caller = CallerOf(request);
    absl::Status allowed = MayRead(caller, is_loopback_);
    if (allowed.ok() && IsData(RawPath(request))) allowed = MayReadData(caller);
    if (allowed.ok()) allowed = CheckToken(request);
    if (!allowed.ok()) {
      SendError(allowed, response);
      // Makes a browser ask the person for the token.
      if (absl::IsUnauthenticated(allowed)) {
        response->status = 401;
        response->set_header("WWW-Authenticate", kTokenWanted);
      }
    } else if (request.method == "POST") {
      absl::Status may = MayAct(caller);
      if (may.ok()) may = CheckBody(request);
      if (may.ok()) return Router::HandlerResponse::Unhandled;
      SendError(may, response);
    } else if (request.method == "GET" || request.method == "HEAD") {
      Get(request, response);
    } else {
      SendError(absl::InvalidArgumentError("only GET, HEAD and POST are understood"), response);
      response->status = 405;
    }
    return Router::HandlerResponse::Handled;
  }

  // Only whether the server lives is told to everybody.
  absl::Status CheckToken(const Request& request) {
    if (options_.gate == nullptr || RawPath(request) == "/healthz") return absl::OkStatus();
    const bool changes = request.method == "POST";
    // Of two headers, none is believed.
    const bool is_one = request.get_header_value_count("Authorization") == 1;
    return options_.gate->CheckRole(changes ? "a change" : "the dashboard",
                                    changes ? Role::kSubmitter : Role::kReader,
                                    is_one ? request.get_header_value("Authorization") : "");
  }

  void Get(const Request& request, Response* response) {
    const std::string_view path = RawPath(request);
    if (path == "/healthz") return response->set_content("ok\n", "text/plain; charset=utf-8");
    if (path == "/metrics") return GetMetrics(response);
    if (IsData(path)) return GetView(request, response);
    GetFile(request, std::string(path), response);
  }

  void GetMetrics(Response* response) {
    if (options_.metrics == nullptr) {
      return SendError(absl::NotFoundError("this server has no metrics"), response);
    }
    response->set_content(options_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  }

  void GetView(const Request& request, Response* response) {
    const std::string path(RawPath(request));
    if (path.ends_with("/weights")) return GetWeights(request, path, response);
    const absl::StatusOr<ViewAnswer> answer =
        options_.views->Get({.path = path,
                             .query = std::string(RawQuery(request)),
                             .if_none_match = request.get_header_value("If-None-Match"),
                             .actions_allowed = ActionsAllowed(request)});
    if (!answer.ok()) return SendError(answer.status(), response);
    response->set_header("ETag", answer->etag);
    if (answer->not_modified) {
      response->status = 304;
    } else {
      SendDocument(request, *answer, response);
    }
  }

  bool ActionsAllowed(const Request& request) {
    const HttpCaller caller = CallerOf(request);
    if (!IsLoopbackPeer(caller.peer) || !IsLoopbackHost(caller.host) || caller.is_forwarded) {
      return false;
    }
    return options_.gate == nullptr ||
           options_.gate->Allows(Role::kSubmitter, request.get_header_value("Authorization"));
  }

  void SendDocument(const Request& request, const ViewAnswer& answer, Response* response) {
    response->set_header("Vary", "Accept-Encoding");
    if (answer.json.size() < kLeastGzipBytes ||
        !AcceptsGzip(request.get_header_value(kAcceptEncoding))) {
      return response->set_content(answer.json, kJson);
    }
    // Compressing costs as much as making most documents, and several pages request the same ones.
    std::string gzipped;
    if (!gzipped_.Find(answer.etag, &gzipped)) {
      gzipped = Gzip(answer.json, kGzipLevel);
      gzipped_.Put(answer.etag, gzipped);
    }
    response->set_header("Content-Encoding", "gzip");
    response->set_content(std::move(gzipped), kJson);
  }

  void GetFile(const Request& request, const std::string& path, Response* response) {
    if (options_.files.empty()) {
      return response->set_content(PageOfNoPage(), "text/html; charset=utf-8");
    }
    const WebFile* file = FindWebFile(options_.files, path);
    const bool is_asset = path.starts_with("/assets/");
    if (file == nullptr && is_asset) {
      return SendError(absl::NotFoundError("there is no such file"), response);
    }
    if (file == nullptr && path == "/") file = FindWebFile(options_.files, "/index.html");
    if (file != nullptr) return SendFile(request, *file, is_asset, response);
    // The page's files have relative paths, so only one address serves it.
    if (const auto route = PageRoute(path, RawQuery(request))) {
      return response->set_redirect(*route);
    }
    response->status = 404;
    response->set_content(PageOfNoSuchPage(path), "text/html; charset=utf-8");
  }

  static void SendFile(const Request& request, const WebFile& file, bool is_asset,
                       Response* response) {
    response->set_header("ETag", std::string(file.etag));
    response->set_header("Vary", "Accept-Encoding");
    // An asset's name contains a digest of its content.
    if (is_asset) {
      response->headers.erase("Cache-Control");
      response->set_header("Cache-Control", "public, max-age=31536000, immutable");
    }
    if (request.get_header_value("If-None-Match") == file.etag) {
      response->status = 304;
      return;
    }
    const std::string type(file.type);
    if (!AcceptsGzip(request.get_header_value(kAcceptEncoding))) {
      return response->set_content(Gunzip(file.gzipped), type);
    }
    response->set_header("Content-Encoding", "gzip");
    response->set_content(std::string(file.gzipped), type);
  }

  void GetWeights(const Request& request, const std::string& path, Response* response) {
    const absl::StatusOr<ViewQuery> query = ViewQuery::Parse(path, RawQuery(request));
    if (!query.ok()) return SendError(query.status(), response);
    if (query->path.size() != 5 || query->path[0] != "sweeps" || query->path[2] != "trials") {
      return SendError(absl::NotFoundError("there is no such path under /api"), response);
    }
    const absl::StatusOr<std::int64_t> number = ParseTrialNumber(query->path[3]);
    if (!number.ok()) return SendError(number.status(), response);
    const absl::StatusOr<Views::Weights> weights =
        options_.views->FindWeights(query->path[1], *number, query->Text("which"));
    if (!weights.ok()) return SendError(weights.status(), response);
    StreamBlob(*weights, response);
  }

  void StreamBlob(const Views::Weights& weights, Response* response) {
    // Shared with the writing of the answer; decrements when it has ended.
    const std::shared_ptr<void> turn(nullptr, [this](void*) { --downloads_; });
    if (++downloads_ > kMaxDownloads) {
      return SendError(absl::UnavailableError("other downloads are under way; ask again"),
                       response);
    }
    absl::StatusOr<std::unique_ptr<BlobStore::Reader>> opened =
        options_.blobs->Read(weights.sha256);
    if (!opened.ok()) return SendError(opened.status(), response);
    const std::shared_ptr<BlobStore::Reader> reader = *std::move(opened);  // shared as `turn`
    response->set_header("Content-Disposition",
                         fmt::format("attachment; filename=\"{}\"", weights.file_name));
    // httplib would call a provider of length 0 forever.
    if (reader->size_bytes() == 0) return response->set_content("", "application/octet-stream");
    response->set_content_provider(
        static_cast<std::size_t>(reader->size_bytes()), "application/octet-stream",
        [reader, turn](std::size_t, std::size_t, httplib::DataSink& sink) {
          const absl::StatusOr<std::string> piece = reader->Next(kDownloadPieceBytes);
          return piece.ok() && !piece->empty() && sink.write(piece->data(), piece->size());
        });
  }

  void Act(const Request& request, Response* response) {
    const absl::StatusOr<std::string> document =
        RunAction(options_, std::string(RawPath(request)), request.body);
    if (!document.ok()) return SendError(document.status(), response);
    spdlog::info("dashboard action path={:?}", std::string(RawPath(request)));
    response->set_content(*document, kJson);
  }

  const HttpOptions options_;
  const bool is_loopback_;
  const std::string url_;
  Router router_;
  RecentAnswers gzipped_;  // by etag of the uncompressed document
  std::atomic<int> downloads_ = 0;
  std::unique_ptr<ConnectionFront> front_;  // last, so that its threads end first
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpOptions& options) {
  absl::StatusOr<ListenAddress> address = ParseListenAddress(options.listen);
  if (!address.ok()) return address.status();
  const absl::StatusOr<int> listener = ListenOn(&*address);
  if (!listener.ok()) return listener.status();
  const bool is_loopback = IsLoopbackSocket(*listener);
  auto server = std::make_unique<HttpServerImpl>(options, *address, is_loopback);
  server->Serve(*listener);
  if (!is_loopback) {
    spdlog::warn(
        "INSECURE: dashboard on {}: whoever can reach it can read it, there is no authentication",
        server->url());
  }
  return server;
}

}  // namespace sweep
