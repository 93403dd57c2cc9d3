#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "launch/flags/flag_table.h"
#include "launch/pretrain/saved_settings.h"
#include "runtime/data/holdout.h"
#include "runtime/data/normalization.h"
#include "runtime/data/source_options.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/precision.h"

namespace negatron {

/// What commands that use a trained encoder on data are asked for. What nobody says is as the run had it.
struct EncoderArguments {
  /// RUN|SNAPSHOT|FILE, and what else the command takes.
  std::vector<std::string> paths;

  /// Of which `channels` is the encoder's; without a path the data of the run.
  SourceOptions data{.path = ""};
  std::string eval_data;
  Holdout holdout;
  bool skips_bad_images = true;
  std::int64_t data_memory = std::int64_t{2} << 30;

  /// Without a name where a file does not say it.
  BackboneOptions backbone{.name = ""};
  bool key_encoder = false;
  std::optional<Normalization> normalization;
  /// 0: as the run had it.
  std::int64_t image_size = 0;
  std::uint64_t seed = 0;

  at::DeviceType device = at::kCPU;
  /// Nothing for that of the run.
  std::optional<Precision> precision;
  std::int64_t threads = 0;
  /// Images per call of the encoder.
  std::int64_t batch = 500;

  /// Throws UsageError.
  void validate() const;
};

/// The flags of data, encoder and machine, bound to the fields of `request`, which must outlive the table.
void add_encoder_flags(FlagTable& table, EncoderArguments& request);

/// The settings of a run that stand for flags which nobody gave: those of its data only where `request` names no other.
SettingValues settings_that_stand(SettingValues settings, const EncoderArguments& request);

}  // namespace negatron
