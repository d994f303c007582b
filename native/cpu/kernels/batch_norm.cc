// Batch normalisation over x [N, C] or [N, C, H, W] as it lies, its gradient, and the affine map by channel. Tiles are
// summed in f32 and joined in order in double, so that results do not depend on the number of threads.
#include <cmath>

#include "cpu/kernels/norm_tiles.h"
#include "cpu/parallel.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 16384;  // elements below which one thread does it all

class TilesStep : public Step {
 public:
  TilesStep(const NodeSpec& node, Slot* x)
      : tiles_(x), shape_(x->shape), relu_(program::get_string(node, "activation") == "relu") {
    kind_ = x->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32;
    const simd::NormTile tile = tiles_.tile(0);
    grain_ = std::max<int64_t>(1, kAlone / (tile.rows * tile.width));
    detail = x->layout.to_string();
  }

 protected:
  template <class F>
  void for_tiles(RunContext& context, F&& body) const {
    parallel_for(
        context.threads, tiles_.count(), grain_,
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) body(i, tiles_.channel(i));
        },
        1);
  }
  char* at(program::Slot* slot, int64_t i) const {
    return slot->data<char>() + size_t(tiles_.offset(i)) * core::size_of(slot->dtype);
  }
  int64_t channels() const { return shape_[1]; }
  double numbers() const { return double(core::count(shape_) / shape_[1]); }
  // Floats that hold a pair for each channel of each tile.
  int64_t partials() const { return 2 * tiles_.count() * tiles_.width; }
  // Sums of pairs over the tiles of channel c, one after the other: join(first, second, rows of the tile).
  template <class F>
  void for_partials(const float* partials, int64_t c, F&& join) const {
    const int64_t width = tiles_.width, first = c / width * tiles_.per_block;
    for (int64_t i = first; i < first + tiles_.per_block; ++i) {
      const float* pair = partials + 2 * i * width + c % width;
      join(pair[0], pair[width], tiles_.tile(i).rows);
    }
  }
  void apply(RunContext& context, const float* a, const float* b, program::Slot* y, program::Slot* x,
             program::Slot* residual) const {
    const auto affine = simd::table().affine[kind_];
    for_tiles(context, [&](int64_t i, int64_t c) {
      affine(at(y, i), at(x, i), residual == nullptr ? nullptr : at(residual, i), tiles_.tile(i), a + c, b + c, relu_);
    });
  }

  const NormTiles tiles_;
  const core::Shape shape_;
  const bool relu_;
  int kind_;
  int64_t grain_;
};

// Factors of channels that are padding are 0, and so are their results.
class AffineStep : public TilesStep {
 public:
  AffineStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs, Slot* y) : TilesStep(node, inputs[0]) {
    reads.assign(inputs.begin(), inputs.end());
    writes = {y, builder.scratch(size_t(2 * tiles_.channels) * sizeof(float))};
    std::vector<program::Slot*> in_step = {reads[0]};
    if (reads.size() == 4) in_step.push_back(reads[3]);
    share_inputs(*this, y, in_step);
  }
  void run(RunContext& context) override {
    float *a = writes[1]->data<float>(), *b = a + tiles_.channels;
    std::fill(a, a + 2 * tiles_.channels, 0.0f);
    std::copy_n(reads[1]->data<float>(), channels(), a);
    std::copy_n(reads[2]->data<float>(), channels(), b);
    apply(context, a, b, writes[0], reads[0], reads.size() == 4 ? reads[3] : nullptr);
  }
};

class BatchNormStep : public TilesStep {
 public:
  BatchNormStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs, Slot* y)
      : TilesStep(node, inputs[0]), epsilon_(program::get_number(node, "epsilon")) {
    reads.assign(inputs.begin(), inputs.end());
    writes = {y, builder.output(node, 1), builder.output(node, 2),
              builder.scratch(size_t(2 * tiles_.channels + partials()) * sizeof(float))};
    std::vector<program::Slot*> in_step = {reads[0]};
    if (reads.size() == 4) in_step.push_back(reads[3]);
    share_inputs(*this, y, in_step);
  }
  void run(RunContext& context) override {
    float *a = writes[3]->data<float>(), *b = a + tiles_.channels, *partials = b + tiles_.channels;
    const auto moments = simd::table().moments[kind_];
    for_tiles(context, [&](int64_t i, int64_t) {
      float* pair = partials + 2 * i * tiles_.width;
      moments(pair, pair + tiles_.width, at(reads[0], i), tiles_.tile(i));
    });
    std::fill(a, a + 2 * tiles_.channels, 0.0f);
    for (int64_t c = 0; c < channels(); ++c) finish(c, partials, a, b);
    apply(context, a, b, writes[0], reads[0], reads.size() == 4 ? reads[3] : nullptr);
  }

 private:
  // Joins moments as Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
  void finish(int64_t c, const float* partials, float* a, float* b) const {
    double count = 0, mean = 0, squares = 0;
    for_partials(partials, c, [&](float part_mean, float part_squares, int64_t rows) {
      const double total = count + double(rows), apart = double(part_mean) - mean;
      mean += apart * double(rows) / total;
      squares += double(part_squares) + apart * apart * count * double(rows) / total;
      count = total;
    });
    const double variance = squares / count;
    const double scale = double(reads[1]->data<float>()[c]) / std::sqrt(variance + epsilon_);
    writes[1]->data<float>()[c] = float(mean);
    writes[2]->data<float>()[c] = float(variance);
    a[c] = float(scale);
    b[c] = float(double(reads[2]->data<float>()[c]) - mean * scale);
  }

  const double epsilon_;
};

