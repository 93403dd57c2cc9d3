#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi/environment.h"
#include "comm/mpi/topology.h"
#include "launch/flags/flag_table.h"
#include "launch/pretrain/training_communicator.h"
#include "launch/rank_agreement.h"
#include "launch/trained/encoder_arguments.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/encoders/encoder_pair.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/trained_encoder.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {

/// One start of a command that uses a trained encoder on data: what its parts, called in the order in which they stand
/// here, share. Each part is collective, and throws UsageError, FailedTogether or std::invalid_argument on every rank
/// when the request cannot work. Remarks go to standard error, and are rank 0's.
class EncoderStart {
 public:
  /// `flags` are those of the command, bound to `request`; all three outlive it. Collective.
  EncoderStart(Environment& environment, FlagTable& flags, EncoderArguments& request);

  /// Reads the flags, opens the run, snapshot or file that they name, and reads them again over its settings.
  /// `usage` is the line that a wrong number of paths is answered with.
  void read(const std::vector<std::string>& arguments, std::size_t paths, const std::string& usage);
  /// Finds this rank's device and threads, opens the data, and makes the encoder.
  void place();

  Communicator& host() const { return *restoring_; }
  /// Carries tensors of the encoder's device.
  Communicator& comm() const { return training_->get(); }
  const SavedEncoder& saved() const { return saved_; }
  const PretrainData& data() const { return data_; }
  /// What the encoder sees of an image.
  const ViewFormat& format() const { return format_; }
  /// What raw pixels are normalised with, to compare with: of the run's own data as it did, of others as a run of those
  /// would, whatever the encoder was trained on. Collective.
  Normalization normalization_of_pixels() const;
  const ComputePlace& where() const { return place_; }
  TrainedEncoder& encoder() { return *encoder_; }
  /// The network without its weights, with the head that the run had.
  EncoderPairOptions untrained() const;
  /// Whether this rank is the one that prints. Local.
  bool speaks() const { return restoring_->rank() == 0; }

 private:
  void open();
  void load_data();
  /// Refuses features for an encoder of images, and the other way round, where the run says which it is.
  void check_kind(const SourceOptions& data) const;
  void find_format();

  Environment& environment_;
  FlagTable& flags_;
  EncoderArguments& request_;
  /// Waits as long as verifying a snapshot takes, or the index of an archive.
  std::unique_ptr<Communicator> restoring_;
  Topology topology_;
  RankAgreement ranks_;
  PosixFileLayer files_;
  SavedEncoder saved_;
  SettingValues settings_;
  /// Nobody named others.
  bool is_own_data_ = false;
  PretrainData data_;
  ViewFormat format_;
  ComputePlace place_;
  std::optional<TrainingCommunicator> training_;
  std::optional<TrainedEncoder> encoder_;
};

}  // namespace negatron
