#pragma once

#include <string>

#include "samplers/pass/cuda/bank_scan.h"
#include "samplers/pass/cuda/list_scoring.h"
#include "samplers/pass/cuda/slice_merge.h"

namespace negatron {

/// Queue kernels on a stream (a cudaStream_t) of the current device. Empty, or why the device refused. Local.
std::string launch_scan(const BankScan& scan, void* stream);
std::string launch_merge(const SliceMerge& merge, void* stream);
std::string launch_scoring(const ListScoring& lists, void* stream);

/// Shared memory in bytes that a thread block of the current device may have; 0 when it is older than sm_80. Local.
int scan_shared_bytes();
/// How many thread blocks of such a scan the current device runs at a time, at least 1. Local.
int concurrent_scan_blocks(const BankScan& scan);

}  // namespace negatron
