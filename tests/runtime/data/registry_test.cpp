#include "runtime/data/registry.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/image_files.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

std::string refusal_of(const SourceOptions& options) {
  try {
    open_images(options);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(OpenImages, SaysWhichKindsThereAre) {
  const TemporaryDirectory folder;
  const std::string nowhere = refusal_of({folder / "nowhere"});
  EXPECT_NE(nowhere.find("do not exist"), std::string::npos) << nowhere;
  write_bytes(folder / "model.bin", std::string("\0\1\2", 3));
  const std::string unknown = refusal_of({folder.path()});
  EXPECT_NE(unknown.find("of no kind that is known"), std::string::npos) << unknown;
  SourceOptions options{folder.path()};
  options.kind = "zip";
  const std::string kind = refusal_of(options);
  EXPECT_NE(kind.find("--data-kind is 'zip'"), std::string::npos) << kind;
  for (const char* name : {"idx", "cifar", "tar", "hdf5", "list", "folder"}) {
    EXPECT_NE(nowhere.find(std::string(name) + " ("), std::string::npos) << nowhere;
    EXPECT_NE(kind.find(std::string(name) + " ("), std::string::npos) << kind;
    EXPECT_NE(image_source_names().find(name), std::string::npos);
  }
}

TEST(OpenImages, OfAFileThatIsThereDoesNotSayThatItIsNot) {
  const TemporaryDirectory folder;
  for (const char* name : {"model.bin", "cifarlike.npz", "weights.pt"}) {
    write_bytes(folder / name, std::string("PK\3\4\0\1\2", 7));
    const std::string refusal = refusal_of({folder / name});
    EXPECT_NE(refusal.find("of no kind that is known"), std::string::npos) << refusal;
    EXPECT_EQ(refusal.find("not exist"), std::string::npos) << refusal;
    EXPECT_EQ(refusal.find("fashion-mnist"), std::string::npos) << refusal;
  }
}

TEST(OpenImages, SaysWhereTheBuiltInExampleComesFrom) {
  if (std::filesystem::exists(kDefaultDataDirectory)) GTEST_SKIP() << "the example is there";
  EXPECT_NE(refusal_of({}).find("dataset-fashion-mnist"), std::string::npos);
}

}  // namespace
}  // namespace negatron::testing
