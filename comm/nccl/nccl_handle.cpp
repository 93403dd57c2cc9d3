#include "comm/nccl/nccl_handle.h"

#include <nccl.h>

#include <cstring>
#include <iostream>
#include <thread>

#include "comm/error.h"

namespace negatron {
namespace {

constexpr std::chrono::microseconds kNap{50};
static_assert(sizeof(ncclUniqueId) == kNcclIdBytes);

std::string error_text(const char* function, int code, ncclComm_t handle) {
  std::string text = std::string(function) + " failed: " + ncclGetErrorString(static_cast<ncclResult_t>(code));
  const char* details = ncclGetLastError(handle);
  if (details != nullptr && *details != '\0') text += " (" + std::string(details) + ")";
  return text;
}

}  // namespace

std::string make_nccl_id() {
  ncclUniqueId id;
  const ncclResult_t code = ncclGetUniqueId(&id);
  if (code != ncclSuccess) throw CommError(error_text("ncclGetUniqueId", code, nullptr));
  return {id.internal, sizeof id.internal};
}

NcclHandle::NcclHandle(const std::string& id, int rank, int size, std::chrono::milliseconds limit) : limit_(limit) {
  ncclUniqueId unique_id;
  if (id.size() != sizeof unique_id.internal) {
    throw CommError("an NCCL id has " + std::to_string(sizeof unique_id.internal) + " bytes, got " +
                    std::to_string(id.size()));
  }
  std::memcpy(unique_id.internal, id.data(), id.size());
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  // Not blocking, so that a rank that never comes is a time-out and not a hang.
  config.blocking = 0;
  const ncclResult_t code = ncclCommInitRankConfig(&handle_, size, unique_id, rank, &config);
  try {
    check(code, "ncclCommInitRankConfig");
    settle("ncclCommInitRankConfig");
  } catch (...) {
    // The destructor does not run for an object that was never made.
    abort();
    throw;
  }
}

NcclHandle::~NcclHandle() {
  if (aborted_) return;
  // Finalize flushes what is queued; only then may the communicator go.
  int code = ncclCommFinalize(handle_);
  if (code == ncclSuccess || code == ncclInProgress) code = poll();
  if (code != ncclSuccess) {
    std::cerr << "leaving an NCCL group: " + error_text("ncclCommFinalize", code, handle_) + "; aborting it\n";
    abort();
    return;
  }
  code = ncclCommDestroy(handle_);
  if (code != ncclSuccess) std::cerr << error_text("ncclCommDestroy", code, nullptr) + "\n";
}

void NcclHandle::check(int code, const char* function) const {
  if (code != ncclSuccess && code != ncclInProgress) throw CommError(error_text(function, code, handle_));
}

void NcclHandle::settle(const char* function) const {
  const int code = poll();
  if (code == ncclInProgress) throw_timeout(limit_);
  check(code, function);
}

int NcclHandle::poll() const {
  const auto deadline = std::chrono::steady_clock::now() + limit_;
  ncclResult_t state = ncclInProgress;
  // The communicator does not block, so calls return "in progress" and the host asks until they are through. This
  // bounds every wait of the host.
  while (true) {
    const ncclResult_t code = ncclCommGetAsyncError(handle_, &state);
    if (code != ncclSuccess) return code;
    if (state != ncclInProgress || std::chrono::steady_clock::now() > deadline) return state;
    std::this_thread::sleep_for(kNap);
  }
}

std::string NcclHandle::asynchronous_error() const {
  ncclResult_t state = ncclSuccess;
  const ncclResult_t code = ncclCommGetAsyncError(handle_, &state);
  const ncclResult_t worst = code != ncclSuccess ? code : state;
  return worst == ncclSuccess || worst == ncclInProgress ? std::string() : error_text("NCCL", worst, handle_);
}

void NcclHandle::abort() noexcept {
  // The watchdog and the communicating thread may both come here, and a second ncclCommAbort would be of a handle that
  // is gone.
  if (aborted_.exchange(true) || handle_ == nullptr) return;
  const ncclResult_t code = ncclCommAbort(handle_);
  if (code != ncclSuccess) std::cerr << "ncclCommAbort failed: " + std::string(ncclGetErrorString(code)) + "\n";
}

}  // namespace negatron
