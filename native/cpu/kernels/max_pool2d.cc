// maxPool2d and its gradient, in the layout of their input where channels lie together in it. y [N, C, OH, OW] and the
// index lie alike. Windows are the taps of a result; of a gradient, which is gathered, the windows that hold a place
// are. No result depends on the number of threads.
#include <algorithm>

#include "cpu/kernels/pool2d.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {

namespace {

using dnnl::memory;
using simd::PoolTap;

constexpr int64_t kAlone = 16384;  // elements of the result below which one thread does it all
constexpr int64_t kMaxTaps = 256;  // places of a window, by the rules of the program

// One axis of the windows.
struct Axis {
  int64_t kernel, stride, before, extent, windows;  // extent: of x
};

// What a position of the result sees along one axis: the place in the input, and its number in the window.
struct Sight {
  int64_t at, number;
  bool operator==(const Sight& other) const { return at == other.at && number == other.number; }
};
using Sights = std::vector<Sight>;

Sights sights_of_window(const Axis& axis, int64_t position) {
  Sights sights;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    const int64_t at = position * axis.stride - axis.before + k;
    if (at >= 0 && at < axis.extent) sights.push_back({at, k});
  }
  return sights;
}

Sights sights_of_place(const Axis& axis, int64_t position) {
  Sights sights;
  const int64_t place = position + axis.before;
  for (int64_t at = std::max<int64_t>(0, (place - axis.kernel) / axis.stride); at < axis.windows; ++at) {
    const int64_t number = place - at * axis.stride;
    if (number < 0) break;
    if (number < axis.kernel) sights.push_back({at, number});
  }
  return sights;
}

// Positions `first`, `first + every`, ..., whose sights are alike, each `move` further on than the one before.
struct Run {
  int64_t first, count;
  Sights sights;  // of the first one
};

class PoolAxis {
 public:
  PoolAxis(const Axis& axis, bool is_gradient)
      : every(is_gradient ? axis.stride : 1), move(is_gradient ? 1 : axis.stride) {
    const int64_t positions = is_gradient ? axis.extent : axis.windows;
    for (int64_t i = 0; i < positions; ++i)
      all.push_back(is_gradient ? sights_of_place(axis, i) : sights_of_window(axis, i));
    for (int64_t first = 0; first < std::min(every, positions); ++first) {
      for (int64_t i = first; i < positions; i += every) {
        if (i == first || !continues(runs.back(), all[size_t(i)])) {
          runs.push_back({i, 1, all[size_t(i)]});
        } else {
          ++runs.back().count;
        }
      }
    }
  }

  const int64_t every, move;
  std::vector<Sights> all;  // by position
  std::vector<Run> runs;

 private:
  bool continues(const Run& run, const Sights& sights) const {
    return std::equal(run.sights.begin(), run.sights.end(), sights.begin(), sights.end(),
                      [&](const Sight& a, const Sight& b) {
                        return Sight{a.at + run.count * move, a.number} == b;
                      });
  }
};

// Images in memory: strides of image, block of channels, row and column, and channels that lie together.
struct Images {
  explicit Images(const Slot* slot) {
    const Layout& layout = slot->layout;
    const int64_t channels = layout.padded[1];
    const bool blocked = !layout.block_size.empty();
    together = blocked ? layout.block_size[0] : layout.strides[1] == 1 ? channels : 1;
    blocks = channels / together;
    image = layout.strides[0];
    block = layout.strides[1];
    row = layout.strides[2];
    column = layout.strides[3];
  }
  int64_t together, blocks, image, block, row, column;
};

class MaxPoolStep : public Step {
 public:
  // in, index -> out for a gradient; in -> out, index (or null).
  MaxPoolStep(const program::NodeSpec& node, Slot* in, Slot* out, Slot* index, bool is_gradient)
      : is_gradient_(is_gradient),
        index_(index),
        in_(in),
        out_(out),
        kernel_width_(program::get_ints(node, "kernel", 2)[1]),
        rows_(axis(node, in, out, 0, is_gradient), is_gradient),
        columns_(axis(node, in, out, 1, is_gradient), is_gradient),
        height_(out->shape[2]) {
    reads = {in};
    writes = {out};
    if (index != nullptr) (is_gradient ? reads : writes).push_back(index);
    detail = std::string("max ") + simd::table().isa;
  }

