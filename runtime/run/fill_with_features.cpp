#include "runtime/run/fill_with_features.h"

#include "comm/require.h"
#include "comm/share.h"
#include "comm/together.h"
#include "runtime/run/encoded_samples.h"

namespace negatron {

void require_samples_for_rows(const PretrainOptions& options, std::int64_t samples) {
  require(options.bank_fill != BankFill::kFeatures || options.bank_rows <= samples,
          "--bank-fill features has a row for each of " + std::to_string(samples) +
              " samples at most, and --bank-rows is " + std::to_string(options.bank_rows) +
              "; ask for fewer rows or for --bank-fill random.");
}

std::vector<std::string> fill_bank(Communicator& host, const PretrainOptions& options, const ImageSource& images,
                                   const ViewFormat& format, Trainer& trainer, const std::function<void()>& pause) {
  if (trainer.bank() == nullptr || options.bank_fill != BankFill::kFeatures) return {};
  constexpr std::int64_t kNoStep = -1;
  Bank& bank = *trainer.bank();
  const int ranks = bank.layout().ranks();
  const Range own = share(bank.capacity(), ranks, bank.rank());
  together(host, [&] { require_samples_for_rows(options, images.size()); });
  const at::Tensor slots = at::arange(own.begin, own.end, at::kLong);
  const at::Tensor ids = (slots * images.size()).floor_divide(bank.capacity());
  const SampleEncoding encoding{images, format, bank.options().dtype, bank.options().length};
  const at::Tensor rows =
      encoded_samples(host, trainer.encoders(), encoding, ids, share(bank.capacity(), ranks, 0).size(), pause);
  if (own.size() > 0) {
    // A row that learns is no image's for long, and has no label.
    const at::Tensor labels = rows_learn(bank.kind()) ? at::Tensor() : labels_of(images, ids);
    for (const NamedBank& one : trainer.banks()) one.bank->replace(slots - own.begin, rows, labels, kNoStep);
  }
  return {"the bank begins with what the encoder makes of " +
          std::string(rows_have_samples(bank.kind()) ? "each sample" : std::to_string(bank.capacity()) + " samples")};
}

}  // namespace negatron
