#include "launch/doctor/doctor_flags.h"

#include <cstdint>

#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"

namespace negatron {
namespace {

constexpr double kLeastTimeLimit = 10.0;
constexpr double kMostTimeLimit = 3600.0;

std::chrono::milliseconds part_of(double seconds, double part) {
  constexpr double kMillisecondsPerSecond = 1e3;
  return std::chrono::milliseconds(static_cast<std::int64_t>(kMillisecondsPerSecond * seconds * part));
}

}  // namespace

std::chrono::milliseconds DoctorArguments::start_limit() const {
  return part_of(time_limit, 2.0 / 5.0);
}

std::chrono::milliseconds DoctorArguments::part_limit() const {
  return part_of(time_limit, 1.0 / 8.0);
}

FlagTable doctor_flags(DoctorArguments& request) {
  FlagTable table;
  table.group("What is looked at");
  table.add("run-dir", &request.run_dir,
            "a directory that runs are to write to: whether all hosts share it, and how it does; empty for none");
  table.add(
      "device",
      one_of<GpuUse>(&request.gpus, {{"auto", GpuUse::kIfAll}, {"cpu", GpuUse::kNone}, {"cuda", GpuUse::kAlways}}),
      "cuda where runs are to use GPUs, cpu where not; auto tries them where every rank has one");
  table.add("time-limit", within(&request.time_limit, kLeastTimeLimit, kMostTimeLimit),
            "seconds for all of it: two fifths for the ranks to find each other, an eighth for each other part");
  table.add("json", &request.json, "one JSON object instead of text");
  return table;
}

}  // namespace negatron
