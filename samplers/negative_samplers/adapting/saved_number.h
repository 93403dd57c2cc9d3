#pragma once

#include <istream>

namespace negatron {

/// Reads what `text << number` wrote, a word, into `number`: also "nan", "-nan", "inf" and "-inf", which `text >>
/// number` does not read back. False at the end of the text and for any other word. Local.
bool read_saved_number(std::istream& text, double& number);

}  // namespace negatron
