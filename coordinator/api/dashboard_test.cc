// The dashboard in a whole coordinator, and its documents over gRPC.

#include "common/logging/testing/captured_log.h"
#include "coordinator/api/testing/server_testing.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "sweep/v1/views.grpc.pb.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class DashboardTest : public ServerTest {
 protected:
  absl::Status GetView(const std::string& path, const std::string& query,
                       v1::GetViewResponse* response) {
    const auto stub = v1::ViewService::NewStub(channel_);
    v1::GetViewRequest request;
    request.set_path(path);
    request.set_query(query);
    return Invoke(*stub, &v1::ViewService::Stub::GetView, request, response);
  }
};

TEST_F(DashboardTest, ViewsComeByGrpcToo) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(2);
  v1::GetViewResponse response;
  ASSERT_EQ(GetView("/sweeps/s/trials", "where=best_accuracy+%3E+0.915", &response),
            absl::OkStatus());
  EXPECT_EQ(nlohmann::json::parse(response.json())["total"], 1);
  EXPECT_NE(response.etag(), "");
  EXPECT_TRUE(absl::IsNotFound(GetView("/sweeps/nope", "", &response)));
  EXPECT_TRUE(absl::IsInvalidArgument(GetView("/sweeps", "page_size=x", &response)));
  ASSERT_EQ(GetView("/api/sweeps", "", &response), absl::OkStatus());
  EXPECT_EQ(nlohmann::json::parse(response.json())["coordinator"]["actions_allowed"], false);
}

TEST_F(DashboardTest, EveryPlaceSaysTheSameOfBestAndTimeLeft) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(1);
  const v1::Lease lease = Lease("w");
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  ASSERT_TRUE(sweep.has_time_left());
  v1::GetViewResponse response;
  ASSERT_EQ(GetView("/sweeps/s", "", &response), absl::OkStatus());
  const auto view = nlohmann::json::parse(response.json());
  EXPECT_NEAR(view["seconds_left"].get<double>(),
              static_cast<double>(sweep.time_left().seconds()) + sweep.time_left().nanos() * 1e-9,
              1e-6);
  EXPECT_EQ(view["best_trial"], sweep.best_trial());
  EXPECT_EQ(view["best_value"], sweep.best_value());
  EXPECT_EQ(view["best_qualifies"], sweep.best_qualifies());
  v1::PauseSweepRequest request;
  request.set_name("sweeps/s");
  v1::PauseSweepResponse paused;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::PauseSweep, request, &paused),
            absl::OkStatus());
  EXPECT_FALSE(paused.sweep().has_time_left());
  EXPECT_EQ(paused.sweep().best_trial(), sweep.best_trial()) << "as GetSweep has it";
}

TEST_F(DashboardTest, IsServedOnlyWhenAskedFor) {
  EXPECT_EQ(server_->dashboard(), "");
  const auto with = Must(
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = "", .http = "127.0.0.1:0"}));
  EXPECT_THAT(with->dashboard(), StartsWith("http://127.0.0.1:"));
  const auto off =
      Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = "", .http = "off"}));
  EXPECT_EQ(off->dashboard(), "");
}

TEST_F(DashboardTest, ATakenPortStopsOnlyThoseWhoAskedForIt) {
  const auto first = Must(
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = "", .http = "127.0.0.1:0"}));
  std::string taken = first->dashboard().substr(std::string("http://").size());
  taken.pop_back();
  ServerOptions options{.listen = "127.0.0.1:0", .database = "", .http = taken};
  const absl::Status refused = CoordinatorServer::Start(options).status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(Message(refused), HasSubstr(taken));

  CapturedLog log;
  options.http_is_optional = true;
  const auto second = Must(CoordinatorServer::Start(options));
  log.End();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->dashboard(), "");
  EXPECT_THAT(log.text(), HasSubstr(taken));
}

TEST_F(DashboardTest, ShutsDownInTimeWithPagesOpen) {
  auto server = Must(
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = "", .http = "127.0.0.1:0"}));
  const absl::Time start = absl::Now();
  server->Shutdown();
  EXPECT_LT(absl::Now() - start, absl::FromChrono(kPatience));
}

}  // namespace
}  // namespace sweep
