#include "launch/cores/cgroup_cores.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

/// /proc/self and a mount of control groups, made of files.
class CgroupFiles {
 public:
  void write(const fs::path& name, const std::string& text) const {
    const fs::path file = folder_.path() / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::optional<CgroupCores> read() const { return cgroup_cores(folder_.path()); }
  std::string mounted(const fs::path& group) const { return (folder_.path() / "sys/fs/cgroup" / group).string(); }

 private:
  TemporaryDirectory folder_;
};

TEST(CgroupCores, Version2TakesTheTightestOfTheGroupsAbove) {
  const CgroupFiles files;
  files.write("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  files.write("sys/fs/cgroup/slurm/job_7/step_0/cpu.max", "max 100000\n");
  files.write("sys/fs/cgroup/slurm/job_7/cpu.max", "250000 100000\n");
  files.write("sys/fs/cgroup/slurm/cpu.max", "800000 100000\n");
  const auto cores = files.read();
  ASSERT_TRUE(cores);
  EXPECT_DOUBLE_EQ(cores->cores, 2.5);
  EXPECT_EQ(cores->group, files.mounted("slurm/job_7"));
}

TEST(CgroupCores, Version1ReadsItsOwnControllerOnly) {
  const CgroupFiles files;
  files.write("proc/self/cgroup", "4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n0::/\n");
  files.write("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_quota_us", "50000\n");
  files.write("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_period_us", "100000\n");
  const auto cores = files.read();
  ASSERT_TRUE(cores);
  EXPECT_DOUBLE_EQ(cores->cores, 0.5);
}

TEST(CgroupCores, InAContainerTheRootOfTheMountIsTheGroup) {
  const CgroupFiles files;
  files.write("proc/self/cgroup", "1:cpu:/docker/of-the-host\n");
  files.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  files.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const auto cores = files.read();
  ASSERT_TRUE(cores);
  EXPECT_DOUBLE_EQ(cores->cores, 3.0);
}

TEST(CgroupCores, NoQuotaIsNoLimit) {
  const CgroupFiles files;
  EXPECT_FALSE(files.read()) << "nothing to read";
  files.write("proc/self/cgroup", "0::/a\n1:cpu:/a\n");
  files.write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  files.write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
  files.write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(files.read());
}

}  // namespace
}  // namespace negatron::testing
