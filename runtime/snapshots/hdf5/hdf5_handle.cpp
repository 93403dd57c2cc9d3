#include "runtime/snapshots/hdf5/hdf5_handle.h"

namespace negatron {
namespace {

std::recursive_mutex& hdf5_mutex() {
  // One for the program, since HDF5 keeps global tables: a thread that lays out a snapshot and one that reads a file
  // take turns.
  static std::recursive_mutex mutex;
  return mutex;
}

/// The innermost error, which says most.
herr_t keep_innermost(unsigned /*depth*/, const H5E_error2_t* error, void* text) {
  *static_cast<std::string*>(text) = error->desc == nullptr ? "" : error->desc;
  return 0;
}

std::string reason() {
  std::string text;
  // Downward begins at the call that we made and ends where it went wrong; each visit replaces the text, so the last
  // stays.
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_innermost, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "no reason given" : text;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(hdf5_mutex()) {
  // All files are closed by us. At the end of the program HDF5 would try again what failed, and crash.
  [[maybe_unused]] static const herr_t once = H5dont_atexit();
  // HDF5 keeps its error messages by thread.
  [[maybe_unused]] static thread_local const bool quiet = [] {
    hdf5_ok(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "switching off HDF5's error messages");
    hdf5_ok(H5PLset_loading_state(0), "switching off HDF5's plugins");
    return true;
  }();
}

hid_t hdf5_id(hid_t result, const std::string& doing) {
  if (result < 0) throw SnapshotError("HDF5 failed at " + doing + ": " + reason() + ".");
  return result;
}

void hdf5_ok(int result, const std::string& doing) {
  hdf5_id(result, doing);
}

}  // namespace negatron
