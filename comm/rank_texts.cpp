#include "comm/rank_texts.h"

#include <cstring>

namespace negatron {
namespace {

at::Tensor bytes_of(const std::string& text) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  if (!text.empty()) std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
  return bytes;
}

}  // namespace

std::vector<std::string> gather_texts(Communicator& comm, const std::string& text) {
  const at::Tensor sizes = comm.all_gather(at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong));
  const std::vector<std::int64_t> rows(sizes.const_data_ptr<std::int64_t>(),
                                       sizes.const_data_ptr<std::int64_t>() + sizes.numel());
  const at::Tensor all = comm.all_gather(bytes_of(text), rows);
  const auto* next = static_cast<const char*>(all.const_data_ptr());
  std::vector<std::string> texts;
  for (const std::int64_t size : rows) {
    texts.emplace_back(next, static_cast<std::size_t>(size));
    next += size;
  }
  return texts;
}

std::vector<std::string> gather_equal_texts(Communicator& comm, const std::string& text) {
  const at::Tensor all = comm.all_gather(bytes_of(text));
  const auto* next = static_cast<const char*>(all.const_data_ptr());
  std::vector<std::string> texts;
  for (int rank = 0; rank < comm.size(); ++rank, next += text.size()) texts.emplace_back(next, text.size());
  return texts;
}

std::string text_of_rank_0(Communicator& comm, const std::string& text) {
  const at::Tensor size = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  comm.broadcast(size, 0);
  at::Tensor bytes = comm.rank() == 0 ? bytes_of(text) : at::empty({size.item<std::int64_t>()}, at::kByte);
  comm.broadcast(bytes, 0);
  return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

std::string joined_errors(Communicator& comm, const std::string& error) {
  std::string joined;
  const std::vector<std::string> all = gather_texts(comm, error);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].empty()) continue;
    joined += (joined.empty() ? "Rank " : " Rank ") + std::to_string(rank) + ": " + all[rank];
  }
  return joined;
}

}  // namespace negatron
