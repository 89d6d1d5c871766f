// Sweeps that are deleted, renamed, archived or paused by the coordinator, through a real server.

#include <future>

#include "common/base/sha256.h"
#include "coordinator/api/testing/server_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class ServerLifecycleTest : public ServerTest {
 protected:
  absl::Status Delete(const std::string& name, const std::string& request_id = "") {
    v1::DeleteSweepRequest request;
    request.set_name(SweepResource(name));
    request.set_request_id(request_id);
    v1::DeleteSweepResponse response;
    return Invoke(*sweeps_, &v1::SweepService::Stub::DeleteSweep, request, &response);
  }
  absl::Status Rename(const std::string& name, const std::string& new_name,
                      const std::string& request_id = "", v1::Sweep* sweep = nullptr) {
    v1::RenameSweepRequest request;
    request.set_name(SweepResource(name));
    request.set_new_name(new_name);
    request.set_request_id(request_id);
    v1::RenameSweepResponse response;
    const absl::Status status =
        Invoke(*sweeps_, &v1::SweepService::Stub::RenameSweep, request, &response);
    if (sweep != nullptr) *sweep = response.sweep();
    return status;
  }
};

TEST_F(ServerLifecycleTest, AnotherFileUnderADeletedNameIsAnotherSweep) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.replicates(), 1);
  ASSERT_EQ(Delete("s", "r"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(GetSweep("s", &sweep)));
  ASSERT_EQ(Create("s", "replicates: 2\n"), absl::OkStatus());
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.replicates(), 2) << "what is kept by name is that of the deleted one";
  EXPECT_EQ(Delete("s", "r"), absl::OkStatus()) << "the same request, again";
  EXPECT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_TRUE(absl::IsInvalidArgument(Delete(":deleted:1")));
  EXPECT_TRUE(absl::IsNotFound(Delete("t")));
}

TEST_F(ServerLifecycleTest, WhoWatchesADeletedSweepIsToldSo) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  auto watch = std::async(std::launch::async, [&] {
    std::vector<v1::WatchSweepResponse> events;
    return Watch("s", "", &events);
  });
  v1::Sweep sweep;
  while (sweep.counts().pending() < 4) ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  ASSERT_EQ(Delete("s"), absl::OkStatus());
  const absl::Status ended = watch.get();
  EXPECT_TRUE(absl::IsNotFound(ended)) << ended;
}

TEST_F(ServerLifecycleTest, ARenamedSweepIsFoundUnderItsNewNameOnly) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  ASSERT_EQ(Rename("s", "t", "r", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.name(), "sweeps/t");
  EXPECT_TRUE(absl::IsNotFound(GetSweep("s", &sweep)));
  ASSERT_EQ(GetSweep("t", &sweep), absl::OkStatus());
  EXPECT_THAT(sweep.source().text(), HasSubstr("name: t\n"));
  EXPECT_EQ(Rename("s", "t", "r", &sweep), absl::OkStatus()) << "the same request, again";
  EXPECT_EQ(sweep.name(), "sweeps/t");
  ASSERT_EQ(Create("s", "replicates: 2\n"), absl::OkStatus());
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.replicates(), 2);
  EXPECT_TRUE(absl::IsAlreadyExists(Rename("s", "t")));
  EXPECT_TRUE(absl::IsInvalidArgument(Rename("s", "a b")));
  const v1::Lease lease = Lease("w");
  EXPECT_TRUE(absl::IsFailedPrecondition(
      Rename(lease.token().trial() == "sweeps/t/trials/1" ? "t" : "s", "u")));
  EXPECT_EQ(Report(lease.token(), 1, 5), absl::OkStatus());
}

