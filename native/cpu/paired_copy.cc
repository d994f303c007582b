#include "cpu/paired_copy.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "cpu/parallel.h"
#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu {

namespace {

constexpr int64_t kTile = simd::Bf16Table::kPairTile;

// A matrix in blocks of extent[0] x extent[1], each [extent[axis] / 2][extent[1 - axis]][2].
struct Packing {
  int axis;
  int64_t extent[2], strides[2];

  static std::optional<Packing> of(const Layout& layout) {
    if (layout.dims.size() != 2 || layout.block_axis.size() != 3) return std::nullopt;
    const int axis = layout.block_axis[0];
    if (layout.block_axis[1] == axis || layout.block_axis[2] != axis || layout.block_size[2] != 2) return std::nullopt;
    Packing packing{axis, {0, 0}, {layout.strides[0], layout.strides[1]}};
    packing.extent[axis] = layout.block_size[0] * 2;
    packing.extent[1 - axis] = layout.block_size[1];
    if (packing.extent[0] % kTile != 0 || packing.extent[1] % kTile != 0) return std::nullopt;
    return packing;
  }

  // Between neighbouring pairs along `axis`.
  int64_t row() const { return extent[1 - axis] * 2; }

  // Of the tile that begins at (i, j), multiples of kTile.
  int64_t offset(int64_t i, int64_t j) const {
    const int64_t at[2] = {i, j};
    return at[0] / extent[0] * strides[0] + at[1] / extent[1] * strides[1] +
           at[axis] % extent[axis] * extent[1 - axis] + at[1 - axis] % extent[1 - axis] * 2;
  }
};

class PairedCopyStep : public Step {
 public:
  PairedCopyStep(Slot* source, Slot* target, const Packing& from, const Packing& to)
      : source_(source), target_(target), from_(from), to_(to) {
    reads = {source};
    writes = {target};
    detail = "pairs";
  }

  // In chunks that are whole blocks of both, in the target's order.
  void run(RunContext& context) override {
    const core::Shape& padded = target_->layout.padded;
    const int outer = to_.strides[0] > to_.strides[1] ? 0 : 1, inner = 1 - outer;
    int64_t extent[2], chunks[2];
    for (int axis = 0; axis < 2; ++axis) {
      extent[axis] = std::max(from_.extent[axis], to_.extent[axis]);
      chunks[axis] = (padded[size_t(axis)] + extent[axis] - 1) / extent[axis];
    }
    parallel_for(
        context.threads, chunks[0] * chunks[1], kAlone / (extent[0] * extent[1]),
        [&](int64_t begin, int64_t end) {
          for (int64_t chunk = begin; chunk < end; ++chunk) {
            int64_t first[2], last[2];
            first[outer] = chunk / chunks[inner] * extent[outer];
            first[inner] = chunk % chunks[inner] * extent[inner];
            for (int axis = 0; axis < 2; ++axis)
              last[axis] = std::min(first[axis] + extent[axis], padded[size_t(axis)]);
            for (int64_t i = first[0]; i < last[0]; i += kTile) {
              for (int64_t j = first[1]; j < last[1]; j += kTile) copy_tile(i, j);
            }
          }
        },
        1);
  }

 private:
  static constexpr int64_t kAlone = 32768;  // elements below which one thread does it all

  // Where the source has no block, the target's is padding.
  void copy_tile(int64_t i, int64_t j) const {
    const core::Shape& padded = source_->layout.padded;
    uint16_t* to = target_->data<uint16_t>() + to_.offset(i, j);
    if (i < padded[0] && j < padded[1]) {
      const uint16_t* from = source_->data<uint16_t>() + from_.offset(i, j);
      return simd::bf16_table()->transpose_pairs(to, to_.row(), from, from_.row());
    }
    for (int64_t row = 0; row < kTile / 2; ++row) std::memset(to + row * to_.row(), 0, size_t(kTile) * 2 * sizeof(*to));
  }

  Slot *source_, *target_;
  const Packing from_, to_;
};

}  // namespace

std::unique_ptr<Step> make_paired_copy(Slot* source, Slot* target) {
  if (source->dtype != core::DType::bf16 || target->dtype != core::DType::bf16 || simd::bf16_table() == nullptr) {
    return nullptr;
  }
  const auto from = Packing::of(source->layout), to = Packing::of(target->layout);
  if (!from || !to || from->axis == to->axis) return nullptr;
  return std::make_unique<PairedCopyStep>(source, target, *from, *to);
}

}  // namespace ostrich::cpu
