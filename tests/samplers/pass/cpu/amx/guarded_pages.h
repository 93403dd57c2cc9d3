#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace negatron::testing {

/// Memory of whole pages, behind which none may be touched.
class GuardedPages {
 public:
  explicit GuardedPages(std::int64_t bytes)
      : page_(sysconf(_SC_PAGESIZE)), size_((bytes + page_ - 1) / page_ * page_), memory_(map(size_ + page_)) {
    mprotect(memory_ + size_, static_cast<std::size_t>(page_), PROT_NONE);
  }
  ~GuardedPages() { munmap(memory_, static_cast<std::size_t>(size_ + page_)); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  char* end() const { return memory_ + size_; }

 private:
  static char* map(std::int64_t bytes) {
    return static_cast<char*>(
        mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  std::int64_t page_;
  std::int64_t size_;
  char* memory_;
};

}  // namespace negatron::testing
