// Chains of pointwise instructions: what is read, and what is refused.
#include "program/chain.h"

#include "program_text.h"

namespace ostrich::test {
namespace {

using core::DType;
using program::Chain;
using program::PointwiseOp;

// Chain and outputs are JSON text.
Chain read(const std::string& chain, const std::string& outputs, const std::vector<DType>& inputs) {
  const json attrs = {{"chain", json::parse(chain)}, {"outputs", json::parse(outputs)}};
  const std::vector<int> registers(inputs.size());
  return program::parse_chain({"pointwise", registers, {}, std::make_shared<const json>(attrs), "p"}, inputs);
}

std::string refused(const std::string& chain, const std::string& outputs, const std::vector<DType>& inputs) {
  try {
    read(chain, outputs, inputs);
    return "";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), "ERR_PROGRAM");
    return error.what();
  }
}

TEST(Chain, ReadsInstructionsAndLiterals) {
  const Chain chain = read(R"([["cast", "f32", 0], ["mul", "f32", 2, {"c": 0.5}], ["less", "u8", 3, 1],
                               ["where", "f32", 4, 3, {"c": 0}]])",
                           "[5, 2]", {DType::u8, DType::f32});
  EXPECT_EQ(chain.inputs, 2);
  ASSERT_EQ(chain.instructions.size(), 4u);
  EXPECT_EQ(chain.instructions[1].op, PointwiseOp::mul);
  EXPECT_TRUE(chain.instructions[1].operands[1].is_literal());
  EXPECT_EQ(chain.instructions[1].operands[1].literal, 0.5);
  EXPECT_EQ(chain.instructions[2].dtype, DType::u8);
  EXPECT_EQ(chain.instructions[3].arity, 3);
  EXPECT_EQ(chain.outputs, (std::vector<int>{5, 2}));
  EXPECT_EQ(chain.dtypes, (std::vector<DType>{DType::u8, DType::f32, DType::f32, DType::f32, DType::u8, DType::f32}));
}

TEST(Chain, KnowsFloatFromIntegerArithmetic) {
  const auto in_float = [](const std::string& instruction, const std::vector<DType>& inputs) {
    return read("[" + instruction + "]", "[0]", inputs).instructions[0].in_float;
  };
  EXPECT_TRUE(in_float(R"(["add", "bf16", 0, 1])", {DType::bf16, DType::bf16}));
  EXPECT_FALSE(in_float(R"(["add", "i32", 0, 1])", {DType::i32, DType::i32}));
  EXPECT_FALSE(in_float(R"(["add", "i32", 0, {"c": 3}])", {DType::i32}));
  EXPECT_TRUE(in_float(R"(["less", "u8", 0, {"c": 0.5}])", {DType::i32}));
  EXPECT_FALSE(in_float(R"(["less", "u8", 0, {"c": 5}])", {DType::i32}));
  // The condition of `where` does not decide.
  EXPECT_TRUE(in_float(R"(["where", "f32", 0, {"c": 1}, {"c": 0}])", {DType::u8}));
  EXPECT_FALSE(in_float(R"(["where", "i32", 0, 1, 1])", {DType::f32, DType::i32}));
}

TEST(Chain, RefusesBadInstructions) {
  struct Bad {
    const char *instruction, *expected;
  };
  for (const Bad& bad : {
           Bad{R"(["add", "f32", 0, 2])", "pointwise[p]: chain[0]: expected a register below 2, got 2"},
           Bad{R"(["add", "f32", 0, -1])", "expected a register below 2, got -1"},
           Bad{R"(["add", "f32", 0, 0.5])", "expected a register or"},
           Bad{R"(["add", "f32", 0, {"d": 1}])", "expected a register or"},
           Bad{R"(["add", "f32", 0, {"c": 1e300}])", "expected a literal of f32"},
           Bad{R"(["add", "f32", 0])", "expected 2 operands of add, got 1"},
           Bad{R"(["neg", "f32", 0, 1])", "expected 1 operands of neg, got 2"},
           Bad{R"(["conv2d", "f32", 0])", "expected a pointwise op, got \"conv2d\""},
           Bad{R"(["add", "f64", 0, 1])", "expected dtype f32, bf16, i32 or u8, got \"f64\""},
           Bad{R"(["less", "f32", 0, 1])", "expected result u8 of less, got f32"},
           Bad{R"(["add", "i32", 0, 1])", "expected a float result of add, got i32"},
           Bad{R"("add")", "expected [\"name\", dtype, operand, ...]"},
       }) {
    const std::string message = refused("[" + std::string(bad.instruction) + "]", "[0]", {DType::f32, DType::f32});
    EXPECT_HAS(message, bad.expected);
  }
  EXPECT_HAS(refused(R"([["exp", "f32", 0]])", "[0]", {DType::i32}), "expected a float operand of exp");
  EXPECT_HAS(refused("[]", "[3]", {DType::f32}), "attribute outputs: expected registers below 1, got 3");
  EXPECT_HAS(refused("[]", "[]", {DType::f32}), "expected 1 to 8 registers, got 0");
}

TEST(Chain, HoldsItsLimits) {
  const auto negations = [](size_t n) { return json(n, json::parse(R"(["neg", "f32", 0])")).dump(); };
  EXPECT_EQ(refused(negations(64), "[0]", {DType::f32}), "");
  EXPECT_HAS(refused(negations(65), "[0]", {DType::f32}), "expected a list of at most 64 instructions");
  EXPECT_EQ(refused("[]", "[0]", std::vector<DType>(24, DType::f32)), "");
  EXPECT_HAS(refused("[]", "[0]", std::vector<DType>(25, DType::f32)), "expected 0 to 24 inputs, got 25");
  EXPECT_EQ(refused("[]", "[0,0,0,0,0,0,0,0]", {DType::f32}), "");
  EXPECT_HAS(refused("[]", "[0,0,0,0,0,0,0,0,0]", {DType::f32}), "expected 1 to 8 registers, got 9");
}

}  // namespace
}  // namespace ostrich::test
