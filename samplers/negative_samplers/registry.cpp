#include "samplers/negative_samplers/registry.h"

#include <stdexcept>

#include "samplers/negative_samplers/ance.h"
#include "samplers/negative_samplers/daml.h"
#include "samplers/negative_samplers/dns.h"
#include "samplers/negative_samplers/easy_hard.h"
#include "samplers/negative_samplers/false_negatives.h"
#include "samplers/negative_samplers/max_sampling.h"
#include "samplers/negative_samplers/mochi.h"
#include "samplers/negative_samplers/multi_modal.h"
#include "samplers/negative_samplers/negcut.h"
#include "samplers/negative_samplers/nscaching.h"
#include "samplers/negative_samplers/oracle.h"
#include "samplers/negative_samplers/popularity.h"
#include "samplers/negative_samplers/ring.h"
#include "samplers/negative_samplers/self_adversarial.h"
#include "samplers/negative_samplers/semi_hard.h"
#include "samplers/negative_samplers/softmax_draw.h"
#include "samplers/negative_samplers/top_n.h"
#include "samplers/negative_samplers/uniform.h"
#include "samplers/negative_samplers/warp.h"
#include "samplers/negative_samplers/whole_bank.h"
#include "samplers/options/method_registry.h"

namespace negatron {
namespace {

using SamplerRegistry = MethodRegistry<NegativeSampler, SamplerDescription, SamplerArguments>;

/// The samplers in the order of --list-samplers.
const SamplerRegistry& registry() {
  static const auto all =
      SamplerRegistry::of<WholeBank, TopN, Ring, Mochi, FnElimination, FnAttraction, EasyHard, SelfAdversarial,
                          SemiHard, MaxSampling, Dns, Warp, Uniform, Popularity, SoftmaxDraw, NsCaching, Ance, Negcut,
                          Daml, MultiModal, Oracle>("sampler");
  return all;
}

}  // namespace

const std::vector<SamplerDescription>& sampler_descriptions() {
  return registry().descriptions();
}

const SamplerDescription& describe_sampler(const std::string& name) {
  return registry().describe(name);
}

std::unique_ptr<NegativeSampler> make_sampler(const std::string& name, const SamplerArguments& arguments) {
  return registry().make(name, arguments);
}

// What a user would have to give, for the message that refuses a sampler whose need nothing supplies.
std::string supplied_by(Need need) {
  switch (need) {
    case Need::kLabels:
      return "data with labels";
    case Need::kOracleConsent:
      return "--allow-oracle on";
    case Need::kTypes:
      return "--sample-types FILE";
    case Need::kOwnRows:
      return "--bank-kind memory or index";
    case Need::kCounts:
      return "--sample-counts FILE";
    case Need::kIndex:
      return "--bank-kind index";
  }
  throw std::logic_error("unknown need");
}

std::string name_of(Need need) {
  switch (need) {
    case Need::kLabels:
      return "labels";
    case Need::kOracleConsent:
      return "consent to an oracle";
    case Need::kTypes:
      return "types of samples";
    case Need::kOwnRows:
      return "a row for each sample";
    case Need::kCounts:
      return "counts of samples";
    case Need::kIndex:
      return "an index of all samples";
  }
  throw std::logic_error("unknown need");
}

std::string name_of(Effect effect) {
  switch (effect) {
    case Effect::kScoreTransform:
      return "score transform";
    case Effect::kMask:
      return "mask";
    case Effect::kIndexList:
      return "index list";
    case Effect::kVectors:
      return "extra vectors";
  }
  throw std::logic_error("unknown effect");
}

}  // namespace negatron
