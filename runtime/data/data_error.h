#pragma once

#include "comm/error.h"

namespace negatron {

/// A data file or folder is missing, damaged or not what it should be. The message is one sentence that names the file.
class DataError : public Refusal {
 public:
  using Refusal::Refusal;
};

}  // namespace negatron
