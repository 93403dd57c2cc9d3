#include "launch/keep_memory.h"

#include <limits>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace negatron {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The most that glibc takes: larger blocks, of which a step has few, are mapped one by one.
  constexpr int kLargestInHeap = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace negatron
