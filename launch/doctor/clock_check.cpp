#include "launch/doctor/clock_check.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "launch/doctor/quantity_text.h"

namespace negatron {
namespace {

/// Odd, for a median.
constexpr std::int64_t kLooks = 15;
/// Records of several hosts can be put in order by hand up to that, and `make` and NFS do not stumble.
constexpr double kMostSecondsApart = 1.0;

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::vector<double> clock_offsets(Communicator& comm) {
  const at::Tensor own = at::empty({1, kLooks}, at::kDouble);
  for (std::int64_t look = 0; look < kLooks; ++look) {
    comm.barrier();
    own.mutable_data_ptr<double>()[look] = seconds_since_1970();
  }
  // [P, kLooks], and the median of each rank's differences: a rank that was held up in one look does not count there.
  const at::Tensor all = comm.all_gather(own);
  const at::Tensor ahead = std::get<0>((all - all[0]).median(1)).contiguous();
  return {ahead.const_data_ptr<double>(), ahead.const_data_ptr<double>() + ahead.numel()};
}

Findings check_clocks(const std::vector<double>& offsets, const std::vector<std::string>& hosts) {
  std::vector<RankVerdict> verdicts;
  const auto [least, most] = std::minmax_element(offsets.begin(), offsets.end());
  for (const double offset : offsets) {
    RankVerdict verdict{"at most " + seconds_text(*most - *least) + " apart"};
    if (std::abs(offset) > kMostSecondsApart) {
      verdict = {seconds_text(std::abs(offset)) + (offset > 0.0 ? " ahead of rank 0's" : " behind rank 0's"),
                 "set the clocks of the hosts by one server (chrony, ntpd)", Severity::kWarning};
    }
    verdicts.push_back(verdict);
  }
  return findings_of_ranks("clocks", "at most " + seconds_text(kMostSecondsApart) + " apart", verdicts, hosts);
}

}  // namespace negatron
