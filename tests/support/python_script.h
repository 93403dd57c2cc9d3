#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace negatron::testing {

/// What a script of the folder NEGATRON_SCRIPTS said, and how it ended.
struct ScriptEnd {
  int code = -1;
  std::string text;
};

/// Runs it with the python that torch lies in, and waits.
inline ScriptEnd run_script(const std::string& name, const std::string& arguments) {
  ScriptEnd end;
  const std::string command = NEGATRON_PYTHON " " NEGATRON_SCRIPTS "/" + name + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return end;
  char block[4096];
  for (std::size_t count = 0; (count = fread(block, 1, sizeof block, pipe)) > 0;) end.text.append(block, count);
  end.code = pclose(pipe);
  return end;
}

/// Whether that python has a library, as torchvision, which is there for benchmarks only.
inline bool has_module(const std::string& name) {
  return std::system((NEGATRON_PYTHON " -c 'import " + name + "' 2>/dev/null").c_str()) == 0;
}

}  // namespace negatron::testing
