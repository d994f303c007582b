// Checks of what draws from Philox: dropout, randomUniform, randomNormal. seed i32 [2], step i32 [].
#include <cfloat>
#include <cmath>

#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

void check_draw(const ProgramSpec& spec, const NodeSpec& node, size_t first) {
  expect_inputs(node, first + 2, first + 2);
  expect_outputs(node, 1, 1);
  expect_type(node, "seed", input(spec, node, first), {core::DType::i32, {2}});
  expect_type(node, "step", input(spec, node, first + 1), {core::DType::i32, {}});
  const int64_t stream = get_int(node, "stream");
  if (stream < 0 || stream > int64_t(UINT32_MAX)) {
    fail_node(node, "attribute stream: expected an integer from 0 to ", UINT32_MAX, ", got ", stream);
  }
}

void expect_f32(const NodeSpec& node, const char* name) {
  const double number = get_number(node, name);
  if (std::abs(number) > double(FLT_MAX)) fail_node(node, "attribute ", name, ": expected a f32, got ", number);
}

}  // namespace

void check_dropout(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"rate", "stream"});
  check_draw(spec, node, 1);
  const double rate = get_number(node, "rate");
  if (rate < 0 || float(rate) >= 1) fail_node(node, "attribute rate: expected 0 <= rate < 1, got ", rate);
  const ValueSpec& x = input(spec, node, 0);
  expect_float(node, "x", x);
  expect_output(spec, node, 0, x);
}

void check_randomUniform(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"shape", "stream", "low", "high"});
  check_draw(spec, node, 0);
  for (const char* name : {"low", "high"}) expect_f32(node, name);
  const double low = get_number(node, "low"), high = get_number(node, "high");
  if (low > high) fail_node(node, "expected high of at least ", low, ", got ", high);
  if (high - low > double(FLT_MAX)) fail_node(node, "expected a f32 for high - low, got ", high - low);
  expect_output(spec, node, 0, {core::DType::f32, get_ints(node, "shape")});
}

void check_randomNormal(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"shape", "stream", "mean", "std"});
  check_draw(spec, node, 0);
  for (const char* name : {"mean", "std"}) expect_f32(node, name);
  const double std = get_number(node, "std");
  if (std < 0) fail_node(node, "expected std of at least 0, got ", std);
  expect_output(spec, node, 0, {core::DType::f32, get_ints(node, "shape")});
}

}  // namespace ostrich::program
