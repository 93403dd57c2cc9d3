#include "launch/pretrain/shared_directory.h"

#include <thread>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "comm/together.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A host on which a file comes to be seen some looks after it was made; never for kNever.
class LateHost : public PosixFileLayer {
 public:
  static constexpr int kNever = -1;
  explicit LateHost(int looks) : looks_(looks) {}

  bool exists(const fs::path& path) const override {
    if (looks_ == kNever || looks_-- > 0) return false;
    return PosixFileLayer::exists(path);
  }

 private:
  mutable int looks_;
};

/// What the ranks say when the last one is on a host that is so late.
std::vector<std::string> refusals(const fs::path& directory, int looks) {
  std::vector<std::string> said(3);
  run_ranks(3, {.check = true}, [&](Communicator& comm) {
    LateHost files(comm.rank() == comm.size() - 1 ? looks : 0);
    try {
      require_shared_directory(comm, files, directory, milliseconds(400));
    } catch (const FailedTogether& refusal) {
      EXPECT_EQ(refusal.kind(), FailureKind::kRefused);
      said[static_cast<std::size_t>(comm.rank())] = refusal.what();
    }
  });
  return said;
}

TEST(SharedDirectory, OneThatAllSeePassesAlsoWhenItTakesAWhile) {
  const TemporaryDirectory directory;
  for (const int looks : {0, 3}) {
    for (const std::string& said : refusals(directory.path(), looks)) EXPECT_EQ(said, "");
    EXPECT_TRUE(fs::is_empty(directory.path()));
  }
}

TEST(SharedDirectory, OneThatARankHasElsewhereIsRefusedByAll) {
  const TemporaryDirectory directory;
  for (const std::string& said : refusals(directory.path(), LateHost::kNever)) {
    EXPECT_EQ(said.find("rank 2: --run-dir: '" + directory.path().string() + "' is another directory here"), 0u)
        << said;
  }
  EXPECT_TRUE(fs::is_empty(directory.path())) << "the file that was looked for stays";
}

}  // namespace
}  // namespace negatron::testing