// dy, x, scale, shift, mean, variance -> dx, dscale, dshift
class BatchNormGradStep : public TilesStep {
 public:
  BatchNormGradStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs, Slot* dx)
      : TilesStep(node, inputs[1]), epsilon_(program::get_number(node, "epsilon")) {
    reads.assign(inputs.begin(), inputs.end());
    writes = {dx, builder.output(node, 1), builder.output(node, 2),
              builder.scratch(size_t(6 * tiles_.channels + partials()) * sizeof(float))};
    share_inputs(*this, dx, {reads[0], reads[1]});
  }
  void run(RunContext& context) override {
    const int64_t n = tiles_.channels;
    float *mean = writes[3]->data<float>(), *a = mean + n, *b = a + n, *p = b + n, *q = p + n, *t = q + n;
    float* partials = t + n;
    std::fill(mean, partials, 0.0f);
    for (int64_t c = 0; c < channels(); ++c) {
      const double scale = double(reads[2]->data<float>()[c]) * inverse(c);
      mean[c] = reads[4]->data<float>()[c];
      a[c] = float(scale);
      b[c] = float(double(reads[3]->data<float>()[c]) - double(mean[c]) * scale);
    }
    const auto sums = simd::table().norm_grad_sums[kind_];
    const auto grad = simd::table().norm_grad[kind_];
    for_tiles(context, [&](int64_t i, int64_t c) {
      float* pair = partials + 2 * i * tiles_.width;
      sums(pair, pair + tiles_.width, at(reads[0], i), at(reads[1], i), tiles_.tile(i), {mean + c, a + c, b + c},
           relu_);
    });
    for (int64_t c = 0; c < channels(); ++c) finish(c, partials, p, q, t);
    for_tiles(context, [&](int64_t i, int64_t c) {
      grad(at(writes[0], i), at(reads[0], i), at(reads[1], i), tiles_.tile(i), {mean + c, a + c, b + c}, p + c, q + c,
           t + c, relu_);
    });
  }

 private:
  double inverse(int64_t c) const { return 1 / std::sqrt(double(reads[5]->data<float>()[c]) + epsilon_); }
  // With r = inverse and the sums of dz and of dz (x - mean): dx = scale r (dz - mean(dz) - (x - mean) r^2 mean(dz (x -
  // mean))).
  void finish(int64_t c, const float* partials, float* p, float* q, float* t) const {
    double sum = 0, product = 0;
    for_partials(partials, c, [&](float one, float two, int64_t) {
      sum += double(one);
      product += double(two);
    });
    const double r = inverse(c), slope = double(reads[2]->data<float>()[c]) * r;
    writes[1]->data<float>()[c] = float(r * product);
    writes[2]->data<float>()[c] = float(sum);
    p[c] = float(slope);
    q[c] = float(-slope * r * r * product / numbers());
    t[c] = float(-slope * sum / numbers());
  }

  const double epsilon_;
};

// x, and with it a residual or dy, in one layout; the vectors row-major.
std::vector<Slot*> inputs_of(Builder& builder, const NodeSpec& node, size_t x_index) {
  std::vector<Slot*> inputs;
  Slot* x = tiled_input(builder, builder.input(node, x_index));
  const dnnl::memory::desc desc = find_desc(x->dtype, x->layout);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Slot* slot = i == x_index ? x : builder.input(node, i);
    const bool vector = slot->shape.size() == 1;
    inputs.push_back(i == x_index ? x : vector ? builder.row_major(slot) : builder.with_desc(slot, desc));
  }
  return inputs;
}

Slot* output_like(Builder& builder, const NodeSpec& node, const Slot* x) {
  return builder.output(node, 0, find_desc(x->dtype, x->layout));
}

}  // namespace

std::unique_ptr<Step> make_batchNorm(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node, 0);
  return std::make_unique<BatchNormStep>(builder, node, inputs, output_like(builder, node, inputs[0]));
}

std::unique_ptr<Step> make_batchNormGrad(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node, 1);
  return std::make_unique<BatchNormGradStep>(builder, node, inputs, output_like(builder, node, inputs[1]));
}

std::unique_ptr<Step> make_channelAffine(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node, 0);
  return std::make_unique<AffineStep>(builder, node, inputs, output_like(builder, node, inputs[0]));
}

}  // namespace ostrich::cpu
