#include "coordinator/http/http_server.h"

#include <memory>
#include <set>
#include <thread>

#include "absl/strings/escaping.h"
#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"
#include "coordinator/http/gzip.h"
#include "coordinator/http/testing/http_testing.h"
#include "coordinator/security/access_gate.h"
#include "coordinator/views/testing/views_testing.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class HttpServerTest : public ViewsTest {
 protected:
  void SetUp() override {
    ViewsTest::SetUp();
    Start({});
  }
  void TearDown() override {
    server_.reset();
    ViewsTest::TearDown();
  }
  void Start(HttpOptions options) {
    options.views = views_.get();
    options.scheduler = scheduler_.get();
    options.store = store_.get();
    options.blobs = blobs_.get();
    options.specs = specs_.get();
    server_ = Must(HttpServer::Start(options));
    ASSERT_NE(server_, nullptr);
    port_ = PortOf(server_->url());
  }
  std::string Host() const { return "127.0.0.1:" + std::to_string(port_); }
  // The headers that the page sends with a change.
  std::string PageLines() const {
    return "Content-Type: application/json\r\nOrigin: http://" + Host() + "\r\n";
  }

  // Sends one request with these header lines; adds this server's "Host" if they have none.
  Answer Ask(const std::string& method, const std::string& target, const std::string& lines = "",
             const std::string& body = "") {
    RawClient client(port_);
    std::string request = method + " " + target + " HTTP/1.1\r\n" + lines + "Connection: close\r\n";
    if (lines.find("Host:") == std::string::npos) request += "Host: " + Host() + "\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client.Send(request + "\r\n" + body);
    const std::string text = client.ReadAll();
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return {.head = text};
    return {.status = std::atoi(text.substr(9).c_str()),
            .head = text.substr(0, end),
            .body = text.substr(end + 4)};
  }
  Answer Read(const std::string& target, const std::string& lines = "") {
    return Ask("GET", target, lines);
  }
  Answer Act(const std::string& target, const std::string& body, const std::string& lines = "") {
    return Ask("POST", target, lines.empty() ? PageLines() : lines, body);
  }
  static std::string Header(const Answer& answer, const std::string& name) {
    const std::size_t begin = answer.head.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return "";
    const std::size_t value = begin + name.size() + 4;
    return answer.head.substr(value, answer.head.find("\r\n", value) - value);
  }

  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(HttpServerTest, ServesViewsWithStrictHeaders) {
  Fill("s");
  const Answer answer = Read("/api/sweeps/s");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json::parse(answer.body)["name"], "s");
  EXPECT_THAT(Header(answer, "Content-Type"), StartsWith("application/json"));
  EXPECT_THAT(Header(answer, "Content-Security-Policy"), HasSubstr("script-src 'self'"));
  EXPECT_EQ(Header(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(Header(answer, "Referrer-Policy"), "no-referrer");
  EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
  EXPECT_EQ(Read("/healthz").body, "ok\n");
}

TEST_F(HttpServerTest, SaysWhetherTheAskerMayAct) {
  EXPECT_EQ(Json::parse(Read("/api/sweeps").body)["coordinator"]["actions_allowed"], true);
}

TEST_F(HttpServerTest, AskingAgainCostsNothingWhileNothingHasChanged) {
  Fill("s");
  const std::string etag = Header(Read("/api/sweeps/s/points"), "ETag");
  EXPECT_NE(etag, "");
  const Answer again = Read("/api/sweeps/s/points", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(Read("/api/sweeps/s/points", "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_F(HttpServerTest, JsonIsZippedForThoseWhoTakeIt) {
  Fill("s");
  const Answer zipped = Read("/api/sweeps/s/trials/1", "Accept-Encoding: br, gzip\r\n");
  EXPECT_EQ(Header(zipped, "Content-Encoding"), "gzip");
  EXPECT_EQ(Header(zipped, "Vary"), "Accept-Encoding");
  EXPECT_EQ(Json::parse(Gunzip(zipped.body))["sweep"], "s");
  const Answer plain = Read("/api/sweeps/s/trials/1", "Accept-Encoding: br\r\n");
  EXPECT_EQ(Header(plain, "Content-Encoding"), "");
  EXPECT_EQ(Json::parse(plain.body)["sweep"], "s");
}

TEST_F(HttpServerTest, ErrorsAreJson) {
  const std::pair<const char*, int> kCases[] = {{"/api/nothing", 404},
                                                {"/api/sweeps/nope", 404},
                                                {"/api/sweeps?page_size=x", 400},
                                                {"/api/sweeps/%zz", 400},
                                                {"/metrics", 404}};
  for (const auto& [path, status] : kCases) {
    const Answer answer = Read(path);
    EXPECT_EQ(answer.status, status) << path;
    EXPECT_TRUE(Json::parse(answer.body)["error"]["message"].is_string()) << answer.body;
  }
  EXPECT_EQ(Ask("DELETE", "/api/sweeps").status, 405);
}

TEST_F(HttpServerTest, HostileAddressesAreNeverReflectedUnescaped) {
  for (const std::string& path : {std::string("/api/sweeps/<script>alert(1)</script>"),
                                  std::string("/api/sweeps/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
                                  "/api/sweeps/" + std::string(7'000, 'x')}) {
    const Answer answer = Read(path);
    EXPECT_GE(answer.status, 400) << path.substr(0, 60);
    EXPECT_LT(answer.status, 500);
    EXPECT_THAT(Header(answer, "Content-Type"), StartsWith("application/json"));
    EXPECT_LT(answer.body.size(), 1500u);
  }
  EXPECT_EQ(Read("/api/sweeps/" + std::string(10'000, 'x')).status, 414);
  EXPECT_EQ(Read("/" + std::string(20'000, 'x')).status, 431);
}

TEST_F(HttpServerTest, AForeignNameOfThisMachineIsRefused) {
  const Answer answer = Read("/api/sweeps", "Host: evil.example\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("loopback"));
}

TEST_F(HttpServerTest, ThePageMayPauseResumeAndRetry) {
  Fill("s");
  const Answer paused = Act("/api/sweeps/s/pause", R"({"now": false, "request_id": "r1"})");
  EXPECT_EQ(paused.status, 200) << paused.body;
  EXPECT_EQ(Json::parse(paused.body)["sweep"]["state"], "paused");
  // Repeating the request changes nothing.
  EXPECT_EQ(Act("/api/sweeps/s/pause", R"({"now": false, "request_id": "r1"})").status, 200);
  EXPECT_EQ(Json::parse(Act("/api/sweeps/s/resume", "{}").body)["sweep"]["state"], "active");
  const Answer retried = Act("/api/sweeps/s/trials/3/retry", R"({"request_id": "r2"})");
  EXPECT_EQ(Json::parse(retried.body)["trial"]["state"], "pending") << retried.body;
  EXPECT_EQ(Json::parse(Act("/api/sweeps/s/trials/3/cancel", "{}").body)["trial"]["state"],
            "cancelled");
  EXPECT_EQ(Json::parse(Act("/api/sweeps/s/cancel", "{}").body)["sweep"]["state"], "cancelled");
}

TEST_F(HttpServerTest, WhatDivergedIsRetriedOnlyWhenThatIsForced) {
  const SweepSpec spec = TestSpec("d", "replicates: 2\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 2\n");
  for (const TrialRow& trial : driver_->Add(sweep, spec, 1)) {
    const LeaseRow lease = driver_->Grant(trial.id, "a");
    ASSERT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kDiverged, "diverged: loss").ok());
  }
  EXPECT_EQ(Act("/api/sweeps/d/trials/1/retry", "{}").status, 409);
  EXPECT_EQ(Act("/api/sweeps/d/trials/1/retry", R"({"force": false})").status, 409);
  const Answer forced = Act("/api/sweeps/d/trials/1/retry", R"({"force": true})");
  EXPECT_EQ(forced.status, 200) << forced.body;
  EXPECT_EQ(Json::parse(forced.body)["trial"]["state"], "pending") << forced.body;
  const Answer all = Act("/api/sweeps/d/retry", R"({"diverged": true})");
  EXPECT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(Json::parse(all.body)["sweep"]["trials"]["diverged"], 0) << all.body;
}

TEST_F(HttpServerTest, WhatTheStateDoesNotAllowIsAConflict) {
  Fill("s");
  const Answer answer = Act("/api/sweeps/s/trials/1/cancel", "{}");
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "FAILED_PRECONDITION");
}

TEST_F(HttpServerTest, ActionsThatAreNoneAreRefused) {
  Fill("s");
  EXPECT_EQ(Act("/api/sweeps/s/explode", "{}").status, 404);
  EXPECT_EQ(Act("/api/sweeps", "{}").status, 404);
  EXPECT_EQ(Act("/api/sweeps/s/pause", "[1]").status, 400);
  EXPECT_EQ(Act("/api/sweeps/s/pause", "{").status, 400);
  EXPECT_EQ(Act("/api/sweeps/s/pause", R"({"now": 1})").status, 400);
  EXPECT_EQ(Act("/api/sweeps/s/pause", R"({"later": true})").status, 400);
  EXPECT_EQ(Act("/api/sweeps/s/pause", R"({"failed": true})").status, 400) << "another's";
  EXPECT_EQ(Act("/api/sweeps/s/trials/1/retry", R"({"diverged": true})").status, 400);
  EXPECT_EQ(Act("/api/sweeps/s/pause", std::string(100'000, ' ')).status, 400);
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kActive);
}

TEST_F(HttpServerTest, ForeignPagesMayNotAct) {
  Fill("s");
  const std::string json = "Content-Type: application/json\r\n";
  for (const std::string& lines :
       {json + "Origin: http://evil.example\r\n", json + "Sec-Fetch-Site: cross-site\r\n", json,
        "Content-Type: text/plain\r\nOrigin: http://" + Host() + "\r\n",
        json + "Host: evil.example\r\nOrigin: http://evil.example\r\n"}) {
    const Answer answer = Act("/api/sweeps/s/pause", "{}", lines);
    EXPECT_EQ(answer.status, 403) << lines;
    EXPECT_GT(Json::parse(answer.body)["error"]["message"].get<std::string>().size(), 20u);
  }
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kActive);
}

TEST_F(HttpServerTest, ABodyIsNotTakenForTheNextRequest) {
  RawClient client(port_);
  client.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n" +
              std::string("GET /smuggled HTTP/1.1\r\n\r\n"));
  const std::string text = client.ReadAll();
  EXPECT_THAT(text, HasSubstr("ok\n"));
  EXPECT_EQ(text.find("HTTP/1.1", 10), std::string::npos) << text;
}

// Headers that some readers take for a body's size and others overlook.
TEST_F(HttpServerTest, AMalformedHeaderGetsOneRefusalAndNoMore) {
  for (const char* line : {"Content-Length : 30", " Content-Length: 30", "Content-Length: 30\n",
                           "Content-Length: 30\r\nContent-Length: 0", "Content-Length: +30"}) {
    RawClient client(port_);
    client.Send(std::string("GET /healthz HTTP/1.1\r\nHost: localhost\r\n") + line +
                "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string text = client.ReadAll();
    EXPECT_THAT(text, StartsWith("HTTP/1.1 400")) << line;
    EXPECT_EQ(text.find("HTTP/1.1", 10), std::string::npos) << text;
    EXPECT_EQ(Json::parse(text.substr(text.find("\r\n\r\n") + 4))["error"]["code"],
              "INVALID_ARGUMENT");
  }
}

TEST_F(HttpServerTest, HealthAndMetricsDoNotWaitForSlowSenders) {
  Start({.metrics = [] { return std::string("sweep_up 1\n"); }});
  std::vector<RawClient> slow;
  for (int i = 0; i < 40; ++i) {
    slow.emplace_back(port_);
    slow.back().Send("POST /api/sweeps/s/pause HTTP/1.1\r\nHost: " + Host() + "\r\n" + PageLines() +
                     "Content-Length: 2\r\n\r\n{");
  }
  EXPECT_EQ(Read("/healthz").body, "ok\n");
  EXPECT_EQ(Read("/metrics").body, "sweep_up 1\n");
  EXPECT_EQ(Read("/api/sweeps").status, 200);
}

TEST_F(HttpServerTest, AClientThatAsksBeforeItsBodyIsAnsweredOnce) {
  Fill("s");
  RawClient client(port_);
  client.Send("POST /api/sweeps/s/pause HTTP/1.1\r\nHost: " + Host() + "\r\n" + PageLines() +
              "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("{}");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TheLastAnswerOfAConnectionSaysSo) {
  Start({.connections = {.max_requests = 2}});
  RawClient client(port_);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.Send(request);
  EXPECT_THAT(client.ReadTo("ok\n"), Not(HasSubstr("Connection: close")));
  client.Send(request);
  EXPECT_THAT(client.ReadAll(), HasSubstr("Connection: close"));
}

TEST_F(HttpServerTest, WeightsAreStreamed) {
  std::string bytes(700'000, 'w');
  bytes[699'999] = '!';
  FillWithArtifact("s", "weights_best", bytes);
  const Answer answer = Read("/api/sweeps/s/trials/1/weights?which=best");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == bytes) << answer.body.size();
  EXPECT_THAT(Header(answer, "Content-Disposition"), HasSubstr("s-1-best.safetensors"));
  EXPECT_EQ(Read("/api/sweeps/s/trials/1/weights?which=last").status, 404);
  EXPECT_EQ(Read("/api/sweeps/s/trials/1/weights?which=worst").status, 400);
}

TEST_F(HttpServerTest, WeightsWithoutAByteAreSentAndEnd) {
  FillWithArtifact("s", "weights_best", "");
  for (int i = 0; i < 4; ++i) {  // more than the limit of downloads
    const Answer answer = Read("/api/sweeps/s/trials/1/weights?which=best");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
  }
}

TEST_F(HttpServerTest, ABodyOfUnknownOrHugeSizeIsRefusedUnread) {
  Fill("s");
  const std::string page = PageLines();
  for (const std::string& lines :
       {page + "Transfer-Encoding: chunked\r\n", page + "Content-Length: 65537\r\n",
        page + "Content-Length: -1\r\n", page + "Content-Length: 2x\r\n", page}) {
    const Answer answer = Act("/api/sweeps/s/pause", "", lines);  // not waiting for the body
    EXPECT_EQ(answer.status, 400) << lines;
    EXPECT_TRUE(Json::parse(answer.body)["error"]["message"].is_string()) << answer.body;
  }
  EXPECT_EQ(Act("/api/sweeps/s/pause", "{}", page + "Content-Encoding: gzip\r\n").status, 400);
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kActive);
}

TEST_F(HttpServerTest, PagesOfOtherSitesGetNoDocuments) {
  const std::string lines = "Sec-Fetch-Site: cross-site\r\n";
  EXPECT_EQ(Read("/api/sweeps", lines).status, 403);
  EXPECT_EQ(Read("/metrics", lines).status, 403);
  EXPECT_EQ(Read("/", lines).status, 200);  // a link to the page
  EXPECT_EQ(Read("/api/sweeps", "Sec-Fetch-Site: same-origin\r\n").status, 200);
}

TEST_F(HttpServerTest, NobodyActsThroughAProxy) {
  const std::string page = PageLines();
  const Answer answer = Act("/api/sweeps/s/pause", "{}", page + "X-Forwarded-For: 10.0.0.7\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("through a proxy"));
  const Answer list = Read("/api/sweeps", "Via: 1.1 proxy\r\n");
  EXPECT_EQ(Json::parse(list.body)["coordinator"]["actions_allowed"], false);
}

TEST_F(HttpServerTest, AnAnswerToAChangeSaysThatItIsTheLast) {
  Fill("s");
  const std::string page = PageLines();
  const Answer answer = Act("/api/sweeps/s/pause", "{}", page + "Connection: keep-alive\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Header(answer, "Connection"), "close");
}

TEST_F(HttpServerTest, LoopbackIsKnownHoweverItIsWritten) {
  for (const char* listen : {"LOCALHOST:0", "[::ffff:127.0.0.1]:0"}) {
    const auto server = HttpServer::Start({.listen = listen, .views = views_.get()});
    if (!server.ok()) continue;  // the machine has no IPv6
    RawClient client(PortOf((*server)->url()));
    client.Send("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 403")) << listen;
  }
}

TEST_F(HttpServerTest, MetricsComeFromTheHook) {
  Start({.metrics = [] { return std::string("sweep_up 1\n"); }});
  const Answer answer = Read("/metrics");
  EXPECT_EQ(answer.body, "sweep_up 1\n");
  EXPECT_THAT(Header(answer, "Content-Type"), StartsWith("text/plain; version=0.0.4"));
}

// A server that wants tokens.
class TokenHttpTest : public HttpServerTest {
 protected:
  void SetUp() override {
    ViewsTest::SetUp();
    const std::string path = folder_.File("tokens");
    reader_ = Must(AddToken(path, "r", Role::kReader, absl::Now()));
    submitter_ = Must(AddToken(path, "s", Role::kSubmitter, absl::Now()));
    worker_ = Must(AddToken(path, "w", Role::kWorker, absl::Now()));
    gate_ = std::make_unique<AccessGate>(Must(TokenTable::Open(path)), RealClock());
    Start({.metrics = [] { return std::string("sweep_up 1\n"); }, .gate = gate_.get()});
    Fill("s");
  }
  static std::string Bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }

  const SecretsFolder folder_;
  std::string reader_, submitter_, worker_;
  std::unique_ptr<AccessGate> gate_;
};

TEST_F(TokenHttpTest, NobodyReadsWithoutAToken) {
  for (const char* path : {"/", "/api/sweeps", "/api/sweeps/s/trials/1/weights", "/metrics"}) {
    const Answer answer = Read(path);
    EXPECT_EQ(answer.status, 401) << path;
    EXPECT_THAT(Header(answer, "WWW-Authenticate"), StartsWith("Basic "));
    EXPECT_EQ(Read(path, Bearer(NewToken())).status, 401) << path;
    EXPECT_EQ(Read(path, Bearer(worker_)).status, 403) << path;
    EXPECT_EQ(Read(path, Bearer(reader_) + Bearer(reader_)).status, 401) << path;
  }
  EXPECT_EQ(Read("/healthz").status, 200);
}

TEST_F(TokenHttpTest, AReaderReadsAndChangesNothing) {
  const Answer sweep = Read("/api/sweeps/s", Bearer(reader_));
  EXPECT_EQ(sweep.status, 200);
  EXPECT_EQ(Read("/metrics", Bearer(reader_)).body, "sweep_up 1\n");
  const std::string basic = "Authorization: Basic " + absl::Base64Escape("me:" + reader_) + "\r\n";
  const Answer list = Read("/api/sweeps", basic);
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(Json::parse(list.body)["coordinator"]["actions_allowed"], false);
  EXPECT_EQ(Act("/api/sweeps/s/pause", "{}", PageLines() + Bearer(reader_)).status, 403);
  EXPECT_EQ(Act("/api/sweeps/s/pause", "{}").status, 401);
}

TEST_F(TokenHttpTest, ASubmitterChangesSweepsAsFarAsThePageMay) {
  EXPECT_EQ(
      Json::parse(Read("/api/sweeps", Bearer(submitter_)).body)["coordinator"]["actions_allowed"],
      true);
  EXPECT_EQ(Act("/api/sweeps/s/pause", "{}", PageLines() + Bearer(submitter_)).status, 200);
  // A token does not replace the rules against pages of other sites.
  const std::string foreign = "Content-Type: application/json\r\nOrigin: http://evil.example\r\n";
  EXPECT_EQ(Act("/api/sweeps/s/resume", "{}", foreign + Bearer(submitter_)).status, 403);
}

TEST_F(HttpServerTest, ABuildWithoutThePageSaysSo) {
  Start({.files = {}});
  const Answer answer = Read("/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("built without its web page"));
  EXPECT_THAT(Header(answer, "Content-Type"), StartsWith("text/html"));
}

TEST_F(HttpServerTest, ServesThePagesFilesAndLeadsToItsRoutes) {
  const std::string page = Gzip("<p>page</p>", 9);
  const std::string script = Gzip("run()", 9);
  const WebFile files[] = {{"/assets/a-1.js", "text/javascript", "\"j\"", script},
                           {"/index.html", "text/html", "\"i\"", page}};
  Start({.files = files});
  EXPECT_EQ(Read("/").body, "<p>page</p>");
  const Answer route = Read("/sweeps/some.name/trials?sort=lr");
  EXPECT_EQ(route.status, 302);
  EXPECT_EQ(Header(route, "Location"), "../../#/sweeps/some.name/trials?sort=lr");
  const Answer nowhere = Read("/some.name");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_THAT(nowhere.body, HasSubstr("No such page"));
  EXPECT_THAT(Header(nowhere, "Content-Type"), StartsWith("text/html"));
  const Answer asset = Read("/assets/a-1.js", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(Gunzip(asset.body), "run()");
  EXPECT_THAT(Header(asset, "Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(Header(Read("/"), "Cache-Control"), "no-cache");
  EXPECT_EQ(Read("/assets/a-2.js").status, 404);
  EXPECT_EQ(Read("/", "If-None-Match: \"i\"\r\n").status, 304);
}

TEST_F(HttpServerTest, ATakenPortIsAnError) {
  const absl::Status refused =
      HttpServer::Start({.listen = Host(), .views = views_.get()}).status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr(Host()));
  EXPECT_TRUE(absl::IsInvalidArgument(HttpServer::Start({.listen = "nonsense"}).status()));
}

TEST_F(HttpServerTest, ManyAskAtOnce) {
  Fill("s");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([this] {
      for (int turn = 0; turn < 20; ++turn) EXPECT_EQ(Read("/api/sweeps/s/points").status, 200);
    });
  }
}

}  // namespace
}  // namespace sweep
