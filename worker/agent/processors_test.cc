#include "worker/agent/processors.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/ids.h"

namespace sweep {
namespace {

constexpr char kMount2[] =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kMount1[] =
    "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 32 0:31 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory\n";

class CpuQuotaTest : public ::testing::Test {
 protected:
  CpuQuotaTest() : root_(std::filesystem::temp_directory_path() / ("quota-" + RandomHex(8))) {}
  ~CpuQuotaTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = root_.string() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  Processors Read() const {
    Processors processors{.online = 8, .affinity = 4};
    ReadCpuQuota(root_, &processors);
    return processors;
  }

  const std::filesystem::path root_;
};

TEST(Processors, AreWhatTheTightestLimitLeaves) {
  EXPECT_EQ((Processors{.online = 8, .affinity = 4}).usable(), 4);
  EXPECT_EQ((Processors{.online = 2, .affinity = 4}).usable(), 2);
  EXPECT_EQ((Processors{.online = 8, .affinity = 4, .quota = 0.5}).usable(), 1);
  EXPECT_EQ((Processors{.online = 8, .affinity = 4, .quota = 2.9}).usable(), 2);
  EXPECT_EQ((Processors{.online = 8, .affinity = 4, .quota = 3}).usable(), 3);
  EXPECT_EQ((Processors{.online = 8, .affinity = 4, .quota = 16}).usable(), 4);
}

TEST(Processors, SayWhy) {
  EXPECT_EQ((Processors{.online = 2, .affinity = 2, .quota = 0.5, .quota_group = "/a"}).Describe(),
            "2 processors, affinity 2, quota 0.5 of cgroup /a");
  EXPECT_EQ((Processors{.online = 1, .affinity = 1}).Describe(), "1 processor, affinity 1");
}

TEST(Processors, OfThisMachineAreAtLeastOne) {
  EXPECT_GE(CountProcessors().usable(), 1);
  EXPECT_GE(CountProcessors().affinity, 1);
}

TEST_F(CpuQuotaTest, IsThatOfAContainersOwnGroup) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/proc/self/mountinfo", kMount2);
  Write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(Read().quota, 0.5);
  EXPECT_EQ(Read().quota_group, "/");
}

TEST_F(CpuQuotaTest, IsTheSmallestOfAllGroupsAbove) {
  Write("/proc/self/cgroup", "0::/user.slice/a/b\n");
  Write("/proc/self/mountinfo", kMount2);
  Write("/sys/fs/cgroup/user.slice/cpu.max", "300000 100000\n");
  Write("/sys/fs/cgroup/user.slice/a/cpu.max", "150000 100000\n");
  Write("/sys/fs/cgroup/user.slice/a/b/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(Read().quota, 1.5);
  EXPECT_EQ(Read().quota_group, "/user.slice/a");
}

TEST_F(CpuQuotaTest, MemoryIsTheSmallestLimitOfAllGroupsAbove) {
  EXPECT_EQ(LimitMemory(root_, 100), 100) << "no /proc at all";
  Write("/proc/self/cgroup", "0::/a/b\n");
  Write("/proc/self/mountinfo", kMount2);
  Write("/sys/fs/cgroup/a/memory.max", "70\n");
  Write("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(LimitMemory(root_, 100), 70);
  EXPECT_EQ(LimitMemory(root_, 50), 50);
  Write("/proc/self/cgroup", "3:cpu,cpuacct:/x\n2:memory:/b\n");
  Write("/proc/self/mountinfo", kMount1);
  Write("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "60\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(LimitMemory(root_, 100), 60);
}

TEST_F(CpuQuotaTest, IsNoneWhereNobodySetsOne) {
  EXPECT_EQ(Read().quota, 0) << "no /proc at all";
  Write("/proc/self/cgroup", "0::/a\n");
  EXPECT_EQ(Read().quota, 0) << "no mounts";
  Write("/proc/self/mountinfo", kMount2);
  EXPECT_EQ(Read().quota, 0) << "no files";
  Write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(Read().quota, 0);
  EXPECT_EQ(Read().usable(), 4);
}

TEST_F(CpuQuotaTest, IsNotReadFromMalformedFiles) {
  Write("/proc/self/cgroup", "0::/a\n\nrubbish\n1:cpu\n");
  Write("/proc/self/mountinfo", std::string("x\n - \n1 2 3 - cgroup2\n") + kMount2);
  for (const char* text : {"", "\n", "50000", "50000 0\n", "0 100000\n", "-1 100000\n", "1e5 1e5\n",
                           "50000 100000 1\n", "99999999999999999999 1\n", "max\n"}) {
    Write("/sys/fs/cgroup/a/cpu.max", text);
    EXPECT_EQ(Read().quota, 0) << text;
  }
  Write("/sys/fs/cgroup/a/cpu.max", "  50000\t100000");
  EXPECT_EQ(Read().quota, 0) << "the kernel writes one blank";
}

TEST_F(CpuQuotaTest, OfVersionOne) {
  Write("/proc/self/cgroup", "12:memory:/m\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n");
  Write("/proc/self/mountinfo", kMount1);
  Write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(Read().quota, 0) << "half of it is missing";
  Write("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(Read().quota, 2.5);
  EXPECT_EQ(Read().quota_group, "/docker/abc");
}

TEST_F(CpuQuotaTest, OfAContainerThatSeesTheHostsNames) {
  Write("/proc/self/cgroup", "4:cpu:/docker/abc/inner\n");
  Write("/proc/self/mountinfo", "33 32 0:30 /docker/abc /cg ro - cgroup cgroup rw,cpu\n");
  Write("/cg/cpu.cfs_quota_us", "100000\n");
  Write("/cg/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(Read().quota, 1);
  EXPECT_EQ(Read().quota_group, "/docker/abc");
  Write("/proc/self/cgroup", "4:cpu:/docker/abcdef\n");
  EXPECT_DOUBLE_EQ(Read().quota, 1) << "not below the mount: the mount's own limit holds";
  Write("/proc/self/cgroup", "4:cpu:/../other\n");
  EXPECT_DOUBLE_EQ(Read().quota, 1);
}

TEST_F(CpuQuotaTest, OfBothVersionsTheSmaller) {
  Write("/proc/self/cgroup", "4:cpu,cpuacct:/\n0::/a\n");
  Write("/proc/self/mountinfo",
        std::string(kMount1) + "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  Write("/sys/fs/cgroup/unified/a/cpu.max", "100000 100000\n");
  EXPECT_DOUBLE_EQ(Read().quota, 1);
}

}  // namespace
}  // namespace sweep
