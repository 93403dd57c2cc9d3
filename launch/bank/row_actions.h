#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// Commands of `negatron bank` (bank_actions.h) that take rows out of a bank, or put the rows of another file into one.
int extract_action(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& remarks);
int near_action(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& remarks);
int import_action(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& remarks);

}  // namespace negatron
