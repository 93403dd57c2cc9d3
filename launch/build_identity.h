#pragma once

#include <string>

namespace negatron {

/// Which build of the program runs here, and on which libraries: versions, the linker's build id of the program (of its
/// code, so a copy or one without symbols has the same), and the size of LibTorch's file. A line for each; the same
/// text on hosts that have the same builds. Local.
std::string build_identity();

}  // namespace negatron
