#include "samplers/negative_samplers/registry.h"

#include <stdexcept>

#include "samplers/negative_samplers/easy_hard.h"
#include "samplers/negative_samplers/false_negatives.h"
#include "samplers/negative_samplers/max_sampling.h"
#include "samplers/negative_samplers/mochi.h"
#include "samplers/negative_samplers/multi_modal.h"
#include "samplers/negative_samplers/oracle.h"
#include "samplers/negative_samplers/ring.h"
#include "samplers/negative_samplers/self_adversarial.h"
#include "samplers/negative_samplers/semi_hard.h"
#include "samplers/negative_samplers/softmax_draw.h"
#include "samplers/negative_samplers/top_n.h"
#include "samplers/negative_samplers/uniform.h"
#include "samplers/negative_samplers/whole_bank.h"
#include "samplers/options/nearest_name.h"

namespace negatron {
namespace {

struct Entry {
  SamplerDescription description;
  std::unique_ptr<NegativeSampler> (*make)(const SamplerArguments& arguments);
};

template <typename Sampler>
Entry entry() {
  return {Sampler::describe(), [](const SamplerArguments& arguments) -> std::unique_ptr<NegativeSampler> {
            return std::make_unique<Sampler>(arguments);
          }};
}

/// One line a sampler, in the order of --list-samplers.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      entry<WholeBank>(),     entry<TopN>(),         entry<Ring>(),     entry<Mochi>(),
      entry<FnElimination>(), entry<FnAttraction>(), entry<EasyHard>(), entry<SelfAdversarial>(),
      entry<SemiHard>(),      entry<MaxSampling>(),  entry<Uniform>(),  entry<SoftmaxDraw>(),
      entry<MultiModal>(),    entry<Oracle>(),
  };
  return all;
}

const Entry& find(const std::string& name) {
  std::vector<std::string> known;
  for (const Entry& entry : entries()) {
    if (entry.description.name == name) return entry;
    known.push_back(entry.description.name);
  }
  throw std::invalid_argument("--sampler: unknown sampler '" + name + "', did you mean " + nearest_name(name, known) +
                              "? --list-samplers shows all.");
}

}  // namespace

const std::vector<SamplerDescription>& sampler_descriptions() {
  static const std::vector<SamplerDescription> all = [] {
    std::vector<SamplerDescription> descriptions;
    for (const Entry& entry : entries()) descriptions.push_back(entry.description);
    return descriptions;
  }();
  return all;
}

const SamplerDescription& describe_sampler(const std::string& name) {
  return find(name).description;
}

std::unique_ptr<NegativeSampler> make_sampler(const std::string& name, const SamplerArguments& arguments) {
  return find(name).make(arguments);
}

std::string supplied_by(Need need) {
  switch (need) {
    case Need::kLabels:
      return "data with labels";
    case Need::kOracleConsent:
      return "--allow-oracle on";
    case Need::kTypes:
      return "--sample-types FILE";
    case Need::kCounts:
      return "data with counts";
    case Need::kGraph:
      return "a graph beside the data";
    case Need::kPersistentIds:
      return "a bank with one row per sample";
    case Need::kSecondBank:
      return "a second bank";
    case Need::kTrainableBank:
      return "a bank whose rows are trained";
    case Need::kGenerator:
      return "a generator network";
    case Need::kPerSampleState:
      return "state for each training sample";
    case Need::kRefresh:
      return "a job that encodes the data anew";
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
    case Need::kCounts:
      return "counts";
    case Need::kGraph:
      return "a graph";
    case Need::kPersistentIds:
      return "persistent ids";
    case Need::kSecondBank:
      return "a second bank";
    case Need::kTrainableBank:
      return "a trainable bank";
    case Need::kGenerator:
      return "a generator";
    case Need::kPerSampleState:
      return "per-sample state";
    case Need::kRefresh:
      return "a refresh job";
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
    case Effect::kBankUpdate:
      return "bank update";
  }
  throw std::logic_error("unknown effect");
}

}  // namespace negatron
