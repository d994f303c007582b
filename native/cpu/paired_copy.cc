#include "cpu/paired_copy.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "cpu/parallel.h"
#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu {

namespace {

constexpr int64_t kTile = simd::Bf16Table::kPairTile;

// The first two axes in blocks of extent[0] x extent[1], each [extent[axis] / 2][extent[1 - axis]][2]; the others, of
// windows, lie outside the blocks: a matrix for each place of a window.
struct Packing {
  int axis;
  int64_t extent[2], strides[2];
  std::vector<int64_t> matrices;  // where each begins

  static std::optional<Packing> of(const Layout& layout) {
    if (layout.dims.size() < 2 || layout.block_axis.size() != 3) return std::nullopt;
    const int axis = layout.block_axis[0];
    if (axis > 1 || layout.block_axis[1] != 1 - axis || layout.block_axis[2] != axis || layout.block_size[2] != 2)
      return std::nullopt;
    Packing packing{axis, {0, 0}, {layout.strides[0], layout.strides[1]}, {}};
    packing.extent[axis] = layout.block_size[0] * 2;
    packing.extent[1 - axis] = layout.block_size[1];
    if (packing.extent[0] % kTile != 0 || packing.extent[1] % kTile != 0) return std::nullopt;
    const core::Shape window(layout.dims.begin() + 2, layout.dims.end());
    core::Shape index(layout.dims.size(), 0);
    for (int64_t place = 0; place < core::count(window); ++place) {
      int64_t rest = place;
      for (size_t i = window.size(); i-- > 0; rest /= window[i]) index[i + 2] = rest % window[i];
      packing.matrices.push_back(layout.offset(index));
    }
    return packing;
  }

  // Between neighbouring pairs along `axis`.
  int64_t row() const { return extent[1 - axis] * 2; }

  // Of the tile that begins at (i, j) of a matrix, multiples of kTile.
  int64_t offset(size_t matrix, int64_t i, int64_t j) const {
    const int64_t at[2] = {i, j};
    return matrices[matrix] + at[0] / extent[0] * strides[0] + at[1] / extent[1] * strides[1] +
           at[axis] % extent[axis] * extent[1 - axis] + at[1 - axis] % extent[1 - axis] * 2;
  }
};

class PairedCopyStep : public Step {
 public:
  PairedCopyStep(Slot* source, Slot* target, Packing from, Packing to)
      : source_(source), target_(target), from_(std::move(from)), to_(std::move(to)) {
    reads = {source};
    writes = {target};
    detail = "pairs";
    outer_ = to_.strides[0] > to_.strides[1] ? 0 : 1;
    for (int axis = 0; axis < 2; ++axis) {
      extent_[axis] = std::max(from_.extent[axis], to_.extent[axis]);
      chunks_[axis] = (target->layout.padded[size_t(axis)] + extent_[axis] - 1) / extent_[axis];
    }
  }

  // In chunks of about the blocks of both, in the target's order.
  void run(RunContext& context) override {
    const int64_t each = chunks_[0] * chunks_[1];
    parallel_for(
        context.threads, each * int64_t(to_.matrices.size()), kAlone / (extent_[0] * extent_[1]),
        [&](int64_t begin, int64_t end) {
          for (int64_t chunk = begin; chunk < end; ++chunk) copy_chunk(size_t(chunk / each), chunk % each);
        },
        1);
  }

 private:
  static constexpr int64_t kAlone = 32768;  // elements below which one thread does it all

  void copy_chunk(size_t matrix, int64_t chunk) const {
    const int inner = 1 - outer_;
    int64_t first[2], last[2];
    first[outer_] = chunk / chunks_[inner] * extent_[outer_];
    first[inner] = chunk % chunks_[inner] * extent_[inner];
    for (int axis = 0; axis < 2; ++axis)
      last[axis] = std::min(first[axis] + extent_[axis], target_->layout.padded[size_t(axis)]);
    for (int64_t i = first[0]; i < last[0]; i += kTile) {
      for (int64_t j = first[1]; j < last[1]; j += kTile) copy_tile(matrix, i, j);
    }
  }

  // Where the source has no block, the target's is padding.
  void copy_tile(size_t matrix, int64_t i, int64_t j) const {
    const core::Shape& padded = source_->layout.padded;
    uint16_t* to = target_->data<uint16_t>() + to_.offset(matrix, i, j);
    if (i < padded[0] && j < padded[1]) {
      const uint16_t* from = source_->data<uint16_t>() + from_.offset(matrix, i, j);
      return simd::bf16_table()->transpose_pairs(to, to_.row(), from, from_.row());
    }
    for (int64_t row = 0; row < kTile / 2; ++row) std::memset(to + row * to_.row(), 0, size_t(kTile) * 2 * sizeof(*to));
  }

  Slot *source_, *target_;
  const Packing from_, to_;
  int outer_;  // the axis whose blocks lie further apart in the target
  int64_t extent_[2], chunks_[2];
};

}  // namespace

std::unique_ptr<Step> make_paired_copy(Slot* source, Slot* target) {
  if (source->dtype != core::DType::bf16 || target->dtype != core::DType::bf16 || simd::bf16_table() == nullptr) {
    return nullptr;
  }
  auto from = Packing::of(source->layout), to = Packing::of(target->layout);
  if (!from || !to || from->axis == to->axis) return nullptr;
  return std::make_unique<PairedCopyStep>(source, target, std::move(*from), std::move(*to));
}

}  // namespace ostrich::cpu
