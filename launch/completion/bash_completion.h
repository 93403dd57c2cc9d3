#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace negatron {

/// A command and what may stand behind it, a line each: a flag as FlagTable::print_completions() has it, or a word that
/// is a command of its own, whose lines follow.
struct CompletedCommand {
  std::string name;
  std::string lines;
};

/// A bash script that completes the commands, the flags of each, and their values where they are known; file names
/// elsewhere. It asks nobody: who adds a flag makes it again. Local.
void print_bash_completion(std::ostream& out, const std::vector<CompletedCommand>& commands);

}  // namespace negatron
