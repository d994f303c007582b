// Checks of matmul, and of rows of tables: gather, scatterAdd, coalesce, setRows.
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

void expect_activation(const NodeSpec& node) {
  const std::string& name = get_string(node, "activation");
  if (name != "none" && name != "relu" && name != "tanh" && name != "sigmoid") {
    fail_node(node, "attribute activation: expected none, relu, tanh or sigmoid, got ",
              describe(get_attr(node, "activation")));
  }
}

// Batch extents of both are equal, or b has rank 2 and is shared.
void expect_batch(const NodeSpec& node, const ValueSpec& a, const ValueSpec& b) {
  if (a.shape.size() < 2) fail_node(node, "a: expected rank 2 or more, got ", describe(a));
  if (b.shape.size() == 2) return;
  bool good = a.shape.size() == b.shape.size();
  for (size_t axis = 0; good && axis + 2 < a.shape.size(); ++axis) good = a.shape[axis] == b.shape[axis];
  if (!good) fail_node(node, "b: expected rank 2 or the batch extents of ", describe(a), ", got ", describe(b));
}

}  // namespace

// a [..., M, K], b [..., K, N], bias f32 [N] -> [..., M, N], with sumA also f32 [M]
void check_matmul(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"transposeA", "transposeB", "activation", "dtype", "sumA"});
  const bool sum_a = get_bool(node, "sumA");
  expect_inputs(node, 2, sum_a ? 2 : 3);
  expect_outputs(node, sum_a ? 2 : 1, sum_a ? 2 : 1);
  expect_activation(node);
  const ValueSpec &a = input(spec, node, 0), &b = input(spec, node, 1);
  expect_float(node, "a", a);
  expect_dtype(node, "b", b, a.dtype);
  expect_batch(node, a, b);
  const size_t rank = a.shape.size(), rank_b = b.shape.size();
  const bool transpose_a = get_bool(node, "transposeA"), transpose_b = get_bool(node, "transposeB");
  if (sum_a) {
    expect_rank(node, "a (with sumA)", a, 2);
    expect_rank(node, "b (with sumA)", b, 2);
    const bool weight_gradient = transpose_a && !transpose_b && get_string(node, "activation") == "none";
    if (!weight_gradient)
      fail_node(node, "sumA: expected transposeA, no transposeB and no activation, got another product");
  }
  const int64_t m = a.shape[rank - (transpose_a ? 1 : 2)], k = a.shape[rank - (transpose_a ? 2 : 1)];
  const int64_t n = b.shape[rank_b - (transpose_b ? 2 : 1)], k_b = b.shape[rank_b - (transpose_b ? 1 : 2)];
  if (k != k_b) fail_node(node, "expected equal inner extents, got ", describe(a), " and ", describe(b));
  if (node.inputs.size() == 3) expect_type(node, "bias", input(spec, node, 2), {core::DType::f32, {n}});

  ValueSpec product{get_dtype(node, "dtype"), a.shape};
  expect_float(node, "attribute dtype", product);
  product.shape[rank - 2] = m;
  product.shape[rank - 1] = n;
  expect_output(spec, node, 0, product);
  if (sum_a) expect_output(spec, node, 1, {core::DType::f32, {m}});
}

// table [V, D], index i32 [...] -> [..., D]
void check_gather(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {});
  expect_inputs(node, 2, 2);
  expect_outputs(node, 1, 1);
  const ValueSpec &table = input(spec, node, 0), &index = input(spec, node, 1);
  expect_float(node, "table", table);
  expect_rank(node, "table", table, 2);
  expect_dtype(node, "index", index, core::DType::i32);
  ValueSpec rows{table.dtype, index.shape};
  rows.shape.push_back(table.shape[1]);
  expect_output(spec, node, 0, rows);
}

namespace {

// index i32 [...] and a row for each [..., D]. Gives D.
int64_t expect_rows(const NodeSpec& node, const ValueSpec& index, const char* what, const ValueSpec& rows) {
  expect_dtype(node, "index", index, core::DType::i32);
  expect_float(node, what, rows);
  if (rows.shape.empty()) fail_node(node, what, ": expected rank 1 or more, got ", describe(rows));
  core::Shape shape = index.shape;
  shape.push_back(rows.shape.back());
  expect_shape(node, what, rows, shape);
  return rows.shape.back();
}

}  // namespace

// index i32 [...], updates [..., D] -> [V, D]
void check_scatterAdd(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"rows"});
  expect_inputs(node, 2, 2);
  expect_outputs(node, 1, 1);
  const ValueSpec& updates = input(spec, node, 1);
  const int64_t columns = expect_rows(node, input(spec, node, 0), "updates", updates);
  expect_output(spec, node, 0, {updates.dtype, {get_size(node, "rows", 1), columns}});
}

// index i32 [...], updates [..., D] -> [..., D]
void check_coalesce(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"rows"});
  expect_inputs(node, 2, 2);
  expect_outputs(node, 1, 1);
  get_size(node, "rows", 1);
  const ValueSpec& updates = input(spec, node, 1);
  expect_rows(node, input(spec, node, 0), "updates", updates);
  expect_output(spec, node, 0, updates);
}

// table [V, D], index i32 [...], rows [..., D] -> [V, D]
void check_setRows(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {});
  expect_inputs(node, 3, 3);
  expect_outputs(node, 1, 1);
  const ValueSpec &table = input(spec, node, 0), &index = input(spec, node, 1), &rows = input(spec, node, 2);
  expect_float(node, "table", table);
  expect_rank(node, "table", table, 2);
  expect_rows(node, index, "rows", rows);
  core::Shape shape = index.shape;
  shape.push_back(table.shape[1]);
  expect_type(node, "rows", rows, {table.dtype, shape});
  expect_output(spec, node, 0, table);
}

}  // namespace ostrich::program
