#include "worker/data/download.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using sweep::testing::ReadFile;
using sweep::testing::ScopedVariable;
using sweep::testing::TemporaryFolder;
using sweep::testing::WriteFile;
using ::testing::HasSubstr;

// Answers one HTTP request with fixed bytes, on a loopback port that the system chooses.
class OneAnswerServer {
 public:
  explicit OneAnswerServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 1) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }
  ~OneAnswerServer() {
    shutdown(listener_, SHUT_RDWR);  // ends accept()
    thread_.join();
    close(listener_);
  }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/file"; }

 private:
  void Serve() {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    char request[4096];
    if (read(connection, request, sizeof request) > 0) {
      send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
    close(connection);
  }

  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

class DownloadTest : public ::testing::Test {
 protected:
  std::string Complaint(const std::string& url, const DownloadLimits& limits = {}) {
    return DataErrorOf([&] { DownloadFile(url, path_, "file", {}, limits); });
  }

  const ScopedVariable no_proxy_{"no_proxy", "*"};
  TemporaryFolder folder_;
  std::string path_ = folder_ / "fetched";
};

TEST_F(DownloadTest, WritesWhatTheServerSends) {
  const OneAnswerServer server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  std::int64_t last = 0, size = 0;
  DownloadFile(server.Url(), path_, "name", [&](std::string_view name, auto done, auto total) {
    EXPECT_EQ(name, "name");
    last = done;
    size = total;
  });
  EXPECT_EQ(ReadFile(path_), "hello");
  EXPECT_EQ(last, 5);
  EXPECT_EQ(size, 5);
}

TEST_F(DownloadTest, AnErrorPageIsNoFile) {
  const OneAnswerServer server("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\noops");
  EXPECT_THAT(Complaint(server.Url()), HasSubstr("404"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DownloadTest, ATransferThatBreaksOffIsNoFile) {
  const OneAnswerServer server("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello");
  EXPECT_THAT(Complaint(server.Url()), HasSubstr("495 bytes"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DownloadTest, FollowsARedirection) {
  const OneAnswerServer target("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const OneAnswerServer first(
      "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target.Url() + "\r\n\r\n");
  DownloadFile(first.Url(), path_, "file", {});
  EXPECT_EQ(ReadFile(path_), "ok");
}

TEST_F(DownloadTest, AServerCannotPointAtLocalFiles) {
  WriteFile(folder_ / "private", "secret");
  const OneAnswerServer server("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: file://" +
                               folder_.path() + "/private\r\n\r\n");
  EXPECT_THAT(Complaint(server.Url()), HasSubstr("rotocol"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DownloadTest, MoreThanTheLimitIsRefusedAnnouncedOrNot) {
  const OneAnswerServer announced("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
  EXPECT_THAT(Complaint(announced.Url(), {.max_bytes = 10}), HasSubstr("size"));
  const OneAnswerServer silent("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world");
  EXPECT_THAT(Complaint(silent.Url(), {.max_bytes = 10}), HasSubstr("larger than the 10 bytes"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DownloadTest, ProgressMayGiveUp) {
  const OneAnswerServer server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  const auto give_up = [](std::string_view, std::int64_t, std::int64_t) {
    throw std::logic_error("enough");
  };
  EXPECT_THROW(DownloadFile(server.Url(), path_, "file", give_up), std::logic_error);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DownloadTest, NobodyListeningIsSaid) {
  std::string url;
  {
    url = OneAnswerServer("").Url();
  }
  EXPECT_THAT(Complaint(url), HasSubstr("connect"));
}

TEST_F(DownloadTest, AFolderThatIsNotThereIsSaid) {
  path_ = folder_ / "nowhere/fetched";
  EXPECT_THAT(Complaint("file:///dev/null"), HasSubstr("cannot create " + path_));
}

}  // namespace
}  // namespace sweep