TEST_F(ServerLifecycleTest, AnEditedSweepHasTheNewFileAndRemembersTheOld) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::EditSweepRequest edit;
  edit.set_name("sweeps/s");
  edit.mutable_source()->set_file("new.yaml");
  edit.mutable_source()->set_text(TestSource("s", "early_terminate: {type: median}\n").text);
  edit.set_replaces_sha256(Sha256Hex("another text"));
  edit.set_validate_only(true);
  v1::EditSweepResponse edited;
  const auto call = &v1::SweepService::Stub::EditSweep;
  EXPECT_TRUE(absl::IsAborted(Invoke(*sweeps_, call, edit, &edited)));
  edit.set_replaces_sha256(Sha256Hex(TestSource("s").text));
  ASSERT_EQ(Invoke(*sweeps_, call, edit, &edited), absl::OkStatus());
  EXPECT_EQ(edited.sweep().revision(), 2) << "as it would be";
  EXPECT_THAT(edited.sweep().early_terminate(), HasSubstr("median"));
  v1::GetSweepRequest get;
  get.set_name("sweeps/s");
  get.set_with_revisions(true);
  v1::GetSweepResponse got;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::GetSweep, get, &got), absl::OkStatus());
  EXPECT_EQ(got.sweep().revision(), 1);
  EXPECT_EQ(got.revisions_size(), 1);
  edit.set_validate_only(false);
  edit.set_request_id("r");
  edit.set_replaces_sha256(Sha256Hex("another text"));
  EXPECT_TRUE(absl::IsAborted(Invoke(*sweeps_, call, edit, &edited)));
  edit.set_replaces_sha256(Sha256Hex(TestSource("s").text));
  for (int i = 0; i < 2; ++i) {  // the second is the same request, again
    ASSERT_EQ(Invoke(*sweeps_, call, edit, &edited), absl::OkStatus());
    EXPECT_EQ(edited.sweep().revision(), 2);
  }
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::GetSweep, get, &got), absl::OkStatus());
  EXPECT_EQ(got.sweep().source().file(), "new.yaml");
  EXPECT_EQ(got.sweep().source().text(), edit.source().text());
  ASSERT_EQ(got.revisions_size(), 2);
  EXPECT_EQ(got.revisions(0).text(), TestSource("s").text);
  EXPECT_EQ(got.revisions(1).digest(), got.sweep().digest());
  bool created = true;
  EXPECT_EQ(Create("s", "early_terminate: {type: median}\n", &created), absl::OkStatus());
  EXPECT_FALSE(created) << "the file that it has now is the same sweep";
  edit.set_request_id("other");
  edit.clear_replaces_sha256();
  edit.mutable_source()->set_text(TestSource("s", "replicates: 2\n").text);
  const absl::Status refused = Invoke(*sweeps_, call, edit, &edited);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("replicates: 1 cannot become 2"));
  edit.set_name("sweeps/none");
  EXPECT_TRUE(absl::IsNotFound(Invoke(*sweeps_, call, edit, &edited)));
}

TEST_F(ServerLifecycleTest, AnArchivedSweepIsListedOnlyWhenAskedFor) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::ArchiveSweepRequest archive;
  archive.set_name("sweeps/s");
  archive.set_archived(true);
  v1::ArchiveSweepResponse archived;
  const auto call = &v1::SweepService::Stub::ArchiveSweep;
  EXPECT_TRUE(absl::IsFailedPrecondition(Invoke(*sweeps_, call, archive, &archived)));
  v1::CancelSweepRequest cancel;
  cancel.set_name("sweeps/s");
  v1::CancelSweepResponse cancelled;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CancelSweep, cancel, &cancelled),
            absl::OkStatus());
  ASSERT_EQ(Invoke(*sweeps_, call, archive, &archived), absl::OkStatus());
  EXPECT_TRUE(archived.sweep().archived());
  v1::ListSweepsRequest list;
  v1::ListSweepsResponse listed;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::ListSweeps, list, &listed), absl::OkStatus());
  EXPECT_EQ(listed.sweeps_size(), 0);
  list.set_show_archived(true);
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::ListSweeps, list, &listed), absl::OkStatus());
  ASSERT_EQ(listed.sweeps_size(), 1);
  EXPECT_GT(listed.sweeps(0).disk_bytes(), 0);
}

}  // namespace
}  // namespace sweep
