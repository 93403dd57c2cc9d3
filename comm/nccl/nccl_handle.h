#pragma once

#include <atomic>
#include <chrono>
#include <string>

// NCCL's own name for what ncclComm_t points to; its header stays in the sources.
struct ncclComm;

namespace negatron {

constexpr std::size_t kNcclIdBytes = 128;

/// The id under which the ranks of a group find each other: made by one rank, used by all, once: kNcclIdBytes bytes.
/// Needs no GPU. Local.
std::string make_nccl_id();

/// Owns one NCCL communicator. Every wait of the host ends within the time limit. Errors are CommError with NCCL's own
/// words and without coordinates.
class NcclHandle {
 public:
  /// Collective: joins the group of `id`. The calling thread's current device is the one that it uses.
  NcclHandle(const std::string& id, int rank, int size, std::chrono::milliseconds limit);
  /// Finalizes and destroys; aborts when that does not succeed within the limit. Only logs what goes wrong.
  ~NcclHandle();
  NcclHandle(const NcclHandle&) = delete;
  NcclHandle& operator=(const NcclHandle&) = delete;

  ::ncclComm* get() const noexcept { return handle_; }

  /// Throws unless `code` (an ncclResult_t) is success or "in progress".
  void check(int code, const char* function) const;
  /// Waits until what was called last has been handed to the device.
  void settle(const char* function) const;
  /// Empty, or what NCCL found wrong since the last call: a peer gone, a broken link.
  std::string asynchronous_error() const;
  /// Ends everything queued on the device, unfinished. May be called by another thread than the one that communicates;
  /// once is enough, and only once is done.
  void abort() noexcept;
  bool aborted() const noexcept { return aborted_; }

 private:
  /// Success, an error, or "in progress" when the limit has passed.
  int poll() const;

  ::ncclComm* handle_ = nullptr;
  std::chrono::milliseconds limit_;
  std::atomic<bool> aborted_{false};
};

}  // namespace negatron
