#include "launch/host_memory.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

class HostMemoryOf : public ::testing::Test {
 protected:
  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path) << text;
  }
  HostMemory memory() const { return host_memory(directory_.path()); }

  TemporaryDirectory directory_;
};

TEST_F(HostMemoryOf, IsWhatTheMachineHas) {
  EXPECT_GT(host_memory().bytes, 0);
  write("proc/meminfo", "MemTotal:        8000 kB\nMemFree:          10 kB\n");
  EXPECT_EQ(memory().bytes, 8000 * 1024);
  EXPECT_EQ(memory().source, "the memory of the host");
}

TEST_F(HostMemoryOf, OrTheLeastLimitOfItsGroups) {
  write("proc/meminfo", "MemTotal:        8000 kB\n");
  write("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  write("sys/fs/cgroup/memory.max", "max\n");
  write("sys/fs/cgroup/slurm/job_7/memory.max", "4096000\n");
  write("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_EQ(memory().bytes, 4096000);
  EXPECT_EQ(memory().source, "the limit of its cgroup");
  write("sys/fs/cgroup/slurm/memory.max", "1000000\n");
  EXPECT_EQ(memory().bytes, 1000000);
}

TEST_F(HostMemoryOf, AlsoOfVersionOneAndInAContainerThatSeesItsOwnOnly) {
  write("proc/meminfo", "MemTotal:        8000 kB\n");
  write("proc/self/cgroup", "7:cpu,memory:/docker/1234\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n");
  EXPECT_EQ(memory().bytes, 2000000);
  write("sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory().bytes, 2000000);
  write("proc/self/cgroup", "7:cpu:/docker/1234\nnonsense\n");
  EXPECT_EQ(memory().bytes, 8000 * 1024);
}

}  // namespace
}  // namespace negatron::testing