  void run(RunContext& context) override {
    const int64_t lines = out_of().shape[0] * out_.blocks * height_;
    const int64_t elements = std::max<int64_t>(1, out_of().shape[3] * out_.together);
    parallel_for(
        context.threads, lines, std::max<int64_t>(1, kAlone / elements),
        [&](int64_t begin, int64_t end) {
          for (int64_t line = begin; line < end; ++line) run_line(line);
        },
        1);
  }

 private:
  static Axis axis(const program::NodeSpec& node, const Slot* in, const Slot* out, size_t which, bool is_gradient) {
    const Slot *x = is_gradient ? out : in, *y = is_gradient ? in : out;
    return {program::get_ints(node, "kernel", 2)[which], program::get_ints(node, "stride", 2)[which],
            program::get_ints(node, "padding", 4)[which], x->shape[which + 2], y->shape[which + 2]};
  }

  const program::Slot& out_of() const { return *writes[0]; }

  // One row of results for the channels of one block.
  void run_line(int64_t line) const {
    const int64_t row = line % height_, block = line / height_ % out_.blocks, image = line / height_ / out_.blocks;
    const int64_t out = image * out_.image + block * out_.block + row * out_.row;
    const int64_t in = image * in_.image + block * in_.block;
    PoolTap taps[kMaxTaps];
    for (const Run& run : columns_.runs) {
      int64_t count = 0;
      for (const Sight& up : rows_.all[size_t(row)]) {
        for (const Sight& across : run.sights)
          taps[count++] = {up.at * in_.row + across.at * in_.column,
                           int32_t(up.number * kernel_width_ + across.number)};
      }
      const simd::PoolSweep sweep = {
          taps, count, out_.together, run.count, columns_.every * out_.column, columns_.move * in_.column};
      sweep_row(out + run.first * out_.column, in, sweep);
    }
  }

  void sweep_row(int64_t out, int64_t in, const simd::PoolSweep& sweep) const {
    const bool narrow = out_of().dtype == core::DType::bf16;
    const size_t size = core::size_of(out_of().dtype);
    const auto kind = narrow ? simd::kBf16 : simd::kF32;
    char* to = writes[0]->data<char>() + size_t(out) * size;
    const char* from = reads[0]->data<char>() + size_t(in) * size;
    if (is_gradient_) return simd::table().max_pool_grad[kind](to, from, index_->data<uint8_t>() + in, sweep);
    uint8_t* index = index_ != nullptr ? index_->data<uint8_t>() + out : nullptr;
    simd::table().max_pool[kind](to, index, from, sweep);
  }

  const bool is_gradient_;
  const Slot* const index_;
  const Images in_, out_;
  const int64_t kernel_width_;
  const PoolAxis rows_, columns_;
  const int64_t height_;  // of the result
};

}  // namespace

std::unique_ptr<Step> make_maxPool2d(Builder& builder, const program::NodeSpec& node) {
  Slot* x = builder.input(node, 0);
  x = pool_input(builder, x, x->dtype);
  const Tag tag = channel_layout(x);
  if (tag == Tag::undef) x = builder.row_major(x);
  const core::Shape& shape = builder.shape(node, 0);
  Slot* y = builder.output(node, 0, pool_images(x->dtype, shape, tag));
  Slot* index = builder.is_used(node, 1) ? builder.output(node, 1, pool_images(core::DType::u8, shape, tag)) : nullptr;
  return std::make_unique<MaxPoolStep>(node, x, y, index, false);
}

std::unique_ptr<Step> make_maxPool2dGrad(Builder& builder, const program::NodeSpec& node) {
  Slot *dy = builder.input(node, 0), *index = builder.input(node, 1);
  const Tag tag = channel_layout(index);
  dy = builder.with_desc(dy, pool_images(dy->dtype, dy->shape, tag));
  Slot* dx = builder.output(node, 0, pool_images(dy->dtype, builder.shape(node, 0), tag));
  return std::make_unique<MaxPoolStep>(node, dy, dx, index, true);
}

}  // namespace ostrich::cpu
