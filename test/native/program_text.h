// Program text for tests: a small valid program as JSON, to be broken in one place at a time.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/error.h"
#include "program/program_spec.h"

namespace ostrich::test {

using nlohmann::json;

// A linear layer with cross-entropy, its gradient and one SGD step.
inline json training_program() {
  return json::parse(R"({
    "format": "ostrich-program", "version": 1, "name": "tiny/train",
    "feeds": [{"value": 0, "name": "x", "dtype": "u8", "shape": [4, 6]},
              {"value": 1, "name": "labels", "dtype": "i32", "shape": [4]}],
    "states": [{"value": 2, "name": "w", "dtype": "f32", "shape": [3, 6]},
               {"value": 3, "name": "b", "dtype": "f32", "shape": [3]}],
    "constants": [{"value": 4, "dtype": "f32", "shape": [], "data": [0.25]}],
    "nodes": [
      {"op": "pointwise", "in": [0], "out": [{"value": 5, "dtype": "f32", "shape": [4, 6]}],
       "attrs": {"chain": [["cast", "f32", 0], ["mul", "f32", 1, {"c": 0.00390625}]], "outputs": [2]}, "path": "scale"},
      {"op": "matmul", "in": [5, 2, 3], "out": [{"value": 6, "dtype": "f32", "shape": [4, 3]}],
       "attrs": {"transposeA": false, "transposeB": true, "activation": "none", "dtype": "f32", "sumA": false}, "path": "fc"},
      {"op": "crossEntropy", "in": [6, 1], "out": [{"value": 7, "dtype": "f32", "shape": [4]},
       {"value": 8, "dtype": "f32", "shape": [4, 2]}], "attrs": {"smoothing": 0}, "path": "loss"},
      {"op": "broadcastTo", "in": [4], "out": [{"value": 9, "dtype": "f32", "shape": [4]}], "attrs": {"shape": [4]}, "path": "loss"},
      {"op": "crossEntropyGrad", "in": [9, 6, 1, 8], "out": [{"value": 10, "dtype": "f32", "shape": [4, 3]}], "attrs": {"smoothing": 0.1}, "path": "loss"},
      {"op": "matmul", "in": [10, 5], "out": [{"value": 11, "dtype": "f32", "shape": [3, 6]}, {"value": 12, "dtype": "f32", "shape": [3]}],
       "attrs": {"transposeA": true, "transposeB": false, "activation": "none", "dtype": "f32", "sumA": true}, "path": "fc"},
      {"op": "pointwise", "in": [2, 11], "out": [{"value": 13, "dtype": "f32", "shape": [3, 6]}],
       "attrs": {"chain": [["mul", "f32", 1, {"c": 0.1}], ["sub", "f32", 0, 2]], "outputs": [3]}, "path": "sgd"},
      {"op": "sum", "in": [7], "out": [{"value": 14, "dtype": "f32", "shape": []}], "attrs": {"axes": [0], "keepDims": false}, "path": "loss"}],
    "assigns": [{"state": 2, "value": 13}, {"state": 3, "value": 12}],
    "fetches": [{"name": "loss", "value": 14}]
  })");
}

// Types as words, "f32[4,6] i32[4]", as {"dtype", "shape"} objects numbered from `first`.
inline json values(const std::string& types, int first) {
  json list = json::array();
  std::istringstream words(types);
  for (std::string word; words >> word; ++first) {
    const size_t bracket = word.find('[');
    list.push_back({{"value", first},
                    {"name", "x" + std::to_string(first)},
                    {"dtype", word.substr(0, bracket)},
                    {"shape", json::parse(word.substr(bracket))}});
  }
  return list;
}

// A program of one node over feeds of the given types; attributes are JSON text.
inline json one_node(const std::string& op, const std::string& inputs, const std::string& outputs,
                     const std::string& attrs) {
  json program = json::parse(R"({"format": "ostrich-program", "version": 1, "name": "one", "states": [],
                                 "constants": [], "nodes": [{"path": "here", "in": []}], "assigns": []})");
  program["feeds"] = values(inputs, 0);
  const int count = int(program["feeds"].size());
  json& node = program["nodes"][0];
  for (int value = 0; value < count; ++value) node["in"].push_back(value);
  node["op"] = op;
  node["out"] = values(outputs, count);
  node["attrs"] = json::parse(attrs);
  program["fetches"] = json::array();
  program["fetches"].push_back({{"name", "y"}, {"value", count}});
  return program;
}

// What `parse` says of the text; empty when it accepts it. Any other exception fails the test.
inline std::string refusal(const std::string& text) {
  try {
    program::parse(text);
    return "";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), "ERR_PROGRAM") << error.what();
    return error.what();
  }
}
inline std::string refusal(const json& program) { return refusal(program.dump()); }

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace ostrich::test
