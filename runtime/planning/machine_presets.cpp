#include "runtime/planning/machine_presets.h"

#include <stdexcept>

#include "samplers/options/nearest_name.h"

// Collective measurements: COST_MODEL.md 6, from the tables of stas00/ml-engineering (network), nccl-tests' issues
// and NCCL's own tuning tables. "Calibrated" numbers make the model's sum meet the smallest, a middle and the largest
// size of a table with equal errors; tests hold these within 15 % and the sizes between within 25 %.

namespace negatron {
namespace {

constexpr std::int64_t kNodeRanks = 8;
constexpr std::int64_t kAllRanks = std::numeric_limits<std::int64_t>::max();
constexpr double kMicro = 1e-6;
constexpr double kGiga = 1e9;
constexpr double kTera = 1e12;

// NCCL's tuning table, protocol LL: a hop inside a node, and between nodes over InfiniBand.
constexpr double kNvlinkHop = 0.6 * kMicro;
constexpr double kInfinibandHop = 2.7 * kMicro;
// A message between nodes by protocol Simple.
constexpr double kSimpleHop = 14.0 * kMicro;
// An adapter of 400 Gbit/s: 46 to 49 GB/s for each GPU (nccl-tests #267, #290).
constexpr double kAdapter = 48.0 * kGiga;
// One of 200 Gbit/s, by that share of its line rate.
constexpr double kHdrAdapter = kAdapter / 2.0;

// ATen's flash attention forward at d = 128 on an H100 (arXiv:2407.08608), keys = values = bank rows: what a fused pass
// of that quality does. What hardest rows cost for each score is an estimate: a search that sweeps four times over fp32
// scores (COST_MODEL.md 6).
constexpr double kHopperPass = 370.0 * kTera;
constexpr double kHopperSelect = 1.3e-3 / (4096.0 * 65536.0);
// Memory copies on an H200, read and write (COST_MODEL.md 6).
constexpr double kH200Read = 4.3 * kTera;
// Memory copies on an H100: 2,903 GB/s of the 3,350 of its data sheet (COST_MODEL.md 6). An A100 of 80 GB has 2,039; it
// is taken to reach the same share.
constexpr double kH100Read = 2.9 * kTera;
constexpr double kA100Read = kH100Read * 2039.0 / 3350.0;
// Flash attention 2 forward on an A100: up to 73 % of its 312 TFLOP/s in bf16 (arXiv:2307.08691).
constexpr double kAmperePass = 228.0 * kTera;
// By data sheet, a B200 has 2250 TFLOP/s in bf16 and 8 TB/s, where an H100 has 989 and an H200 4.8.
constexpr double kBlackwellProducts = 2250.0 / 989.0;
constexpr double kBlackwellMemory = 8.0 / 4.8;

NetworkLevel level(std::int64_t ranks, const Link& all_gather, const Link& all_to_all, const Link& all_reduce) {
  return {ranks, {all_gather, all_to_all, all_reduce}};
}

/// Scores are swept through memory, so that what finding the hardest costs goes with its rate.
double select_seconds(double read_bytes_per_second) {
  return kHopperSelect * kH200Read / read_bytes_per_second;
}

MachinePreset a100() {
  Machine machine;
  machine.pass_flops = kAmperePass;
  machine.read_bytes_per_second = kA100Read;
  machine.select_seconds_per_score = select_seconds(kA100Read);
  // all_reduce on 8 GPUs: 235 GB/s of large messages. How it begins is taken from an H200.
  machine.network.launch_seconds = 31.6 * kMicro;
  constexpr Link inside{kNvlinkHop, 235.0 * kGiga, 2.6e6};
  constexpr Link between{kInfinibandHop, kHdrAdapter, 0.0};
  machine.network.levels = {level(kNodeRanks, inside, inside, inside), level(kAllRanks, between, between, between)};
  return {"a100", "nodes of 8 A100 of 80 GB (NVLink 3), one HDR InfiniBand adapter a GPU", machine};
}

MachinePreset h200() {
  Machine machine;
  machine.pass_flops = kHopperPass;
  machine.read_bytes_per_second = kH200Read;
  machine.select_seconds_per_score = kHopperSelect;
  // all_reduce on 8 GPUs: 40 us at 32 KiB, 134 us at 16 MiB, 482 GB/s at 16 GiB. Calibrated.
  machine.network.launch_seconds = 31.6 * kMicro;
  constexpr double kHalf = 2.6e6;
  constexpr Link between{kInfinibandHop, kAdapter, 0.0};
  machine.network.levels = {level(kNodeRanks,
                                  // 16 GiB: all_gather 361 GB/s, reduce_scatter 363.
                                  {kNvlinkHop, 361.0 * kGiga, kHalf},
                                  // What NCCL reaches on NVLink 4 (nccl-tests #212).
                                  {kNvlinkHop, 370.0 * kGiga, kHalf}, {kNvlinkHop, 418.0 * kGiga, kHalf}),
                            level(kAllRanks, between, between, between)};
  return {"h200", "nodes of 8 H200 (NVLink 4), one NDR InfiniBand adapter a GPU", machine};
}

/// The chip and the links of an H200 with slower memory.
MachinePreset h100() {
  Machine machine = h200().machine;
  machine.read_bytes_per_second = kH100Read;
  machine.select_seconds_per_score = select_seconds(kH100Read);
  return {"h100", "nodes of 8 H100 (NVLink 4), one NDR InfiniBand adapter a GPU", machine};
}

MachinePreset b200() {
  Machine machine;
  machine.pass_flops = kHopperPass * kBlackwellProducts;
  machine.read_bytes_per_second = kH200Read * kBlackwellMemory;
  machine.select_seconds_per_score = select_seconds(machine.read_bytes_per_second);
  // all_reduce on 8 GPUs: 48 us at 32 KiB, 846 GB/s at 16 GiB; 682 as a ring, which the other collectives are.
  machine.network.launch_seconds = 41.6 * kMicro;
  constexpr double kHalf = 2.6e6;
  constexpr Link ring{kNvlinkHop, 682.0 * kGiga, kHalf};
  // all_reduce on 4 nodes: 378 us at 1 MiB, 3.2 ms at 512 MiB, 382 GB/s at 16 GiB. Calibrated; more than an adapter's
  // 50 GB/s, because nodes and network work at once, which the sum over levels does not know.
  constexpr Link between{87.0 * kMicro, 72.0 * kGiga, 0.0};
  machine.network.levels = {level(kNodeRanks, ring, ring, {kNvlinkHop, 718.0 * kGiga, kHalf}),
                            level(kAllRanks, between, {kSimpleHop, kAdapter, 0.0}, between)};
  return {"b200", "nodes of 8 B200 (NVLink 5), one 400 Gbit/s EFA adapter a GPU", machine};
}

}  // namespace

const std::vector<MachinePreset>& machine_presets() {
  static const std::vector<MachinePreset> presets = {a100(), h100(), h200(), b200()};
  return presets;
}

const MachinePreset& machine_preset(const std::string& name) {
  std::vector<std::string> names;
  for (const MachinePreset& preset : machine_presets()) {
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  const std::optional<std::string> near = nearest_name(name, names);
  std::string known = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) known += (i + 1 < names.size() ? ", " : " and ") + names[i];
  throw std::invalid_argument("there are no constants for a GPU named '" + name + "', only for " + known +
                              (near ? "; did you mean " + *near + "?" : "."));
}

}  // namespace negatron
