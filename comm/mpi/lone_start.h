#pragma once

#include <functional>
#include <string>
#include <vector>

namespace negatron {

/// Looks an environment variable up; null where it is not set.
using VariableLookup = std::function<const char*(const char*)>;

/// Whether MPI is to start here as a job of one rank whatever Slurm's variables say: in a shell or script that is the
/// only task of its step (srun --pty bash), whose variables every program of it inherits. MPI would take each of them
/// for that task: without PMI it finds nobody to answer, and with PMIx only the first is answered. `by_launcher`: this
/// process is the task itself. Local.
bool is_lone_start(const VariableLookup& variable, bool by_launcher);

/// Takes what Slurm and PMI say out of the environment, so that MPI starts alone, and puts it back when it goes. While
/// no other thread looks at the environment. Local.
class HiddenStarter {
 public:
  HiddenStarter();
  ~HiddenStarter();
  HiddenStarter(const HiddenStarter&) = delete;
  HiddenStarter& operator=(const HiddenStarter&) = delete;

 private:
  struct Variable {
    std::string name;
    std::string value;
  };
  std::vector<Variable> hidden_;
};

}  // namespace negatron
