#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/snapshots/files/writer_pace.h"

namespace negatron {

/// Called when a save reaches a point: "open", "data" (after each block), "flush", "verify", "fsync", "manifest",
/// "replace" (only when this step was saved before), "rename", "publish", "prune". For tests, which then kill,
/// throw or wait.
using SavePointHook = std::function<void(std::string_view point)>;

/// How the files of a save are written.
struct FileWriting {
  /// What is in memory at a time.
  std::int64_t block_bytes = std::int64_t{1} << 20;
  SavePointHook at_save_point;
  /// Rests, and ends the writing and the reading back with a throw, between two blocks. None: at full speed to the end.
  std::shared_ptr<WriterPace> pace;

  void reach(std::string_view point) const {
    if (at_save_point) at_save_point(point);
  }
  void between_blocks() const {
    if (pace) pace->between_blocks();
  }
};

}  // namespace negatron
