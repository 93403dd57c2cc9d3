#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"

namespace negatron {

/// Collective. Every rank's text, in rank order. Host tensors. Bytes received per rank: 8 P + all texts.
std::vector<std::string> gather_texts(Communicator& comm, const std::string& text);
/// Collective. The same for texts that are equally long on every rank: one message. Bytes received per rank: all texts.
std::vector<std::string> gather_equal_texts(Communicator& comm, const std::string& text);
/// Collective. Rank 0's text.
std::string text_of_rank_0(Communicator& comm, const std::string& text);
/// Collective. Empty when all are empty; else all that are not, with their ranks, the same text everywhere.
std::string joined_errors(Communicator& comm, const std::string& error);

}  // namespace negatron
