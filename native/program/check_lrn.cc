// Checks of lrn and its gradient. x [N,C,H,W] -> y of the same type.
#include <cfloat>

#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

constexpr int64_t kMaxWindow = 63;  // channels; a block of a device keeps both halves of it twice

const ValueSpec& check_common(const ProgramSpec& spec, const NodeSpec& node, size_t x_index) {
  expect_attrs(node, {"size", "alpha", "beta", "k"});
  expect_inputs(node, x_index + 1, x_index + 1);
  expect_outputs(node, 1, 1);
  const int64_t size = get_int(node, "size");
  if (size < 1 || size > kMaxWindow || size % 2 == 0) {
    fail_node(node, "attribute size: expected an odd number from 1 to ", kMaxWindow, ", got ", size);
  }
  for (const char* name : {"alpha", "beta", "k"}) {
    const double number = get_number(node, name);
    if (number < 0 || number > double(FLT_MAX)) {
      fail_node(node, "attribute ", name, ": expected a f32 of at least 0, got ", number);
    }
  }
  const double k = get_number(node, "k");
  if (float(k) == 0) fail_node(node, "attribute k: expected more than 0, got ", k);
  const ValueSpec& x = input(spec, node, x_index);
  expect_float(node, "x", x);
  expect_rank(node, "x", x, 4);
  expect_output(spec, node, 0, x);
  return x;
}

}  // namespace

void check_lrn(const ProgramSpec& spec, const NodeSpec& node) { check_common(spec, node, 0); }

void check_lrnGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_type(node, "dy", input(spec, node, 0), check_common(spec, node, 1));
}

}  // namespace ostrich::program
