// Plans of pointwise chains: which outputs may take the memory of which inputs, and which chains keep the zeros of a
// padded layout.
#include "cpu/kernels/chain_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace {

using namespace ostrich;
using core::DType;
using nlohmann::json;

const DType kF32 = DType::f32;

program::NodeSpec pointwise(const json& chain, const std::vector<int>& outputs, const char* path) {
  return {"pointwise", {}, {}, std::make_shared<const json>(json{{"chain", chain}, {"outputs", outputs}}), path};
}

// w -= 0.1 v after v = 0.9 v + g, with w in bf16 besides: what may overwrite what.
TEST(ChainPlan, OffersOnlySafePairs) {
  const json steps = {{"mul", "f32", 1, {{"c", 0.9}}},
                      {"add", "f32", 3, 2},
                      {"mul", "f32", 4, {{"c", 0.1}}},
                      {"sub", "f32", 0, 5},
                      {"cast", "bf16", 6}};
  const program::NodeSpec node = pointwise(steps, {4, 6, 7}, "sgd");
  const program::Chain chain = program::parse_chain(node, {kF32, kF32, kF32});
  const std::vector<cpu::Access> access(3, cpu::Access::linear);
  const auto plan = cpu::plan_chain(chain, access, {0, 1, 2}, false, cpu::simd::table());
  const std::vector<std::pair<int, int>> expected = {{0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}};
  EXPECT_EQ(plan.in_place, expected) << "the velocity may not overwrite the weights, which are read later";
  // Inputs that look at one memory: its last read counts for both.
  const auto shared = cpu::plan_chain(chain, access, {0, 0, 2}, false, cpu::simd::table());
  for (const auto& pair : shared.in_place) EXPECT_FALSE(pair.first == 0 && pair.second == 1);
  const auto kept = cpu::plan_chain(chain, access, {-1, 1, -1}, false, cpu::simd::table());
  EXPECT_EQ(kept.in_place, (std::vector<std::pair<int, int>>{{0, 1}, {1, 1}}));
}

bool keeps_zero(const json& chain, const std::vector<int>& outputs, const std::vector<bool>& uniform) {
  const program::NodeSpec node = pointwise(chain, outputs, "zero");
  return cpu::keeps_zero(program::parse_chain(node, std::vector<DType>(uniform.size(), kF32)), uniform,
                         cpu::simd::table());
}

TEST(ChainPlan, KnowsWhichChainsKeepZeros) {
  const json adam = {{"mul", "f32", 0, 0},
                     {"sqrt", "f32", 2},
                     {"add", "f32", 3, {{"c", 1e-8}}},
                     {"div", "f32", 0, 4},
                     {"mul", "f32", 5, 1}};
  EXPECT_TRUE(keeps_zero(adam, {6}, {false, true}));
  EXPECT_TRUE(keeps_zero({{"relu", "f32", 0}, {"tanh", "f32", 1}}, {2}, {false}));
  EXPECT_TRUE(keeps_zero({{"less", "u8", 0, {{"c", 0}}}, {"where", "f32", 1, {{"c", 5}}, 0}}, {2}, {false}));
  EXPECT_FALSE(keeps_zero({{"sigmoid", "f32", 0}}, {1}, {false}));
  EXPECT_FALSE(keeps_zero({{"add", "f32", 0, 1}}, {2}, {false, true}));
  EXPECT_FALSE(keeps_zero({{"lessEqual", "u8", 0, {{"c", 0}}}}, {1}, {false}));
  EXPECT_FALSE(keeps_zero({{"mul", "f32", 1, 1}, {"sub", "f32", 0, 2}}, {3}, {false, true}));
  EXPECT_FALSE(keeps_zero({{"div", "f32", 0, 0}}, {1}, {false})) << "0 / 0";
}

}  // namespace
