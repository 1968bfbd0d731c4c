#include "import/module_tree.h"

#include <gtest/gtest.h>

namespace edgejoule::import {
namespace {

TreeOp op(std::string_view scope, std::uint64_t signature = 1, bool joins = false) {
  return {split_scope(scope), signature, joins};
}

// "a[b c[d]]" with ops by their place and modules by their name.
std::string text(const std::vector<TreeNode>& nodes) {
  std::string out;
  for (const TreeNode& node : nodes) {
    if (!out.empty()) out += ' ';
    out += node.is_op() ? std::to_string(node.op) + (node.name.empty() ? "" : ":" + node.name)
                        : node.name + "[" + text(node.children) + "]";
  }
  return out;
}

TEST(ModuleTree, GroupsContiguousOpsOfAScope) {
  const std::vector<TreeOp> ops = {op("net/a/x"), op("net/a/y"), op("net/b/z"), op("net/b/z")};
  EXPECT_EQ(text(find_modules(ops).roots), "a[0:x 1:y] b/z[2 3]");
}

TEST(ModuleTree, StripsThePrefixThatAllShare) {
  const std::vector<TreeOp> ops = {op("StatefulPartitionedCall/m/m/a/x"), op("m/m/a/y"), op("m/m/b/x"), op("m/m/b/y")};
  EXPECT_EQ(text(find_modules(ops).roots), "a[0:x 1:y] b[2:x 3:y]");
}

TEST(ModuleTree, ALayerOfOneOpIsNoModule) {
  const std::vector<TreeOp> ops = {op("net/conv"), op("net/stack/a"), op("net/stack/b")};
  EXPECT_EQ(text(find_modules(ops).roots), "0:conv stack[1:a 2:b]");
}

TEST(ModuleTree, SplitsAScopeThatIsNotContiguous) {
  const std::vector<TreeOp> ops = {op("n/a/x"), op("n/a/y"), op("n/b/x"), op("n/b/y"), op("n/a/z"), op("n/a/u")};
  const ModuleTree tree = find_modules(ops);
  EXPECT_EQ(text(tree.roots), "a[0:x 1:y] b[2:x 3:y] a[4:z 5:u]");
  EXPECT_EQ(tree.split_scopes, 1U);
}

TEST(ModuleTree, FindsRepeatedBlocksWhereNamesGiveNone) {
  const std::vector<TreeOp> ops = {op("m/c0", 9), op("m/d1", 1), op("m/c1", 2), op("m/d2", 1),
                                   op("m/c2", 2), op("m/d3", 1), op("m/c3", 2), op("m/fc", 7)};
  const ModuleTree tree = find_modules(ops);
  EXPECT_TRUE(tree.from_repeats);
  EXPECT_EQ(text(tree.roots), "0:c0 block_0[1:d1 2:c1] block_1[3:d2 4:c2] block_2[5:d3 6:c3] 7:fc");
}

TEST(ModuleTree, ABlockEndsWhereBranchesJoin) {
  // stem, then twice (conv, conv, add): starting at the stem or at the add repeats as well.
  const std::vector<TreeOp> ops = {op("", 1), op("", 1), op("", 1),       op("", 2, true),
                                   op("", 1), op("", 1), op("", 2, true), op("", 1)};
  EXPECT_EQ(text(find_modules(ops).roots), "0 block_0[1 2 3] block_1[4 5 6] 7");
}

TEST(ModuleTree, ARowOfLikeOpsIsNoBlock) {
  const std::vector<TreeOp> ops(6, op("", 4));
  const ModuleTree tree = find_modules(ops);
  EXPECT_FALSE(tree.from_repeats);
  EXPECT_EQ(text(tree.roots), "0 1 2 3 4 5");
}

TEST(ModuleTree, HoldsEveryOpOnceAndInOrder) {
  std::vector<TreeOp> ops;
  for (int i = 0; i < 500; ++i) {
    ops.push_back(
        op("n/s" + std::to_string(i % 7 / 3) + "/t" + std::to_string(i / 11 % 3), static_cast<std::uint64_t>(i % 5)));
  }
  std::vector<std::size_t> order;
  const auto walk = [&](const auto& self, const std::vector<TreeNode>& nodes) -> void {
    for (const TreeNode& node : nodes) {
      if (node.is_op()) order.push_back(node.op);
      self(self, node.children);
    }
  };
  walk(walk, find_modules(ops).roots);
  ASSERT_EQ(order.size(), ops.size());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

TEST(ModuleTree, KindFollowsTheInnermostTellingName) {
  EXPECT_EQ(module_kind_of("expanded_conv_3"), OpKind::kInvertedResidual);
  EXPECT_EQ(module_kind_of("layer_0/attention/self"), OpKind::kAttentionModule);
  EXPECT_EQ(module_kind_of("Encoder"), OpKind::kEncoder);
  EXPECT_EQ(module_kind_of("conv2d_1"), OpKind::kModule);
}

TEST(ModuleTree, EmptyListGivesEmptyTree) {
  EXPECT_TRUE(find_modules({}).roots.empty());
}

}  // namespace
}  // namespace edgejoule::import
