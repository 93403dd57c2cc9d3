#include "launch/flags/field_names.h"

#include <gtest/gtest.h>

#include <sstream>

#include "launch/pretrain/pretrain_flags.h"

namespace negatron {
namespace {

/// What `pretrain` says to such words.
std::string answer_to(const std::vector<std::string>& arguments) {
  PretrainArguments asked;
  try {
    pretrain_flags(asked).parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "unknown flag " + arguments.front() + " is accepted";
}

TEST(FieldNames, NamesOfTheFieldAreKnown) {
  const auto answer = [](const std::string& typed) -> std::string {
    return answer_to({typed, "1"}).substr(("unknown flag " + typed).size());
  };
  EXPECT_EQ(answer("--batch-size"), ", did you mean --global-batch?");
  EXPECT_EQ(answer("--learning_rate"), ", did you mean --lr?");
  EXPECT_EQ(answer("--workers"), ", did you mean --loader-threads?");
  EXPECT_EQ(answer("--temperature"), ", did you mean --tau?");
  EXPECT_EQ(answer("--queue-size"), ", did you mean --bank-rows?");
  EXPECT_EQ(answer("--momentum"), ", did you mean --sgd-momentum or --key-momentum?");
  EXPECT_EQ(answer("--moco-m"), ", did you mean --key-momentum?");
  EXPECT_EQ(answer("--pretrained"), ", did you mean --init?");
  // A section of a file, and another spelling.
  EXPECT_EQ(answer("--optimizer.lr"), ", did you mean --lr?");
  EXPECT_EQ(answer("--bank_rows"), ", did you mean --bank-rows?");
  EXPECT_EQ(answer("--wandb"), "; --help lists all flags.");
  EXPECT_EQ(answer("--frobnicate"), "; --help lists all flags.");
}

TEST(FieldNames, EveryNameThatTheFieldIsToldIsAFlag) {
  PretrainArguments request;
  std::ostringstream completions;
  pretrain_flags(request).print_completions(completions);
  for (const std::string& ours : flags_with_other_names()) {
    EXPECT_NE(completions.str().find("--" + ours), std::string::npos) << ours;
  }
}

TEST(FieldNames, AMethodIsAPreset) {
  for (const char* name : {"moco", "MoCo-v2", "mocov2", "moco_v2"}) {
    EXPECT_EQ(preset_of(name), "launch/presets/moco-v2.ini") << name;
  }
  EXPECT_EQ(preset_of("SimCLR"), "launch/presets/simclr.ini");
  EXPECT_EQ(preset_of("dcl"), "");
  EXPECT_EQ(answer_to({"--config", "moco-v3"}),
            "--config: cannot read 'moco-v3'; did you mean launch/presets/moco-v3.ini?");
  for (const char* flag : {"--objective", "--sampler"}) {
    const std::string said = answer_to({flag, "simclr"});
    EXPECT_NE(said.find("launch/presets/simclr.ini"), std::string::npos) << said;
  }
  // These are an objective and a sampler as well.
  PretrainArguments asked;
  EXPECT_TRUE(pretrain_flags(asked).parse({"--objective", "byol", "--sampler", "mochi"}));
}

}  // namespace
}  // namespace negatron
