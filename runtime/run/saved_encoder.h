#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "runtime/run/resume.h"
#include "runtime/snapshots/find_snapshot.h"
#include "runtime/weights/named_weights.h"
#include "runtime/weights/saved_weights.h"

namespace negatron {

/// What a snapshot, or a file of weights, keeps of the encoders that a run trained.
struct SavedEncoder {
  /// "snapshot 'PATH'" or "'FILE'", for sentences.
  std::string name;
  /// On the host, by the names of snapshots: "encoder.backbone.", "encoder.head.", "predictor.",
  /// "key_encoder.backbone.", "key_encoder.head."; of a file that somebody else wrote, as they stand there.
  NamedWeights tensors;
  /// Inputs, and the settings of the run as lines "name = value"; empty where a file says nothing.
  SavedInputs inputs;
  /// Steps that it was trained; nothing where a file does not say so.
  std::optional<std::int64_t> step;
  /// Its first one. Nothing for a run without a bank, and for a file.
  std::optional<SavedBank> bank;

  bool has(const std::string& prefix) const;
  bool has_key_encoder() const { return has("key_encoder."); }
  /// Of the first layer that sees the images, where nobody wrote it down: 0 where that cannot be told.
  std::int64_t channels() const;
};

/// The snapshot has been verified. Local. Throws SnapshotError.
SavedEncoder read_saved_encoder(const Snapshot& snapshot);

/// A file of exported_weights(), or any other that read_saved_weights() reads. Local. Throws WeightsError.
SavedEncoder read_encoder_file(const std::filesystem::path& file);

}  // namespace negatron
