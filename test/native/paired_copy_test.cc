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

struct Form {
  Form(const Shape& shape, Tag tag, core::DType dtype = core::DType::bf16)
      : desc(shape, cpu::dnnl_type(dtype), tag), values(desc.get_size() / sizeof(uint16_t), 0xabcd) {
    storage.data = reinterpret_cast<char*>(values.data());
    slot.dtype = dtype;
    slot.shape = shape;
    slot.layout = Layout::of(desc);
    slot.storage = &storage;
  }
  Form(const Form&) = delete;

  const dnnl::memory::desc desc;
  std::vector<uint16_t> values;
  cpu::Storage storage;
  cpu::Slot slot;
};

// Blocks of [B / 2][A][2] and of [A / 2][B][2].
const Tag kColumns[] = {Tag::AB8b16a2b, Tag::AB8b32a2b, Tag::AB8b64a2b, Tag::AB16b64a2b},
          kRows[] = {Tag::BA16a16b2a, Tag::BA16a32b2a, Tag::BA16a64b2a};

void expect_copied(const Shape& shape, Tag from, Tag to, int threads) {
  Form source(shape, from), target(shape, to), expected(shape, to);
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
        expect_copied(shape, columns, rows, 2);
        expect_copied(shape, rows, columns, 1);
      }
    }
  }
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
