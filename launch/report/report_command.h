#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// `negatron report RUN... [FLAGS]`: one page that shows what runs did. One process. Returns the exit code.
int run_report(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& problems);

/// As FlagTable::print_completions().
void print_report_completions(std::ostream& out);

}  // namespace negatron
