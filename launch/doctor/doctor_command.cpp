#include "launch/doctor/doctor_command.h"

#include <ostream>
#include <stdexcept>

#include "launch/doctor/doctor.h"
#include "launch/doctor/doctor_flags.h"
#include "launch/exit_code.h"
#include "launch/one_process.h"
#include "launch/process_setup.h"
#include "launch/starter_rank.h"

namespace negatron {
namespace {

constexpr const char* kDoctorUsage =
    "usage: [mpirun -n RANKS] negatron doctor [FLAGS]\n"
    "\n"
    "Looks at the job that it is started as: launcher, hosts, clocks, networks, how fast collectives are, memory, "
    "limits,\n"
    "cores, GPUs, versions, and a directory that the hosts should share. A line for each: what was found, what was\n"
    "expected, and what to do where it is not well. Exit code 1 when something will not work.\n";

}  // namespace

void print_doctor_help(std::ostream& out) {
  DoctorArguments defaults;
  doctor_flags(defaults).print_help(out, kDoctorUsage);
}

void print_doctor_completions(std::ostream& out) {
  DoctorArguments defaults;
  doctor_flags(defaults).print_completions(out);
}

int run_doctor(int argc, char** argv, const std::vector<std::string>& arguments, std::ostream& out,
               std::ostream& problems) {
  DoctorArguments request;
  try {
    doctor_flags(request).parse(arguments);
  } catch (const std::exception& error) {
    // Before MPI, which may be what does not work. All processes have the same command line; one says it.
    return starter_rank().rank == 0 ? refuse(problems, error.what()) : kExitUsage;
  }
  keep_freed_memory();
  return Doctor(request, out).run(&argc, &argv);
}

}  // namespace negatron
