// Checks of word2vec and word2vecTree: two tables, a block of text, and what a word is foretold among.
#include "program/check.h"
#include "program/rules.h"
#include "program/word2vec.h"

namespace ostrich::program {
namespace {

using core::DType;

void expect_between(const NodeSpec& node, const char* name, int64_t least, int64_t most) {
  const int64_t got = get_int(node, name);
  if (got < least || got > most) fail_node(node, "attribute ", name, ": expected ", least, " to ", most, ", got ", got);
}

// inputs f32 [V, D], outputs f32 [U, D], tokens i32 [N], kept f32 [V], two that differ, rate f32, seed i32 [2], step
// i32
// -> both tables, the sum of losses f32 and the number of scores f32
void check_words(const ProgramSpec& spec, const NodeSpec& node) {
  expect_inputs(node, 9, 9);
  expect_outputs(node, 4, 4);
  const ValueSpec &inputs = input(spec, node, 0), &outputs = input(spec, node, 1), &tokens = input(spec, node, 2);
  expect_dtype(node, "inputs", inputs, DType::f32);
  expect_rank(node, "inputs", inputs, 2);
  expect_dtype(node, "outputs", outputs, DType::f32);
  expect_rank(node, "outputs", outputs, 2);
  expect_shape(node, "outputs", outputs, {outputs.shape[0], inputs.shape[1]});
  expect_dtype(node, "tokens", tokens, DType::i32);
  expect_rank(node, "tokens", tokens, 1);
  for (const int64_t extent : {inputs.shape[0], outputs.shape[0], tokens.shape[0]}) {
    if (extent > kMostWords) fail_node(node, "expected at most ", kMostWords, " rows and words, got ", extent);
  }
  expect_type(node, "kept", input(spec, node, 3), {DType::f32, {inputs.shape[0]}});
  expect_type(node, "rate", input(spec, node, 6), {DType::f32, {}});
  expect_type(node, "seed", input(spec, node, 7), {DType::i32, {2}});
  expect_type(node, "step", input(spec, node, 8), {DType::i32, {}});
  const std::string& model = get_string(node, "model");
  if (model != "skipGram" && model != "cbow") {
    fail_node(node, "attribute model: expected skipGram or cbow, got ", describe(get_attr(node, "model")));
  }
  expect_between(node, "window", 1, kMostWindow);
  expect_between(node, "longest", 1, kMostSentence);
  expect_between(node, "stream", 0, UINT32_MAX);
  expect_output(spec, node, 0, inputs);
  expect_output(spec, node, 1, outputs);
  for (size_t i = 2; i < 4; ++i) expect_output(spec, node, i, {DType::f32, {}});
}

}  // namespace

// chosen f32 [V] and other i32 [V]: an alias table
void check_word2vec(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"model", "window", "negatives", "longest", "stream"});
  check_words(spec, node);
  expect_between(node, "negatives", 1, kMostNegatives);
  const ValueSpec& inputs = input(spec, node, 0);
  expect_shape(node, "outputs", input(spec, node, 1), inputs.shape);
  expect_type(node, "chosen", input(spec, node, 4), {DType::f32, {inputs.shape[0]}});
  expect_type(node, "other", input(spec, node, 5), {DType::i32, {inputs.shape[0]}});
}

// starts i32 [V + 1] and codes i32 [L]: the ways to words in a binary tree
void check_word2vecTree(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"model", "window", "longest", "stream"});
  check_words(spec, node);
  expect_type(node, "starts", input(spec, node, 4), {DType::i32, {input(spec, node, 0).shape[0] + 1}});
  const ValueSpec& codes = input(spec, node, 5);
  expect_dtype(node, "codes", codes, DType::i32);
  expect_rank(node, "codes", codes, 1);
}

}  // namespace ostrich::program
