#pragma once

#include "launch/flags/typed_fields.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// A field that holds a kind of bank, for --bank-kind. `field` outlives what is returned. Local.
inline TypedField bank_kind_field(BankKind* field) {
  return one_of<BankKind>(field, {{"queue", BankKind::kQueue},
                                  {"memory", BankKind::kMemory},
                                  {"learned", BankKind::kLearned},
                                  {"index", BankKind::kIndex},
                                  {"parametric", BankKind::kParametric}});
}

}  // namespace negatron
