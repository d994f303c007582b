// Valid programs for the fuzzers to start from: one of each native op, and some in which values are looked into,
// overwritten and carried.
#pragma once

#include <vector>

#include "program_text.h"

namespace ostrich::test {

// Pointwise nodes, views and two states, one of which becomes the other.
inline json carried_program() {
  return json::parse(R"({
    "format": "ostrich-program", "version": 1, "name": "carried",
    "feeds": [{"value": 0, "name": "x", "dtype": "f32", "shape": [4, 6]}],
    "states": [{"value": 1, "name": "a", "dtype": "f32", "shape": [4, 6]}, {"value": 2, "name": "b", "dtype": "f32", "shape": [4, 6]}],
    "constants": [{"value": 3, "dtype": "f32", "shape": [6], "data": [1, 2, 3, 4, 5, 6]}],
    "nodes": [
      {"op": "pointwise", "in": [0, 3], "out": [{"value": 4, "dtype": "f32", "shape": [4, 6]}, {"value": 5, "dtype": "f32", "shape": [4, 6]}],
       "attrs": {"chain": [["add", "f32", 0, 1], ["tanh", "f32", 2]], "outputs": [2, 3]}, "path": "both"},
      {"op": "reshape", "in": [4], "out": [{"value": 6, "dtype": "f32", "shape": [24]}], "attrs": {"shape": [24]}, "path": "flat"},
      {"op": "slice", "in": [6], "out": [{"value": 7, "dtype": "f32", "shape": [12]}], "attrs": {"start": [6], "size": [12]}, "path": "half"},
      {"op": "pointwise", "in": [1, 5], "out": [{"value": 8, "dtype": "f32", "shape": [4, 6]}],
       "attrs": {"chain": [["mul", "f32", 0, {"c": 0.5}], ["add", "f32", 2, 1]], "outputs": [3]}, "path": "average"},
      {"op": "sum", "in": [7], "out": [{"value": 9, "dtype": "f32", "shape": [1]}], "attrs": {"axes": [0], "keepDims": true}, "path": "half"},
      {"op": "reshape", "in": [9], "out": [{"value": 10, "dtype": "f32", "shape": []}], "attrs": {"shape": []}, "path": "half"}],
    "assigns": [{"state": 1, "value": 8}, {"state": 2, "value": 1}],
    "fetches": [{"name": "y", "value": 10}, {"name": "b", "value": 2}]
  })");
}

// A convolution, a pool of it with its gradient, and a state in the place of the image.
inline json image_program() {
  return json::parse(R"({
    "format": "ostrich-program", "version": 1, "name": "images",
    "feeds": [{"value": 0, "name": "w", "dtype": "f32", "shape": [8, 4, 3, 3]}],
    "states": [{"value": 1, "name": "x", "dtype": "f32", "shape": [2, 4, 6, 6]}],
    "constants": [],
    "nodes": [
      {"op": "conv2d", "in": [1, 0], "out": [{"value": 2, "dtype": "f32", "shape": [2, 8, 6, 6]}], "path": "conv", "attrs":
       {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "activation": "relu", "dtype": "f32"}},
      {"op": "maxPool2d", "in": [2], "out": [{"value": 3, "dtype": "f32", "shape": [2, 8, 3, 3]}, {"value": 4, "dtype": "u8", "shape": [2, 8, 3, 3]}],
       "attrs": {"kernel": [2, 2], "stride": [2, 2], "padding": [0, 0, 0, 0]}, "path": "pool"},
      {"op": "maxPool2dGrad", "in": [3, 4], "out": [{"value": 5, "dtype": "f32", "shape": [2, 8, 6, 6]}],
       "attrs": {"kernel": [2, 2], "stride": [2, 2], "padding": [0, 0, 0, 0], "size": [6, 6]}, "path": "pool"},
      {"op": "conv2dGradInput", "in": [5, 0], "out": [{"value": 6, "dtype": "f32", "shape": [2, 4, 6, 6]}], "path": "conv", "attrs":
       {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "size": [6, 6], "dtype": "f32"}}],
    "assigns": [{"state": 1, "value": 6}],
    "fetches": [{"name": "y", "value": 3}]
  })");
}

