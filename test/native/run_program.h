// Runs a program, most often of one node, on the CPU backend through the whole native path: program text, parser,
// factories, arena, step. Values are doubles on the test's side.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/bf16.h"
#include "program/program_spec.h"

extern "C" const ostrich::backend::Plugin* ostrich_backend_plugin();

namespace ostrich::test {

using nlohmann::json;

struct Array {
  core::DType dtype;
  core::Shape shape;
  std::vector<double> values;
};

inline std::vector<char> to_bytes(const Array& array) {
  std::vector<char> bytes(array.values.size() * core::size_of(array.dtype));
  for (size_t i = 0; i < array.values.size(); ++i) {
    char* at = bytes.data() + i * core::size_of(array.dtype);
    const float real = float(array.values[i]);
    const int32_t whole = core::is_float(array.dtype) ? 0 : int32_t(array.values[i]);
    const uint16_t half = core::float_to_bf16(real);
    const uint8_t byte = uint8_t(whole);
    if (array.dtype == core::DType::f32) std::memcpy(at, &real, 4);
    if (array.dtype == core::DType::bf16) std::memcpy(at, &half, 2);
    if (array.dtype == core::DType::i32) std::memcpy(at, &whole, 4);
    if (array.dtype == core::DType::u8) std::memcpy(at, &byte, 1);
  }
  return bytes;
}

inline Array from_bytes(core::DType dtype, const core::Shape& shape, const std::vector<char>& bytes) {
  Array array{dtype, shape, {}};
  for (size_t at = 0; at < bytes.size(); at += core::size_of(dtype)) {
    float real;
    int32_t whole;
    uint16_t half;
    std::memcpy(&half, bytes.data() + at, std::min<size_t>(2, bytes.size() - at));
    if (dtype == core::DType::f32) std::memcpy(&real, bytes.data() + at, 4), array.values.push_back(real);
    if (dtype == core::DType::bf16) array.values.push_back(core::bf16_to_float(half));
    if (dtype == core::DType::i32) std::memcpy(&whole, bytes.data() + at, 4), array.values.push_back(whole);
    if (dtype == core::DType::u8) array.values.push_back(uint8_t(bytes[at]));
  }
  return array;
}

struct Output {
  core::DType dtype;
  core::Shape shape;
};

inline json declare(int value, core::DType dtype, const core::Shape& shape) {
  return {{"value", value}, {"dtype", core::name_of(dtype)}, {"shape", shape}};
}

// A program of one node that fetches every output.
inline json node_text(const std::string& op, const std::vector<Array>& inputs, const std::vector<Output>& outputs,
                      const json& attrs) {
  json text = {{"format", "ostrich-program"},
               {"version", 1},
               {"name", "test"},
               {"feeds", json::array()},
               {"states", json::array()},
               {"constants", json::array()},
               {"nodes", json::array()},
               {"assigns", json::array()},
               {"fetches", json::array()}};
  json in = json::array(), out = json::array();
  int value = 0;
  for (const Array& input : inputs) {
    json feed = declare(value, input.dtype, input.shape);
    feed["name"] = "in" + std::to_string(value);
    text["feeds"].push_back(feed);
    in.push_back(value++);
  }
  for (const Output& output : outputs) {
    text["fetches"].push_back({{"name", "out" + std::to_string(value)}, {"value", value}});
    out.push_back(declare(value++, output.dtype, output.shape));
  }
  text["nodes"].push_back({{"op", op}, {"in", in}, {"out", out}, {"attrs", attrs}, {"path", "test"}});
  return text;
}

// Feeds the inputs, runs `runs` times; `outputs` are those that the program fetches.
inline std::vector<Array> run_text(const json& text, const std::vector<Array>& inputs,
                                   const std::vector<Output>& outputs, int threads = 2, int runs = 1) {
  backend::DeviceOptions options;
  options.threads = threads;
  const auto device = ostrich_backend_plugin()->open(options);
  const auto program = device->build(program::parse(text.dump()), {});
  std::vector<std::vector<char>> feeds, fetches;
  std::vector<const void*> from;
  std::vector<void*> to;
  for (const Array& input : inputs) feeds.push_back(to_bytes(input));
  for (const Output& output : outputs)
    fetches.emplace_back(size_t(core::count(output.shape)) * core::size_of(output.dtype));
  for (const auto& feed : feeds) from.push_back(feed.data());
  for (auto& fetch : fetches) to.push_back(fetch.data());
  for (int i = 0; i < runs; ++i) program->run(from, to);
  std::vector<Array> results;
  for (size_t i = 0; i < outputs.size(); ++i)
    results.push_back(from_bytes(outputs[i].dtype, outputs[i].shape, fetches[i]));
  return results;
}

inline std::vector<Array> run_node(const std::string& op, const std::vector<Array>& inputs,
                                   const std::vector<Output>& outputs, const json& attrs, int threads = 2,
                                   int runs = 1) {
  return run_text(node_text(op, inputs, outputs, attrs), inputs, outputs, threads, runs);
}

// Deterministic values in [-1, 1), a fresh sequence per seed.
inline Array random_array(core::DType dtype, const core::Shape& shape, uint32_t seed, double scale = 1) {
  Array array{dtype, shape, std::vector<double>(size_t(core::count(shape)))};
  uint64_t state = seed * 2654435761u + 1;
  for (double& value : array.values) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    value = (double(state >> 40) / double(1 << 23) - 1) * scale;
    if (!core::is_float(dtype)) value = std::floor(std::fabs(value));
    if (dtype == core::DType::f32) value = double(float(value));
    if (dtype == core::DType::bf16) value = double(core::bf16_to_float(core::float_to_bf16(float(value))));
  }
  return array;
}

}  // namespace ostrich::test
