#pragma once

#include <string>

namespace negatron {

/// Three digits that count, with the unit that suits: "1.25 ms", "14.0 us", "6.00 s". Local.
std::string seconds_text(double seconds);
/// Of a second: "4.20 GB/s", "12.5 MB/s" (10^9 and 10^6 bytes). Local.
std::string speed_text(double bytes_per_second);
/// "24.0 GiB", "64.0 MiB". Local.
std::string memory_text(double bytes);

}  // namespace negatron
