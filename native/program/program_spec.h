// A parsed and checked program: plain data, shared by all backends. FORMAT.md describes the text that it comes from.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"

namespace ostrich::program {

constexpr int kFormatVersion = 1;

struct ValueSpec {
  core::DType dtype;
  core::Shape shape;
};

struct NamedValue {
  std::string name;
  int value;
};

struct Constant {
  int value;
  std::vector<double> data;  // one number for all elements, or one each
};

struct NodeSpec {
  std::string op;
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::shared_ptr<const nlohmann::json> attrs;  // an object; read through attrs.h, without compiling all of JSON
  std::string path;
  std::string label() const { return op + "[" + path + "]"; }  // as errors name it
};

struct Assign {
  int state;  // value id of the state
  int value;
};

struct ProgramSpec {
  std::string name;
  bool tf32 = false;              // f32 products may be rounded to tf32
  std::vector<ValueSpec> values;  // by value id
  std::vector<NamedValue> feeds, states, fetches;
  std::vector<Constant> constants;
  std::vector<NodeSpec> nodes;
  std::map<int, size_t> pools;  // by value id of an index: the maxPool2d, by its place in nodes
  std::vector<Assign> assigns;
};

// Parses and checks program text; throws core::Error ERR_PROGRAM naming what was expected and what came.
ProgramSpec parse(const std::string& text);

}  // namespace ostrich::program
