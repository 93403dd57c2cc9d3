#pragma once

// For the sources of this folder only: everyone else reads and writes through hdf5_reader.h and write_hdf5.h.

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

/// Held around every use of HDF5, which is not thread-safe here. The first one of a thread also switches off what this
/// program never wants: HDF5's printing of errors and its loading of filter plugins from the disk. Recursive.
class Hdf5Lock {
 public:
  Hdf5Lock();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// Throws SnapshotError with HDF5's own reason when `result` is negative; else returns it.
hid_t hdf5_id(hid_t result, const std::string& doing);
void hdf5_ok(int result, const std::string& doing);

/// Owns an HDF5 object. To be destroyed under an Hdf5Lock.
class Hdf5Handle {
 public:
  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, herr_t (*closer)(hid_t), const std::string& doing) : id_(hdf5_id(id, doing)), close_(closer) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t get() const noexcept { return id_; }
  /// For handles whose closing writes: it may fail.
  void close(const std::string& doing) {
    if (id_ >= 0) hdf5_ok(close_(std::exchange(id_, H5I_INVALID_HID)), doing);
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

}  // namespace negatron
