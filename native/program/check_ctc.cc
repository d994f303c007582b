// Check of ctc: labels of rows beside their frames.
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

constexpr int64_t kMostLabels = int64_t(1) << 30;  // of a row: it needs at most twice as many frames
constexpr int64_t kMostStates = int64_t(1) << 36;  // of all rows and frames, so that no number of bytes overflows

}  // namespace

// logits float [T, N, K], labels i32 [N, L], label and frame lengths i32 [N] -> loss f32 [N], gradient f32 [T, N, K]
void check_ctc(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"blank", "impossible"});
  expect_inputs(node, 4, 4);
  expect_outputs(node, 2, 2);
  const ValueSpec &logits = input(spec, node, 0), &labels = input(spec, node, 1);
  expect_float(node, "logits", logits);
  expect_rank(node, "logits", logits, 3);
  expect_dtype(node, "labels", labels, core::DType::i32);
  expect_rank(node, "labels", labels, 2);
  const int64_t frames = logits.shape[0], rows = logits.shape[1], classes = logits.shape[2];
  const ValueSpec of_rows{core::DType::i32, {rows}};
  expect_shape(node, "labels", labels, {rows, labels.shape[1]});
  expect_type(node, "label lengths", input(spec, node, 2), of_rows);
  expect_type(node, "frame lengths", input(spec, node, 3), of_rows);
  if (frames > INT32_MAX || rows > INT32_MAX || classes > INT32_MAX) {
    fail_node(node, "logits: expected extents that i32 can count, got ", describe(logits));
  }
  if (labels.shape[1] > kMostLabels || labels.shape[1] + 1 > kMostStates / (frames * rows)) {
    fail_node(node, "labels: expected at most ", kMostStates, " states of all frames, got ", describe(labels));
  }
  const int64_t blank = get_int(node, "blank");
  if (blank < 0 || blank >= classes) {
    fail_node(node, "attribute blank: expected 0 to ", classes - 1, ", got ", blank);
  }
  const std::string& impossible = get_string(node, "impossible");
  if (impossible != "error" && impossible != "infinity") {
    fail_node(node, "attribute impossible: expected error or infinity, got ", describe(get_attr(node, "impossible")));
  }
  expect_output(spec, node, 0, {core::DType::f32, {rows}});
  expect_output(spec, node, 1, {core::DType::f32, logits.shape});
}

}  // namespace ostrich::program
