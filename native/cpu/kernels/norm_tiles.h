// Cuts x [N, C] or [N, C, H, W] into tiles of whole channels, as it lies: row-major, channels last, or in blocks of
// channels. Where tiles are cut depends on extents and layout alone.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/onednn.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {

// Whether NormTiles knows how the slot lies.
bool lies_in_tiles(const Slot* slot);
// The input in such a layout, in the type that it is computed in.
Slot* tiled_input(Builder& builder, Slot* slot);
// Outputs that may take the memory of one of `inputs`, which are read element by element in step with them.
void share_inputs(program::Step& step, program::Slot* output, const std::vector<program::Slot*>& inputs);

struct NormTiles {
  explicit NormTiles(const Slot* x);

  // Tiles of one channel, or of one block of channels, follow each other: number i is of block i / per_block.
  int64_t count() const { return blocks * per_block; }
  int64_t channel(int64_t i) const { return i / per_block * width; }
  simd::NormTile tile(int64_t i) const {
    const int64_t piece = i % per_block % pieces;
    return {std::min(rows, places - piece * rows), width, stride};
  }
  // In elements.
  int64_t offset(int64_t i) const {
    const int64_t image = i % per_block / pieces, piece = i % per_block % pieces;
    return image * image_step + i / per_block * block_step + piece * rows * stride;
  }

  int64_t channels;       // of the tensor, padding included
  int64_t blocks, width;  // channels are `blocks` times `width`
  int64_t places, rows;   // of an image, and of a tile
  int64_t pieces;         // tiles of one image in one block
  int64_t per_block;      // tiles of one block
  int64_t stride, image_step, block_step;
};

}  // namespace ostrich::cpu
