#pragma once

namespace negatron {

/// From here on the process keeps what it frees for itself. A training step frees and asks for the same maps again and
/// again; by default glibc gives such blocks back to the kernel, which must clear every page anew for the next step.
/// Does nothing with other C libraries. Local.
void keep_freed_memory();

/// How cuDNN and cuBLAS compute in this process. In fp32 everything is fp32, but convolutions where `tf32` lets them
/// round what they multiply: products elsewhere decide which rows are hardest. cuDNN takes convolutions that give equal
/// bits in every run, which a run that resumes promises, unless `benchmark` lets it take the fastest of those it tries.
/// Without a GPU this changes nothing. Local.
void choose_gpu_arithmetic(bool tf32, bool benchmark);

}  // namespace negatron
