#include "samplers/objectives/info_nce.h"

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ObjectiveDescription InfoNce::describe() {
  return {"info-nce",
          "van den Oord et al., CPC, 2018; He et al., MoCo, CVPR 2020",
          "softmax of the positive against all negatives",
          {}};
}

ObjectiveDescription NtXent::describe() {
  return {"nt-xent",
          "Chen et al., SimCLR, ICML 2020",
          "InfoNCE over all views of the global batch",
          {},
          {NegativeSource::kBatch}};
}

ObjectiveDescription InfoNceInBatch::describe() {
  return {"info-nce-in-batch",
          "He et al., MoCo, CVPR 2020",
          "InfoNCE over the bank and the other samples' keys",
          {},
          {NegativeSource::kBankAndBatch}};
}

ObjectiveLoss InfoNce::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  // sp(l - c s+) = -log of the positive's probability (LOSSES.md 2). l = 3.04946 and c s+ = 4 make 0.32680. An anchor
  // that met nothing has l = -infinity and the loss 0, with gradient 0.
  result.per_anchor = exact_softplus(contrast.terms[0] - temperature_.logits(contrast.anchors.positive));
  return result;
}

}  // namespace negatron
