// Between packings of bf16 weights, as oneDNN chooses them for a product and its transpose: every element and every
// padding where an element by element copy puts them.
#include "cpu/paired_copy.h"

#include <gtest/gtest.h>

#include "cpu/cpu_buffer.h"
#include "cpu/onednn.h"
#include "cpu/simd/bf16/bf16_table.h"

namespace {

using namespace ostrich;
using core::Shape;
using cpu::Layout;
using Tag = dnnl::memory::format_tag;

Layout layout_of(const Shape& shape, Tag tag) { return Layout::of({shape, cpu::dnnl_type(core::DType::bf16), tag}); }

struct Form {
  explicit Form(const Layout& layout, core::DType dtype = core::DType::bf16)
      : values(size_t(layout.elements()), 0xabcd) {
    storage.data = reinterpret_cast<char*>(values.data());
    slot.dtype = dtype;
    slot.shape = layout.dims;
    slot.layout = layout;
    slot.storage = &storage;
  }
  Form(const Shape& shape, Tag tag, core::DType dtype = core::DType::bf16) : Form(layout_of(shape, tag), dtype) {}
  Form(const Form&) = delete;

  std::vector<uint16_t> values;
  cpu::Storage storage;
  cpu::Slot slot;
};

// Blocks of [B / 2][A][2] and of [A / 2][B][2].
const Tag kColumns[] = {Tag::AB8b16a2b, Tag::AB8b32a2b, Tag::AB8b64a2b, Tag::AB16b64a2b},
          kRows[] = {Tag::BA16a16b2a, Tag::BA16a32b2a, Tag::BA16a64b2a};

void expect_copied(const Layout& from, const Layout& to, int threads) {
  const Shape& shape = from.dims;
  Form source(from), target(to), expected(to);
  std::vector<uint16_t> plain(size_t(core::count(shape)));
  for (size_t i = 0; i < plain.size(); ++i) plain[i] = uint16_t(i * 31 + 7);
  cpu::permute(plain.data(), Layout::row_major(shape), source.values.data(), source.slot.layout, sizeof(uint16_t));
  cpu::permute(plain.data(), Layout::row_major(shape), expected.values.data(), expected.slot.layout, sizeof(uint16_t));

  const auto step = cpu::make_paired_copy(&source.slot, &target.slot);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->detail, "pairs");
  dnnl::stream stream{dnnl::engine(dnnl::engine::kind::cpu, 0)};
  cpu::RunContext context{stream, threads};
  step->run(context);
  EXPECT_EQ(target.values, expected.values)
      << source.slot.layout.to_string() << " to " << target.slot.layout.to_string();
}

TEST(PairedCopy, MovesEveryElementAndPadsWithZeros) {
  if (cpu::simd::bf16_table() == nullptr) GTEST_SKIP() << "no bf16 arithmetic";
  for (const Shape& shape :
       {Shape{1, 1}, Shape{16, 16}, Shape{64, 64}, Shape{65, 31}, Shape{200, 130}, Shape{300, 650}, Shape{650, 300}}) {
    for (const Tag columns : kColumns) {
      for (const Tag rows : kRows) {
        expect_copied(layout_of(shape, columns), layout_of(shape, rows), 2);
        expect_copied(layout_of(shape, rows), layout_of(shape, columns), 1);
      }
    }
  }
}

// OIHW as AMX convolutions choose it, which no format tag names: pairs of inputs in blocks of 48 outputs, and pairs of
// outputs in blocks of 32 inputs, the blocks of all places of the window between those of both axes.
Layout convolution_weights(const Shape& shape, int axis, int64_t other) {
  Layout layout;
  layout.dims = layout.padded = shape;
  layout.block_axis = {axis, 1 - axis, axis};
  layout.block_size = {16, other, 2};
  const int64_t block = 32 * other, blocks = shape[size_t(axis)] / 32;
  layout.strides.resize(4);
  layout.strides[size_t(axis)] = block;
  layout.strides[3] = block * blocks;
  layout.strides[2] = layout.strides[3] * shape[3];
  layout.strides[size_t(1 - axis)] = layout.strides[2] * shape[2];
  return layout;
}

TEST(PairedCopy, MovesTheWeightsOfConvolutions) {
  if (cpu::simd::bf16_table() == nullptr) GTEST_SKIP() << "no bf16 arithmetic";
  const Shape shape = {96, 64, 3, 2};
  const Layout forward = convolution_weights(shape, 1, 48), backward = convolution_weights(shape, 0, 32);
  expect_copied(forward, backward, 2);
  expect_copied(backward, forward, 1);
}

TEST(PairedCopy, LeavesOtherFormsToOneDnn) {
  const Shape shape = {128, 128};
  Form columns(shape, Tag::AB8b64a2b), rows(shape, Tag::BA16a64b2a);
  for (const Tag tag : {Tag::AB16b64a2b, Tag::ab, Tag::AB16b64a, Tag::BA16a64b4a}) {
    Form other(shape, tag);
    EXPECT_EQ(cpu::make_paired_copy(&columns.slot, &other.slot), nullptr) << other.slot.layout.to_string();
  }
  Form narrow(shape, Tag::AB8b8a2b), wide(shape, Tag::BA16a64b2a, core::DType::f32);
  EXPECT_EQ(cpu::make_paired_copy(&narrow.slot, &rows.slot), nullptr);
  EXPECT_EQ(cpu::make_paired_copy(&columns.slot, &wide.slot), nullptr);
}

}  // namespace
