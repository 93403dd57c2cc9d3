#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/run/pretrain_data.h"

namespace negatron {

/// What tells the data of a run from others, as far as names, sizes and labels tell: the numbers of its samples mean
/// something where it is the same.
struct DataIdentity {
  /// Of the training images, in their order; empty where their source does not look.
  std::string images;
  /// Of their labels, numbers and names; empty without.
  std::string labels;
  /// Of images and labels that evaluation classifies; empty without.
  std::string evaluated;

  bool operator==(const DataIdentity&) const = default;
};

/// Local.
DataIdentity identity_of(const PretrainData& data);

/// The same text on every rank whose data are the same, as far as names, sizes, labels, types of samples and the bytes
/// of some images tell: a line for each, which says what it is of. Reads those images. Local.
std::string data_text(const PretrainData& data);

/// As a snapshot keeps it: a line for each. Local.
std::string identity_text(const DataIdentity& identity);
/// The inverse; nothing for the empty text of snapshots that older versions made. Local.
std::optional<DataIdentity> parse_identity(std::string_view text);

/// What a run takes along from a snapshot and means something only together with its data.
struct TakenAlong {
  /// "snapshot 'PATH'"
  std::string from;
  /// Rows of the bank; 0 for none.
  std::int64_t bank_rows = 0;
  /// Steps until all of them have been replaced.
  std::int64_t bank_steps = 0;
  /// Rows are the positives of the samples with their numbers; they are trained, and not replaced.
  bool rows_are_positives = false;
  bool rows_learn = false;
  /// That of the views.
  bool normalization = false;
  /// Accuracies of what the encoder is compared with.
  bool baselines = false;
};

/// What does not mean the same any more, a sentence each; none where the data are the same. Local.
std::vector<std::string> what_changed_meaning(const DataIdentity& saved, const DataIdentity& here,
                                              const TakenAlong& taken);

}  // namespace negatron
