#include "runtime/snapshots/hdf5/hdf5_version.h"

#include "runtime/snapshots/hdf5/hdf5_handle.h"

namespace negatron {

std::string hdf5_version() {
  const Hdf5Lock lock;
  unsigned major = 0, minor = 0, release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return {};
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

}  // namespace negatron
