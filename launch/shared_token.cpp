#include "launch/shared_token.h"

#include <unistd.h>

#include <random>
#include <thread>

namespace negatron {

std::string unique_name(const std::string& prefix) {
  std::random_device random;
  return prefix + "-" + std::to_string(::getpid()) + "-" + std::to_string(random());
}

bool comes_to_be_seen(const FileLayer& files, const std::filesystem::path& path, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kLookEvery{50};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!files.exists(path)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookEvery);
    // A listing makes a client of NFS ask its server again.
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), ignored)) {
      static_cast<void>(entry);
    }
  }
  return true;
}

}  // namespace negatron
