// Bytes of finding hard sets and of mixing them, against the plain ways to do it: one JSON line for each measurement.
//   exchange_bytes [queries per rank, default 16]

#include <cstdio>
#include <cstdlib>

#include "tests/bench/exchange_scene.h"

int main(int argc, char** argv) {
  using namespace negatron::testing;
  constexpr long kDefaultQueries = 16;
  const long queries = argc > 1 ? std::strtol(argv[1], nullptr, 10) : kDefaultQueries;
  if (queries < 1) {
    std::fprintf(stderr, "usage: exchange_bytes [queries per rank]\n");
    return 2;
  }
  for (const int ranks : {2, 4, 8}) {
    const HardSetBytes bytes = measure_hard_sets(ranks, queries);
    std::printf(
        "{\"bench\": \"hard_set\", \"ranks\": %d, \"queries_per_rank\": %ld, \"bytes_received\": %.0f, "
        "\"full_lists\": %.0f, \"times_fewer\": %.2f, \"fallback_rate\": %.4f, \"exact\": %s}\n",
        ranks, queries, bytes.received, bytes.full_lists, bytes.full_lists / bytes.received, bytes.fallback_rate,
        bytes.exact ? "true" : "false");
    std::fflush(stdout);
  }
  for (const int ranks : {2, 4, 8}) {
    const MixBytes bytes = measure_mixes(ranks, queries);
    std::printf(
        "{\"bench\": \"mochi\", \"ranks\": %d, \"queries_per_rank\": %ld, \"fetch_bytes_per_query\": %.0f, "
        "\"no_fetch_bytes_per_query\": %.0f, \"times_fewer\": %.2f}\n",
        ranks, queries, bytes.fetch, bytes.no_fetch, bytes.fetch / bytes.no_fetch);
    std::fflush(stdout);
  }
  return 0;
}
