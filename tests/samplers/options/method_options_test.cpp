#include "samplers/options/method_options.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace negatron {
namespace {

const std::vector<MethodOption> kOptions = {{"outer", 0.1, "share", 0.0, 1.0},
                                            {"rows", std::int64_t{64}, "rows", 1},
                                            {"distinct", true, "differ"},
                                            {"mode", std::string("fetch"), "how", {}, {}, {"fetch", "no-fetch"}}};

std::string refusal(const std::string& text) {
  try {
    MethodOptions("--sampler ring", kOptions, text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MethodOptions, HoldDefaultsAndWhatWasChanged) {
  const MethodOptions options("--sampler ring", kOptions, " rows = 7, mode=no-fetch ,");
  EXPECT_EQ(options.number("outer"), 0.1);
  EXPECT_EQ(options.count("rows"), 7);
  EXPECT_TRUE(options.on("distinct"));
  EXPECT_EQ(options.word("mode"), "no-fetch");
  EXPECT_TRUE(options.changed("rows"));
  EXPECT_FALSE(options.changed("outer"));
}

TEST(MethodOptions, RefuseInOneSentence) {
  EXPECT_EQ(refusal("outr=0.2"), "--sampler ring: unknown option 'outr', did you mean 'outer'?");
  EXPECT_EQ(refusal("outer=1.5"),
            "--sampler ring: option 'outer' takes a number of at least 0 and at most 1, not '1.5'.");
  EXPECT_EQ(refusal("outer=nan"),
            "--sampler ring: option 'outer' takes a number of at least 0 and at most 1, not 'nan'.");
  EXPECT_EQ(refusal("rows=0"), "--sampler ring: option 'rows' takes a whole number of at least 1, not '0'.");
  EXPECT_EQ(refusal("rows=1.5"), "--sampler ring: option 'rows' takes a whole number of at least 1, not '1.5'.");
  EXPECT_EQ(refusal("distinct=true"), "--sampler ring: option 'distinct' takes on or off, not 'true'.");
  EXPECT_EQ(refusal("mode=fetsch"), "--sampler ring: option 'mode' takes one of fetch, no-fetch, not 'fetsch'.");
  EXPECT_EQ(refusal("rows=3,rows=4"), "--sampler ring: option 'rows' is given twice.");
  EXPECT_EQ(refusal("rows"), "--sampler ring: write rows=VALUE.");
  EXPECT_THROW(MethodOptions("--objective byol", {}, "tau=1"), std::invalid_argument);
}

TEST(MethodOptions, WrongQuestionsAreBugs) {
  const MethodOptions options("m", kOptions, "");
  EXPECT_THROW(options.number("rows"), std::logic_error);
  EXPECT_THROW(options.count("row"), std::logic_error);
}

}  // namespace
}  // namespace negatron
