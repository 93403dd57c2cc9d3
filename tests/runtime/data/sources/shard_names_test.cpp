#include "runtime/data/sources/shard_names.h"

#include <gtest/gtest.h>

#include "runtime/data/data_error.h"
#include "tests/runtime/data/sources/idx_bytes.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

TEST(ShardNames, BracesAreRangesAndLists) {
  using List = std::vector<std::string>;
  EXPECT_EQ(expand_braces("a-{08..10}.tar"), (List{"a-08.tar", "a-09.tar", "a-10.tar"}));
  EXPECT_EQ(expand_braces("{x,y}-{0..1}"), (List{"x-0", "x-1", "y-0", "y-1"}));
  EXPECT_EQ(expand_braces("plain"), List{"plain"});
  EXPECT_EQ(expand_braces("{one}{"), List{"{one}{"});
  EXPECT_EQ(expand_braces("{3..1}"), List{"{3..1}"});
  EXPECT_THROW(expand_braces("{0..9999999}"), DataError);
  EXPECT_THROW(expand_braces("{0..99999}{0..99999}"), DataError);
}

TEST(ShardNames, AreThoseOfAFolderAFileOrAPattern) {
  const TemporaryDirectory folder;
  for (const char* name : {"b.tar", "a.tar", "a.tar.index", ".c.tar"}) write_bytes(folder / name, "x");
  using Paths = std::vector<std::filesystem::path>;
  const Paths both = {folder / "a.tar", folder / "b.tar"};
  EXPECT_EQ(shard_paths(folder.path()), both);
  EXPECT_EQ(shard_paths(folder / "*.tar"), both);
  EXPECT_EQ(shard_paths(folder / "{b,a}.tar"), (Paths{folder / "b.tar", folder / "a.tar"}));
  EXPECT_EQ(shard_paths(folder / "a.tar"), Paths{folder / "a.tar"});
  EXPECT_TRUE(shard_paths(folder / "a.tar.index").empty());
  EXPECT_TRUE(shard_paths(folder / "nowhere.tar").empty());
  EXPECT_TRUE(shard_paths(folder / "nowhere").empty());
}

}  // namespace
}  // namespace negatron::testing
