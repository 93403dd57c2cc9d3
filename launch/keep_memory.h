#pragma once

namespace negatron {

/// From here on the process keeps what it frees for itself. A training step frees and asks for the same maps again and
/// again; by default glibc gives such blocks back to the kernel, which must clear every page anew for the next step.
/// Does nothing with other C libraries. Local.
void keep_freed_memory();

}  // namespace negatron
