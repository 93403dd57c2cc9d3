#include "launch/pretrain/memory_check.h"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <sstream>

#include "comm/rank_texts.h"
#include "launch/exit_code.h"

namespace negatron {
namespace {

/// Of the ranks of one host; doubles, because their sum may be beyond 64 bits.
struct HostNeed {
  int ranks = 0;
  double bank = 0.0;
  double encoders = 0.0;
  double data = 0.0;
  double limit = std::numeric_limits<double>::infinity();
  std::string source;

  double all() const { return bank + encoders + data; }
};

std::string gibibytes(double bytes) {
  constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << bytes / kGibibyte << " GiB";
  return text.str();
}

HostNeed need_of(const std::string& host, const std::vector<std::string>& hosts, const at::Tensor& numbers,
                 const std::vector<std::string>& sources) {
  HostNeed need;
  const auto row = numbers.accessor<std::int64_t, 2>();
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (hosts[rank] != host) continue;
    const auto of_rank = row[static_cast<std::int64_t>(rank)];
    ++need.ranks;
    need.bank += static_cast<double>(of_rank[0]);
    need.encoders += static_cast<double>(of_rank[1]);
    need.data += static_cast<double>(of_rank[2]);
    if (static_cast<double>(of_rank[3]) >= need.limit) continue;
    need.limit = static_cast<double>(of_rank[3]);
    need.source = sources[rank];
  }
  return need;
}

/// What lowers the largest of the three.
std::string advice(const HostNeed& need) {
  if (need.bank >= std::max(need.encoders, need.data)) return "a smaller --bank-rows or --width, or --bank-dtype bf16,";
  if (need.encoders >= need.data) return "a smaller encoder, --head-hidden or --width";
  return "a smaller --global-batch or --image-size";
}

}  // namespace

void require_host_memory(Communicator& comm, const std::vector<std::string>& hosts, const RunMemory& need,
                         const ComputePlace& place, const HostMemory& here) {
  const bool on_host = place.device.is_cpu();
  const at::Tensor own =
      at::tensor({on_host ? need.bank() : 0, on_host ? need.encoders() : 0, need.data(), here.bytes}, at::kLong);
  const at::Tensor numbers = comm.all_gather(own.unsqueeze(0));  // [P, 4]
  const std::vector<std::string> sources = gather_texts(comm, here.source);
  for (const std::string& host : hosts) {
    const HostNeed all = need_of(host, hosts, numbers, sources);
    if (all.all() <= all.limit) continue;
    throw UsageError("this run needs at least " + gibibytes(all.all()) + " of memory on " + host + " (" +
                     std::to_string(all.ranks) + (all.ranks == 1 ? " rank" : " ranks") + ": bank " +
                     gibibytes(all.bank) + ", encoders and optimizer " + gibibytes(all.encoders) +
                     ", images and batches " + gibibytes(all.data) + "), more than the " + gibibytes(all.limit) +
                     " that are there (" + all.source + "); " + advice(all) + " or more hosts would fit.");
  }
}

}  // namespace negatron
