#include "tests/samplers/contrast/sampler_settings.h"

namespace negatron::testing {

const std::map<std::string, std::vector<std::string>>& sampler_settings() {
  static const std::map<std::string, std::vector<std::string>> settings = {
      {"top-n", {"n=9", "n=47", "n=12,skip=3,draw=4"}},
      {"ring", {"outer=0.5,inner=0.2", "outer=0.6,inner=0.1,inner-of-outer=off,anneal=linear,anneal-epochs=5"}},
      {"mochi",
       {"n=12,s=9,s-prime=5,warmup-epochs=0", "n=12,s=9,s-prime=5,warmup-epochs=0,mode=no-fetch",
        "n=12,s=9,s-prime=5,warmup-epochs=4,distinct=off,attached=on",
        "n=12,s=6,s-prime=3,warmup-epochs=0,max-label-share=0.5", "n=40,s=6,s-prime=0,warmup-epochs=0",
        "n=20,s=5,s-prime=5,warmup-epochs=0,mode=no-fetch,distinct=off",
        "n=12,s=6,s-prime=3,warmup-epochs=0,max-label-share=0.4,clusters=5,skip-own-cluster=on",
        "n=12,s=6,s-prime=3,warmup-epochs=0,budgets=6/2/4",
        "n=12,s=6,s-prime=3,warmup-epochs=0,type-scales=1/0.7/1.2,mode=no-fetch"}},
      {"multi-modal", {"n=12", "budgets=9/0/3,skip=2", "n=10,type-scales=1/0.7/1.2"}},
      {"fn-elimination", {"top-k=5,threshold=0.5"}},
      {"fn-attraction", {"top-k=5,threshold=0.5"}},
      {"easy-hard", {"rows=16,hard-share-start=0.2,anneal-epochs=8,skip-hardest=0.05"}},
      {"self-adversarial", {""}},
      {"semi-hard", {"", "rule=below-margin,pick=random", "margin=0.02,fallback=violator"}},
      {"max-sampling", {"m=8", "m=9,rule=mix", "m=8,candidates=20", "m=9,candidates=30,rule=mix"}},
      {"ance", {"n=2,draw=4,top=9", "n=1,draw=1,top=3,bank=on"}},
      {"dns", {"n=9,m=4", "n=1,m=60"}},
      {"negcut", {"n=6,noise=5,hidden=12", "n=3,noise=2,hidden=9,bank=off"}},
      {"daml", {"hidden=12", "hidden=9,bank=off,adversarial=3"}},
      {"nscaching", {"m=3,n=6,candidates=6", "m=6,n=6,candidates=3,update=top"}},
      {"warp", {"margin=0.4,trials=25", "margin=0.1,trials=3"}},
      {"popularity", {"m=20", "m=20,law=rank,lambda=4"}},
      {"uniform", {"m=20", "m=20,stand-for-bank=on"}},
      {"softmax", {"m=10,temperature=0.2", "m=3,candidates=20,temperature=0.2"}},
  };
  return settings;
}

std::vector<std::string> settings_of(const std::string& sampler) {
  const auto found = sampler_settings().find(sampler);
  return found == sampler_settings().end() ? std::vector<std::string>{""} : found->second;
}

}  // namespace negatron::testing
