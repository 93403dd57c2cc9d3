#include "samplers/options/named_state.h"

#include <cstdint>
#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

std::string missing(const std::function<void()>& read) {
  try {
    read();
  } catch (const MissingState& error) {
    return error.what();
  }
  return "nothing was missing";
}

TEST(NamedState, GivesPartsBackByNameAndTensorsInTheirOrder) {
  NamedState whole;
  whole.tensors.emplace_back("weight", at::ones({2}));
  whole.numbers["steps"] = std::int64_t{3};
  NamedState part;
  part.tensors.emplace_back("clusters", at::zeros({1}));
  part.text["sampler"] = "ring";
  part.numbers["stretch"] = 1.5;
  whole.add(part);
  EXPECT_EQ(whole.tensors.at(0).first, "weight");
  EXPECT_EQ(whole.tensors.at(1).first, "clusters");
  EXPECT_TRUE(at::equal(whole.tensor("clusters"), at::zeros({1})));
  EXPECT_EQ(whole.text_of("sampler"), "ring");
  EXPECT_EQ(whole.count("steps"), 3);
  EXPECT_EQ(whole.number("stretch"), 1.5);
}

TEST(NamedState, SaysWhatItHasNot) {
  NamedState state;
  state.numbers["steps"] = 3.0;
  state.numbers["stretch"] = std::int64_t{1};
  EXPECT_FALSE(state.tensor("weight").defined());
  EXPECT_EQ(state.text_of("sampler"), "");
  EXPECT_EQ(missing([&] { state.count("epoch"); }), "no count 'epoch'");
  EXPECT_EQ(missing([&] { state.count("steps"); }), "no count 'steps'") << "it is no whole number";
  EXPECT_EQ(missing([&] { state.number("stretch"); }), "no number 'stretch'");
}

}  // namespace
}  // namespace negatron::testing
