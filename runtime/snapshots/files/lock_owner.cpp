#include "runtime/snapshots/files/lock_owner.h"

#include <ctime>
#include <random>

#include <nlohmann/json.hpp>

namespace negatron {
namespace {

using Json = nlohmann::json;

/// A multiple of which every record is long: more than a count of renewals can add.
constexpr std::size_t kRecordBytes = 1024;

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

std::string random_token() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

LockOwner owner_in(const Json& json) {
  LockOwner owner;
  owner.process.host = json.at("host").get<std::string>();
  owner.process.pid = json.at("pid").get<std::int64_t>();
  owner.process.began = json.value("began", std::int64_t{0});
  owner.process.boot = json.value("boot", "");
  owner.process.pid_namespace = json.value("pid_namespace", "");
  owner.slurm.job_id = json.value("job_id", "");
  owner.slurm.step_id = json.value("step_id", "");
  owner.slurm.restarts = json.value("restarts", std::int64_t{0});
  owner.since = json.value("since", "");
  owner.token = json.value("token", "");
  owner.kernel_lock = json.value("kernel_lock", false);
  owner.device = json.value("device", std::int64_t{0});
  owner.lease_seconds = json.value("lease_seconds", 0.0);
  owner.renewals = json.value("renewals", std::int64_t{0});
  return owner;
}

}  // namespace

LockOwner this_owner(const SlurmStart& slurm) {
  LockOwner owner;
  owner.process = this_process();
  owner.slurm = slurm;
  owner.since = local_time();
  owner.token = random_token();
  return owner;
}

std::string text_of(const LockOwner& owner) {
  const nlohmann::ordered_json json = {{"host", owner.process.host},
                                       {"pid", owner.process.pid},
                                       {"began", owner.process.began},
                                       {"boot", owner.process.boot},
                                       {"pid_namespace", owner.process.pid_namespace},
                                       {"job_id", owner.slurm.job_id},
                                       {"step_id", owner.slurm.step_id},
                                       {"restarts", owner.slurm.restarts},
                                       {"since", owner.since},
                                       {"token", owner.token},
                                       {"kernel_lock", owner.kernel_lock},
                                       {"device", owner.device},
                                       {"lease_seconds", owner.lease_seconds},
                                       {"renewals", owner.renewals}};
  std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace);
  const std::size_t records = text.size() / kRecordBytes + 1;
  text.resize(records * kRecordBytes - 1, ' ');
  return text + "\n";
}

std::optional<LockOwner> parse_owner(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  try {
    LockOwner owner = owner_in(json);
    if (owner.process.host.empty() || owner.process.pid <= 0) return std::nullopt;
    return owner;
  } catch (const Json::exception&) {
    // A member is missing or of another type.
    return std::nullopt;
  }
}

std::string describe(const LockOwner& owner) {
  std::string job;
  if (!owner.slurm.job_id.empty()) job = ", job " + owner.slurm.job_id;
  if (!owner.slurm.step_id.empty()) job += "." + owner.slurm.step_id;
  return "process " + std::to_string(owner.process.pid) + " on host " + owner.process.host + job + ", since " +
         owner.since;
}

}  // namespace negatron
