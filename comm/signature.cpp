#include "comm/signature.h"

#include <cstring>
#include <string_view>

#include "comm/error.h"

namespace negatron {
namespace {

// A packed signature is one byte that says what the rank does, 8 bytes of hash, and up to 310 bytes of text with a zero
// behind. The length is fixed because a rank cannot know that of the others, who may be in another call altogether.
constexpr std::size_t kSignatureBytes = 320;
constexpr std::size_t kHashBytes = sizeof(std::uint64_t);
constexpr char kCalls = 'c';
constexpr char kRefuses = 'r';

/// FNV-1a, so that signatures whose texts agree as far as they fit still compare as a whole.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
}

std::string text_of(const std::string& packed) {
  return packed.c_str() + 1 + kHashBytes;
}

std::int64_t packed_count(const std::string& packed, std::size_t index) {
  std::int64_t count = 0;
  std::memcpy(&count, packed.data() + index * sizeof count, sizeof count);
  return count;
}

}  // namespace

std::string pack_signature(const Call& call, std::int64_t sequence) {
  const bool refused = !call.refusal.empty();
  const std::string text = refused ? std::string(call.operation) + " " + call.arguments + ": " + call.refusal
                                   : "#" + std::to_string(sequence) + " " + call.signature;
  const std::uint64_t digest = hash(text);
  std::string packed(1, refused ? kRefuses : kCalls);
  packed.append(reinterpret_cast<const char*>(&digest), kHashBytes);
  packed += text;
  packed.resize(kSignatureBytes, '\0');
  packed.back() = '\0';
  return packed;
}

void compare_signatures(const std::vector<std::string>& packed) {
  // Refusals first: a rank that cannot make its call differs from all others anyway, and why it cannot is what helps.
  // All ranks walk over the same list in the same order, so they throw the same sentence.
  for (std::size_t rank = 0; rank < packed.size(); ++rank) {
    if (packed[rank].front() != kRefuses) continue;
    throw CommError("rank " + std::to_string(rank) + " cannot call " + text_of(packed[rank]));
  }
  std::string others;
  for (std::size_t rank = 1; rank < packed.size(); ++rank) {
    if (packed[rank] == packed[0]) continue;
    others += "; rank " + std::to_string(rank) + " calls " + text_of(packed[rank]);
  }
  if (!others.empty()) throw CommError("ranks make different calls: rank 0 calls " + text_of(packed[0]) + others);
}

std::string pack_rows(const Call& call) {
  // [2 P] counts: to each rank, then from each rank.
  std::vector<std::int64_t> counts = call.send_rows;
  counts.insert(counts.end(), call.receive_rows.begin(), call.receive_rows.end());
  return {reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(std::int64_t)};
}

void compare_rows(const std::vector<std::string>& packed) {
  const std::size_t ranks = packed.size();
  for (std::size_t sender = 0; sender < ranks; ++sender) {
    for (std::size_t receiver = 0; receiver < ranks; ++receiver) {
      const std::int64_t sent = packed_count(packed[sender], receiver);
      // P^2 pairs, each of numbers that two ranks wrote down: what the sender has at the receiver's place against what
      // the receiver has, in its second half, at the sender's.
      const std::int64_t expected = packed_count(packed[receiver], ranks + sender);
      if (sent == expected) continue;
      throw CommError("all_to_all does not fit together: rank " + std::to_string(sender) + " sends " +
                      std::to_string(sent) + " rows to rank " + std::to_string(receiver) + ", which expects " +
                      std::to_string(expected));
    }
  }
}

}  // namespace negatron
