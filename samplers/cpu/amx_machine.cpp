#include "samplers/cpu/amx_machine.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace negatron {
namespace {

// Of CPUID and XCR0 (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 13.1 and 18.4).
constexpr unsigned kFeatures = 1, kUsesXsave = 1u << 27;                         // in ecx
constexpr unsigned kMoreFeatures = 7, kBf16Tiles = 1u << 22, kTiles = 1u << 24;  // in edx
constexpr unsigned kTileShapes = 17, kTileData = 18;                             // components of a thread's state

/// Of which components of its state the system takes care when it changes threads.
std::uint64_t kept_components() noexcept {
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

bool processor_has_amx() noexcept {
  constexpr std::uint64_t kNeeded = std::uint64_t{1} << kTileShapes | std::uint64_t{1} << kTileData;
  constexpr unsigned kBoth = kBf16Tiles | kTiles;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(kFeatures, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kUsesXsave) == 0) return false;
  if (__get_cpuid_count(kMoreFeatures, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kBoth) != kBoth) return false;
  return (kept_components() & kNeeded) == kNeeded;
}

bool system_allows_amx() noexcept {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM, which <asm/prctl.h> has since Linux 5.16
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool machine_has_amx() noexcept {
  static const bool has = processor_has_amx() && system_allows_amx();
  return has;
}

}  // namespace negatron
#else
namespace negatron {

bool machine_has_amx() noexcept {
  return false;
}

}  // namespace negatron
#endif
