#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"
#include "runtime/data/image_part.h"

namespace negatron {

/// Where images come from: a set of images with the numbers 0 to size() - 1, of which any may be asked for at any time.
/// Everything else (order of an epoch, views, batches, shares of ranks, evaluation) is made of these few answers, so
/// that a new kind of data is one class and one line in registry.cpp.
///
/// All ranks have a source of the same images. Nothing need lie in memory: load() may open files, and it decides alone
/// what it keeps. Images may differ in size, not in channels. All functions are local and may be called by several
/// threads at a time.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual std::int64_t size() const = 0;
  /// 1 for grey images, 3 for colour; of features, how many a sample has.
  virtual std::int64_t channels() const = 0;
  /// True where samples are no images but features: load() gives [n, F, 1, 1] fp64, and views are 1 x 1.
  virtual bool gives_features() const { return false; }
  /// How large views of these images are made: as large as the images where all have one size, else the source's
  /// choice.
  virtual ImageSize view_size() const = 0;
  /// The images `ids` [n] int64 (on the host, any order, also repeated), decoded, on the host, in this order. n is at
  /// least 1 where sizes differ. Throws DataError naming the file that cannot be read.
  virtual DecodedImages load(const at::Tensor& ids) const = 0;
  /// The same, but no more of each image need be decoded than its crops need. `crops` is asked for those of the i-th of
  /// `ids` at least once, with the size of the whole image and in this thread; what it is told last holds.
  virtual ImageParts load_parts(const at::Tensor& ids, const CropsOfImage& crops) const;
  /// Which images load() gives for `ids` [n] int64, as far as it has met them: others only where it puts an image in
  /// the place of a broken one.
  virtual at::Tensor stand_ins(const at::Tensor& ids) const { return ids; }

  /// Numbers of the images that were asked for and could not be read, [n] int64, rising.
  virtual at::Tensor broken_images() const { return at::empty({0}, at::kLong); }

  /// The label of each image, [size()] int64 from 0, or an undefined tensor when there are none.
  virtual at::Tensor labels() const { return {}; }
  bool has_labels() const { return labels().defined(); }
  /// The name of each label; empty where they are numbers only.
  virtual std::vector<std::string> label_names() const { return {}; }
  /// The images that are kept apart for evaluation, opened now; null when the data have no such part. Throws DataError.
  virtual std::shared_ptr<const ImageSource> test_part() const { return nullptr; }
  /// The same text on every host whose images are the same, as far as a look at names, sizes and labels tells; empty
  /// where nobody looks.
  virtual std::string fingerprint() const { return {}; }
  /// A digest of the bytes of some images, the same on every host whose images are the same; empty where fingerprint()
  /// looks at all of them, or at some. For ranks that compare their data: data of one name and size may hold other
  /// images.
  virtual std::string content_sample() const { return {}; }
  /// Bytes that the images take in the memory of each rank, 0 where they are read when they are needed.
  virtual std::int64_t bytes_in_memory() const { return 0; }
  /// Bytes that knowing where the images are takes in the memory of each rank.
  virtual std::int64_t bytes_of_index() const { return 0; }
};

/// Labels of the images that load() has given for `ids` [n] int64, as [n] int64; undefined without labels. Local.
at::Tensor labels_of(const ImageSource& source, const at::Tensor& ids);

/// A content_sample() of images as load() gives them, a few of them, evenly spaced. Local.
std::string sample_of_loaded(const ImageSource& source);

/// How many images are best loaded together where no more than some of them need be there at a time: many of those that
/// lie in memory or are features, few of those that are decoded, which may be of any size. Local.
std::int64_t loaded_together(const ImageSource& source);

/// One more than the highest label; 0 without labels or images. Local.
std::int64_t count_classes(const ImageSource& source);

}  // namespace negatron
