#pragma once

#include <iosfwd>

namespace negatron {

/// What --list-samplers and --list-objectives print: name, what it does, paper, what it needs, its options with
/// defaults and bounds.
void print_samplers(std::ostream& out);
void print_objectives(std::ostream& out);

}  // namespace negatron