inline std::vector<json> fuzz_seeds() {
  const std::string conv =
      R"("stride": [2, 1], "padding": [1, 0, 1, 2], "dilation": [1, 2], "groups": 2, "dtype": "f32")";
  const std::string window = R"("kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1])";
  const std::string lrn = R"({"size": 3, "alpha": 0.1, "beta": 0.75, "k": 1})", none = "{}";
  const std::string batch = R"({"epsilon": 0.01, "activation": "relu"})", groups = R"({"groups": 2, "epsilon": 0.01})";
  return {
      training_program(),
      carried_program(),
      image_program(),
      one_node("pointwise", "f32[1,6]", "f32[1,6]", R"({"chain": [["add", "f32", 0, {"c": 1}]], "outputs": [1]})"),
      one_node("pointwise", "u8[5,1] bf16[]", "f32[5,1] i32[5,1]",
               R"({"chain": [["mul", "f32", 0, 1], ["cast", "i32", 0]], "outputs": [2, 3]})"),
      one_node("conv2d", "f32[2,4,7,8] f32[6,2,3,2] f32[6]", "f32[2,6,4,8]", "{" + conv + R"(, "activation": "relu"})"),
      one_node("conv2dGradInput", "f32[2,6,4,8] f32[6,2,3,2]", "f32[2,4,7,8]", "{" + conv + R"(, "size": [7, 8]})"),
      one_node("conv2dGradWeight", "f32[2,4,7,8] f32[2,6,4,8]", "f32[6,2,3,2] f32[6]",
               "{" + conv + R"(, "kernel": [3, 2], "sumDy": true})"),
      one_node("maxPool2d", "bf16[2,4,7,8]", "bf16[2,4,4,4] u8[2,4,4,4]", "{" + window + "}"),
      one_node("avgPool2d", "f32[2,4,7,8]", "f32[2,4,4,4]", "{" + window + R"(, "countPadding": true})"),
      one_node("avgPool2dGrad", "f32[2,4,4,4]", "f32[2,4,7,8]",
               "{" + window + R"(, "countPadding": false, "size": [7, 8]})"),
      one_node("lrn", "f32[2,8,3,3]", "f32[2,8,3,3]", lrn),
      one_node("lrnGrad", "bf16[2,8,3,3] bf16[2,8,3,3]", "bf16[2,8,3,3]", lrn),
      one_node("batchNorm", "f32[2,8,3,3] f32[8] f32[8] f32[2,8,3,3]", "f32[2,8,3,3] f32[8] f32[8]", batch),
      one_node("batchNormGrad", "bf16[2,8,3,3] bf16[2,8,3,3] f32[8] f32[8] f32[8] f32[8]",
               "bf16[2,8,3,3] f32[8] f32[8]", batch),
      one_node("channelAffine", "bf16[5,6] f32[6] f32[6]", "bf16[5,6]", R"({"activation": "relu"})"),
      one_node("groupNorm", "f32[2,4,7] f32[4] f32[4]", "f32[2,4,7] f32[2,2] f32[2,2]", groups),
      one_node("groupNormGrad", "f32[5,4] f32[5,4] f32[4] f32[5,2] f32[5,2]", "f32[5,4] f32[4] f32[4]", groups),
      one_node("cumsum", "f32[5,6]", "f32[5,6]", none),
      one_node("cumsumGrad", "bf16[5,6]", "bf16[5,6]", none),
      one_node("topK", "f32[5,6]", "f32[5,2] i32[5,2]", R"({"k": 2})"),
      one_node("unfold", "f32[2,4,7,8]", "f32[16,2,36]", "{" + window + "}"),
      one_node("fold", "f32[16,2,36]", "f32[2,4,7,8]", "{" + window + R"(, "size": [7, 8]})"),
      one_node("slice", "i32[5,6]", "i32[2,3]", R"({"start": [1, 2], "size": [2, 3]})"),
      one_node("concat", "u8[5,6] u8[5,2]", "u8[5,8]", R"({"axis": 1})"),
      one_node("pad", "f32[5,6]", "f32[6,9]", R"({"before": [1, 1], "after": [0, 2], "value": 0.5})"),
      one_node("transpose", "f32[5,6,2]", "f32[2,5,6]", R"({"perm": [2, 0, 1]})"),
      one_node("sum", "f32[5,6,2]", "f32[5,2]", R"({"axes": [1], "keepDims": false})"),
      one_node("norm", "bf16[5,6]", "f32[]", none),
      one_node("max", "i32[5,6]", "i32[5,1]", R"({"axes": [1], "keepDims": true})"),
      one_node("argmax", "f32[5,6]", "i32[5]", R"({"axis": 1})"),
      one_node("softmax", "f32[5,6]", "f32[5,6]", none),
      one_node("logSoftmax", "bf16[5,6]", "bf16[5,6]", none),
      one_node("ctc", "f32[4,3,5] i32[3,2] i32[3] i32[3]", "f32[3] f32[4,3,5]",
               R"({"blank": 1, "impossible": "infinity"})"),
      one_node("ctc", "bf16[4,3,5] i32[3,2] i32[3] i32[3]", "f32[3] f32[4,3,5]",
               R"({"blank": 4, "impossible": "error"})"),
      one_node("gather", "f32[9,3] i32[5,2]", "f32[5,2,3]", none),
      one_node("scatterAdd", "i32[5,2] f32[5,2,3]", "f32[9,3]", R"({"rows": 9})"),
      one_node("coalesce", "i32[5,2] bf16[5,2,3]", "bf16[5,2,3]", R"({"rows": 9})"),
      one_node("setRows", "f32[9,3] i32[5,2] f32[5,2,3]", "f32[9,3]", none),
      one_node("word2vec", "f32[5,3] f32[5,3] i32[9] f32[5] f32[5] i32[5] f32[] i32[2] i32[]",
               "f32[5,3] f32[5,3] f32[] f32[]",
               R"({"model": "cbow", "window": 2, "negatives": 3, "longest": 4, "stream": 1})"),
      one_node("word2vecTree", "f32[5,3] f32[4,3] i32[9] f32[5] i32[6] i32[12] f32[] i32[2] i32[]",
               "f32[5,3] f32[4,3] f32[] f32[]", R"({"model": "skipGram", "window": 2, "longest": 4, "stream": 1})"),
      one_node("lstm", "f32[3,2,16] f32[4,16] f32[2,4] f32[2,4] u8[3,2]", "f32[3,2,4] f32[3,2,4] f32[3,2,16]",
               R"({"reverse": false})"),
      one_node("lstmGrad", "f32[3,2,4] f32[3,2,16] f32[4,16] f32[3,2,4] f32[2,4] f32[3,2,4]",
               "f32[3,2,16] f32[2,4] f32[2,4]", R"({"reverse": true, "cell": true})"),
      one_node("rnn", "bf16[3,2,4] bf16[4,4] bf16[2,4]", "bf16[3,2,4]", R"({"reverse": false, "activation": "tanh"})"),
      one_node("rnnGrad", "f32[3,2,4] f32[3,2,4] f32[4,4] u8[3,2]", "f32[3,2,4] f32[2,4]",
               R"({"reverse": false, "activation": "relu"})"),
      one_node("gru", "f32[3,2,12] f32[4,12] f32[2,4] f32[12]", "f32[3,2,4] f32[3,2,16]", R"({"reverse": true})"),
      one_node("gruGrad", "f32[3,2,4] f32[3,2,16] f32[4,12] f32[3,2,4] f32[2,4]", "f32[3,2,12] f32[3,2,12] f32[2,4]",
               R"({"reverse": false})"),
      one_node("dropout", "f32[5] i32[2] i32[]", "f32[5]", R"({"rate": 0.5, "stream": 3})"),
      one_node("randomUniform", "i32[2] i32[]", "f32[5]", R"({"shape": [5], "stream": 3, "low": 0, "high": 1})"),
      one_node("randomNormal", "i32[2] i32[]", "f32[5]", R"({"shape": [5], "stream": 3, "mean": 0, "std": 1})"),
  };
}

}  // namespace ostrich::test
