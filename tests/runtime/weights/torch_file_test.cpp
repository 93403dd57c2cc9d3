// Files that torch.save wrote, as they are and damaged.

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "runtime/matrices/matrix_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/weights/take_weights.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/support/python_script.h"

namespace negatron::testing {
namespace {

class TorchFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryDirectory;
    const ScriptEnd end = run_script("write_checkpoints.py", folder_->path().string());
    ASSERT_EQ(end.code, 0) << end.text;
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static std::string refusal(const std::string& file) {
    try {
      read_saved_weights(file);
    } catch (const WeightsError& error) {
      return error.what();
    }
    return "accepted";
  }

  static inline TemporaryDirectory* folder_ = nullptr;
};

TEST_F(TorchFiles, AreReadAsPeopleSaveThem) {
  const at::Tensor expected = at::arange(108, at::kFloat).view({4, 3, 3, 3});
  for (const char* name : {"state.pt", "checkpoint.pt", "parameters.pt", "protocol4.pt", "namespace.pt", "numpy.pt"}) {
    const SavedWeights weights = read_saved_weights(path(name));
    EXPECT_EQ(weights.size(), 9U) << name;
    ASSERT_TRUE(weights.contains("conv1.weight")) << name;
    EXPECT_TRUE(at::equal(weights.at("conv1.weight"), expected)) << name;
    EXPECT_EQ(weights.at("bn1.num_batches_tracked").scalar_type(), at::kLong) << name;
  }
  EXPECT_EQ(read_saved_weights(path("half.pt")).at("conv1.weight").scalar_type(), at::kHalf);
  EXPECT_EQ(read_saved_weights(path("bfloat16.pt")).at("conv1.weight").scalar_type(), at::kBFloat16);
  const SavedWeights views = read_saved_weights(path("views.pt"));
  EXPECT_TRUE(at::equal(views.at("part"), views.at("whole").slice(0, 2, 5).slice(1, 1, 3).t()));
}

TEST_F(TorchFiles, HoldMatricesForABank) {
  const at::Tensor queue = at::arange(12, at::kFloat).view({3, 4});
  const PosixFileLayer files;
  const auto rows = [&](const char* name, const MatrixRequest& request) {
    const auto matrix = open_matrix(files, path(name), request);
    EXPECT_EQ(matrix->held_bytes(),
              matrix->rows() * matrix->columns() * static_cast<std::int64_t>(at::elementSize(matrix->dtype())));
    EXPECT_TRUE(at::equal(matrix->read_columns(1, 2), matrix->read_rows(0, matrix->rows()).narrow(1, 1, 2)));
    return matrix->read_rows(0, matrix->rows());
  };
  EXPECT_TRUE(at::equal(rows("tensor.pt", {}), queue.t()));
  EXPECT_TRUE(at::equal(rows("beside.pt", {.name = "module.queue"}), queue));
  EXPECT_TRUE(at::equal(rows("beside.pt", {.name = "keys"}), queue.to(at::kBFloat16)));
  EXPECT_EQ(rows("moco.pt", {.name = "module.queue"}).sizes(), (std::vector<std::int64_t>{8, 4}));
  const auto refused = [&](const char* name, const MatrixRequest& request) -> std::string {
    try {
      open_matrix(files, path(name), request);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_NE(refused("beside.pt", {}).find("holds module.queue [3, 4], keys [3, 4]; --key says which one is the bank"),
            std::string::npos);
  EXPECT_NE(refused("beside.pt", {.name = "queue"}).find("has no 'queue' (--key); it holds module.queue [3, 4], keys"),
            std::string::npos);
  EXPECT_NE(refused("tensor.pt", {.most_held_bytes = 100}).find("--memory"), std::string::npos);
  EXPECT_NE(refused("old.pt", {}).find("before PyTorch 1.6"), std::string::npos);
}

TEST_F(TorchFiles, HoldEmptyAndScalarTensors) {
  const SavedWeights weights = read_saved_weights(path("odd.pt"));
  EXPECT_EQ(weights.at("empty").sizes(), (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(weights.at("scalar").item<double>(), 2.5);
  EXPECT_EQ(weights.at("flag").scalar_type(), at::kBool);
  EXPECT_EQ(weights.size(), 3U);
}

TEST_F(TorchFiles, OfOtherKindsAreRefusedInASentence) {
  const auto says = [](const std::string& name, const std::string& what) {
    const std::string text = refusal(path(name));
    EXPECT_EQ(text.find("'" + path(name) + "' "), 0U) << text;
    EXPECT_NE(text.find(what), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  };
  says("old.pt", "before PyTorch 1.6");
  says("module.pt", "what it holds is not a dict; in Python, torch.save(model.state_dict(), FILE)");
  says("list.pt", "is not a dict");
  says("sparse.pt", "no named tensors");
  says("script.pt", "--encoder script:FILE");
  EXPECT_NE(refusal(path("none.pt")).find("cannot be opened"), std::string::npos);
  EXPECT_NE(refusal(folder_->path().string()).find("is a directory"), std::string::npos);
}

// What tests the reader is not the answer but that there is one: a sentence, or weights that can be looked at.
TEST_F(TorchFiles, ThatAreDamagedNeverEndTheProcess) {
  std::ifstream file(path("checkpoint.pt"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  const std::string damaged = path("damaged.pt");
  const auto look = [&](const std::string& bytes) {
    std::ofstream(damaged, std::ios::binary) << bytes;
    try {
      for (const auto& [name, tensor] : read_saved_weights(damaged)) tensor.to(at::kDouble).sum().item<double>();
    } catch (const WeightsError&) {
      // The answer that is wanted of most.
    }
  };
  for (std::size_t length = 0; length < whole.size(); length += whole.size() / 40) look(whole.substr(0, length));
  std::srand(3);
  for (int round = 0; round < 400; ++round) {
    std::string bytes = whole;
    for (int change = 0; change < 1 + round % 8; ++change) {
      bytes[static_cast<std::size_t>(std::rand()) % bytes.size()] = static_cast<char>(std::rand());
    }
    look(bytes);
  }
}

}  // namespace
}  // namespace negatron::testing
