#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <c10/core/Device.h>

namespace negatron::testing {

/// A device that is none: tensors on it live in host memory under addresses that the host cannot read, and operators
/// run on the host, on copies. So what would go wrong on a GPU goes wrong here: a host pointer taken from a device
/// tensor is a segmentation fault, and an operator over tensors of both sides throws. What it cannot show are streams,
/// kernels and operators that a GPU implements differently.
///
/// `index` below kStandInDevices. Thread-safe.
c10::Device stand_in_device(int index = 0);

constexpr int kStandInDevices = 8;

/// How often a host has waited for a device so far, over all threads, by what it waited for: "copy to the host" and
/// "copy to the device" that are not queued, "number" that is read, and operators that look at numbers on the host
/// ("aten::nonzero"). What a GPU's host would wait for in the same way.
std::map<std::string, std::int64_t> stand_in_waits();

/// Where the bytes of a device address really are: for what plays the device. A host address stays what it is.
void* host_address(const void* address);

}  // namespace negatron::testing
