#pragma once

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

/// Where the bytes of a device address really are: for what plays the device. A host address stays what it is.
void* host_address(const void* address);

}  // namespace negatron::testing
