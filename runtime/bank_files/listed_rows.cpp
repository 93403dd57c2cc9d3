#include "runtime/bank_files/listed_rows.h"

namespace negatron {

BankBlock read_listed(BankReader& reader, std::span<const std::int64_t> sequence) {
  const SavedBank& bank = reader.bank();
  const auto rows = static_cast<std::int64_t>(sequence.size());
  BankBlock block{at::empty({rows, bank.width}, bank.dtype), at::empty({rows}, at::kLong), at::empty({rows}, at::kLong),
                  at::empty({rows}, at::kLong), at::empty({rows}, at::kLong)};
  for (std::size_t done = 0; done < sequence.size();) {
    // Example: keys 3, 4, 5, 9 take two reads, [3, 6) and [9, 10).
    const std::int64_t first = sequence[done];
    std::size_t count = 1;
    while (done + count < sequence.size() && sequence[done + count] == first + static_cast<std::int64_t>(count)) {
      ++count;
    }
    const auto run = static_cast<std::int64_t>(count);
    const BankBlock part = reader.read({first, first + run});
    const auto put = [&](const at::Tensor& all, const at::Tensor& some) {
      all.narrow(0, static_cast<std::int64_t>(done), run).copy_(some);
    };
    put(block.vectors, part.vectors);
    put(block.ids, part.ids);
    put(block.labels, part.labels);
    put(block.steps, part.steps);
    put(block.sequence, part.sequence);
    done += count;
  }
  return block;
}

}  // namespace negatron
