#include "runtime/run/fill_with_features.h"

#include <algorithm>

#include "comm/require.h"
#include "comm/together.h"
#include "runtime/evaluation/features.h"

namespace negatron {

void require_samples_for_rows(const PretrainOptions& options, std::int64_t samples) {
  require(options.bank_fill != BankFill::kFeatures || options.bank_rows <= samples,
          "--bank-fill features has a row for each of " + std::to_string(samples) +
              " samples at most, and --bank-rows is " + std::to_string(options.bank_rows) +
              "; ask for fewer rows or for --bank-fill random.");
}

std::vector<std::string> fill_bank(Communicator& host, const PretrainOptions& options, const ImageSource& images,
                                   const ViewFormat& format, Trainer& trainer) {
  if (trainer.bank() == nullptr || options.bank_fill != BankFill::kFeatures) return {};
  constexpr std::int64_t kImagesAtOnce = 500;
  constexpr std::int64_t kNoStep = -1;
  Bank& bank = *trainer.bank();
  const Range own = share(bank.capacity(), bank.layout().ranks(), bank.rank());
  const auto embed = [&trainer](const at::Tensor& views) { return trainer.encoders().embed(views); };
  together(host, [&] {
    require_samples_for_rows(options, images.size());
    for (std::int64_t begin = own.begin; begin < own.end; begin += kImagesAtOnce) {
      const at::Tensor slots = at::arange(begin, std::min(begin + kImagesAtOnce, own.end), at::kLong);
      const at::Tensor ids = (slots * images.size()).floor_divide(bank.capacity());
      const at::Tensor rows = extract_features(embed, images, ids, format, kImagesAtOnce);
      // Rounded to fp32 above: of length 1 in a bank of fp64, too.
      const at::Tensor wide = rows.to(at::kDouble);
      // A row that learns is no sample's for long, and has no label.
      const at::Tensor labels = bank.kind() == BankKind::kMemory ? labels_of(images, ids) : at::Tensor();
      bank.replace(slots - own.begin, wide / wide.norm(2, {1}, true), labels, kNoStep);
    }
  });
  return {"the bank begins with what the encoder makes of " +
          std::string(bank.kind() == BankKind::kMemory ? "each sample" : std::to_string(bank.capacity()) + " samples")};
}

}  // namespace negatron
