// The inner loops of the CPU kernels, as a table of function pointers. The .cc files of this folder are compiled once
// for each instruction set; which table a process uses is decided when it first asks. Every function runs in the
// calling thread, allocates nothing and throws nothing. The results of sums do not depend on the instruction set, but
// for the fused multiply-adds of a term's own formula.
#pragma once

#include <cstdint>

namespace ostrich::cpu::simd {

// y = f(a, b, c) over n elements. y may be a, b or c; other overlap is not allowed.
using BlockFn = void (*)(void* y, const void* a, const void* b, const void* c, int64_t n);

constexpr int kPointwiseOps = 0
#define OSTRICH_POINTWISE(name, arity) +1
#include "program/ops.def"
    ;

// Element types of rows that come in float kinds: index of the arrays below.
enum FloatKind { kF32 = 0, kBf16 = 1 };

// Where a block of draws lies in the random stream: FORMAT.md, "Random draws".
struct Draws {
  uint32_t key0, key1, stream, step;
  int64_t first;  // logical element of the block's first draw; a multiple of 4
};

// Some places of a tensor with all their channels: `rows` places, `row_stride` elements apart, each in `blocks` runs of
// `block` elements, `block_stride` apart. Neighbouring channels are `step` elements apart within the joined runs.
struct LrnTile {
  int64_t rows, row_stride, blocks, block, block_stride, step;
  // Floats that a tile of this form needs to work in, for x alone or for x and dy.
  int64_t scratch(int64_t half, int64_t inputs) const {
    return (inputs + 2) * (rows * (blocks * block + half * step) + half * step);
  }
};

struct LrnFactors {
  int64_t half;  // channels on either side
  float alpha, beta, k;
};

// Some elements of a normalised tensor: `rows` rows of `width` channels side by side, `stride` elements apart; with a
// width of 1 they are neighbours, whatever the stride.
struct NormTile {
  int64_t rows, width, stride;
};

// By channel: the mean, and what made y = a x + b.
struct NormFactors {
  const float *mean, *a, *b;
};

// A place that a window looks at, `offset` elements on; or, for a gradient, a window that looks at a place. `place` is
// the place's number in the window.
struct PoolTap {
  int64_t offset;
  int32_t place;
};

// Neighbouring positions of a result with all their channels. Each sees the same taps, from `in_step` elements further
// on than the one before.
struct PoolSweep {
  const PoolTap* taps;
  int64_t count, channels, positions, out_step, in_step;
};

// A tile of Winograd's convolutions: element (row, column, channel) of it lies at row * row_stride + column *
// column_stride + channel / block * block_stride + channel % block; rows and columns outside [begin, end) are none of
// the image's. `channels` and `block` are multiples of kLanes.
struct WinogradTile {
  static constexpr int kSize = 6, kPlaces = kSize * kSize, kLanes = 8;
  int64_t row_stride, column_stride, block_stride, block, channels;
  int64_t row_begin, row_end, column_begin, column_end;
};

// Rows of two tables, `width` floats each, that meet in a step of word2vec: every input with every output. `labels`:
// what a score's sigmoid should be. Scores outside -kFar .. kFar count as 0 or 1, or not at all where `skips`.
struct WordPairs {
  static constexpr int64_t kMost = 8, kMostOutputs = 256;
  static constexpr float kFar = 6;
  float* const* inputs;
  float* const* outputs;
  const float* labels;  // [outputs]
  int64_t input_count, output_count, width;
  float rate;
  bool skips;
};

// A block of `units` neighbouring units of all `rows` streams at one step: product and cell of recurrent networks. A
// sequence is [N, parts * H] at one step, a state [N, H]; pointers are those of the block's first unit in row 0, whose
// other parts follow H elements apart. Masked rows (mask 0) keep their state.
struct RecurrentBlock {
  int64_t rows, units, h;  // h: H, all units
  const uint8_t* mask;     // [N], or null
  const float* product;    // [N, parts, units]: what the state before gives, or the gradients of the step after
  int64_t product_stride;  // from row to row
  int64_t part_stride;     // from part to part
};

struct LstmCell : RecurrentBlock {
  const float *gates, *h_before, *c_before;
  float *activated, *out_h, *out_c;
};

// dh, dc (or null): gradients from outside; `held` and `dc_carried` [N, H] go from step to step.
struct LstmCellGrad : RecurrentBlock {
  const float *dh, *dc, *activated, *c, *c_before;
  float *dgates, *held, *dc_carried;
};

struct RnnCell : RecurrentBlock {
  const float *gates, *h_before;
  float* out_h;
  bool relu;
};

struct RnnCellGrad : RecurrentBlock {
  const float *dh, *out_h;
  float *dgates, *held;
  bool relu;
};

// activated and reserved: r, z, n and the inner part of n.
struct GruCell : RecurrentBlock {
  const float *gates, *bias, *h_before;
  float *activated, *out_h;
};

struct GruCellGrad : RecurrentBlock {
  const float *dh, *activated, *h_before;
  float *dgates, *dproducts, *held;
};

// A row of connectionist temporal classification. A state is a place among the labels: blank i, 0 .. labels, before
// label i and behind label i - 1, or label i itself. Numbers of states lie side by side, blank i at i, label i at width
// + i.
struct CtcRow {
  int64_t frames, labels, classes, width;  // frames >= 1; width: a multiple of 16 from labels + 2 on
  int32_t blank;
  // From the first label to the last, and from the last to the first, each [width]; what is beyond the labels is not
  // read.
  const int32_t* classes_of[2];
  const float* differs[2];  // [width]: 1 where label i is not as the one before it in that order, else 0
  float* values;            // log-probabilities [frames, classes], `stride` from frame to frame
  int64_t stride;
  float* sums;  // [frames, 2, width], or [2, 2, width] where they are not kept
  float* work;  // [3, 2, width]
};

constexpr int kMaxPanels = 4;

struct Table {
  const char* isa;

  // [computes in float][PointwiseOp][variant]. A register is float (f32, bf16) or int32 (i32, u8). Bit 0 of the
  // variant: the first operand (of `where`: the second) is a single element; bit 1: the next one is.
  BlockFn pointwise[2][kPointwiseOps][4];

  // Between memory and registers; reads a, writes y.
  BlockFn copy4, fill4;  // fill4: a is a single element
  BlockFn f32_from_bf16, f32_from_i32, f32_from_u8, i32_from_u8;
  BlockFn bf16_from_f32, i32_from_f32, u8_from_i32;
  BlockFn relu_bf16;    // between memory
  BlockFn round_bf16;   // f32 register holding bf16 values
  BlockFn wrap_u8;      // i32 register modulo 256
  BlockFn saturate_u8;  // f32 to an i32 register in 0..255
  BlockFn truth;        // f32 to an i32 register: 1 where not zero

  // Reductions of n contiguous elements.
  double (*sum[2])(const void* x, int64_t n);
  double (*sum_squares[2])(const void* x, int64_t n);
  float (*max[2])(const void* x, int64_t n);
  int32_t (*max_i32)(const int32_t* x, int64_t n);
  int64_t (*argmax[2])(const void* x, int64_t n);
  // Column by column over rows that start at x + offsets[r] elements: y[cols] is overwritten.
  void (*sum_rows[2])(float* y, const void* x, const int64_t* offsets, int64_t rows, int64_t cols);
  void (*max_rows[2])(float* y, const void* x, const int64_t* offsets, int64_t rows, int64_t cols);
  void (*max_rows_i32)(int32_t* y, const int32_t* x, const int64_t* offsets, int64_t rows, int64_t cols);
  // One more row for a running maximum and its row number; row 0 starts it.
  void (*argmax_row[2])(float* best, int32_t* index, const void* x, int32_t row, int64_t cols);
  void (*add_row[2])(float* y, const void* x, int64_t n);  // y += x

  // Rows of K logits.
  void (*softmax[2])(void* y, const void* x, int64_t k);
  void (*log_softmax[2])(void* y, const void* x, int64_t k);
  // In two parts, since their sum would lose the second one beside large logits: max x, and log(sum exp(x - max)).
  void (*log_sum_exp[2])(float* parts, const void* x, int64_t k);
  float (*sum_from[2])(const void* x, int64_t k, float from);  // sum of x - from
  // dx = dloss * (exp(x - log_sum_exp) - own * onehot(label) - spread)
  void (*cross_entropy_grad[2])(void* dx, const void* x, int64_t k, int64_t label, const float* parts, float dloss,
                                float own, float spread);

  // The log of the probability of a row's labels. With `keeps` the sums of all frames stay, and the second makes of
  // `values` the gradient of that, negative, by the logits.
  double (*ctc_log_likelihood)(const CtcRow& row, bool keeps);
  void (*ctc_gradient)(const CtcRow& row);

  // y = x / (k + alpha * sum of x^2 over the window)^beta, and its gradient; y and dx may be an input.
  void (*lrn[2])(void* y, const void* x, const LrnTile& tile, const LrnFactors& factors, float* scratch);
  void (*lrn_grad[2])(void* dx, const void* dy, const void* x, const LrnTile& tile, const LrnFactors& factors,
                      float* scratch);

  // By channel of a tile: the mean and the sum of the squared distances from it.
  void (*moments[2])(float* mean, float* squares, const void* x, const NormTile& tile);
  // y = a x + b, and `residual` added where it is not null; negative ones become 0 with `relu`. y may be x or residual.
  void (*affine[2])(void* y, const void* x, const void* residual, const NormTile& tile, const float* a, const float* b,
                    bool relu);
  // By channel: the sums of dz and of dz (x - mean), dz being dy where a x + b > 0 (with `relu`), else 0.
  void (*norm_grad_sums[2])(float* sum, float* product, const void* dy, const void* x, const NormTile& tile,
                            const NormFactors& factors, bool relu);
  // dx = p dz + q (x - mean) + t; dx may be dy or x.
  void (*norm_grad[2])(void* dx, const void* dy, const void* x, const NormTile& tile, const NormFactors& factors,
                       const float* p, const float* q, const float* t, bool relu);
  // A row of n features, each with a scale and a shift: y = (x - mean) inverse scale + shift, and its gradients, of
  // which those of scale and shift are added to what is there. y and dx may be an input.
  void (*norm_features[2])(void* y, const void* x, int64_t n, float mean, float inverse, const float* scale,
                           const float* shift);
  void (*norm_features_grad[2])(void* dx, float* dscale, float* dshift, const void* dy, const void* x, int64_t n,
                                float mean, float inverse, const float* scale);

  // y = the largest over a window, and its place where `index` is not null; NaN is the largest, and the first of equals
  // wins. dx = the sum of dy over the windows whose index is its place; without taps 0. An index lies as y does.
  void (*max_pool[2])(void* y, uint8_t* index, const void* x, const PoolSweep& sweep);
  void (*max_pool_grad[2])(void* dx, const void* dy, const uint8_t* index, const PoolSweep& sweep);

  // Winograd's convolutions. Transformed, place p of 36 lies at v + p * pitch, its channels side by side. Of a result
  // (results x results places, 2 or 4) only rows and columns before the tile's end are written. Weights are n runs side
  // by side for each of extent x extent places (3 or 5) that lie `step` apart; `turned`: by half a turn.
  void (*winograd_image[2])(float* v, int64_t pitch, const void* x, const WinogradTile& tile);
  void (*winograd_result[2])(void* y, const float* m, int64_t pitch, const WinogradTile& tile, int results,
                             const float* bias, bool relu);
  void (*winograd_result_gradient[2])(float* v, int64_t pitch, const void* dy, const WinogradTile& tile, int results);
  void (*winograd_weights)(float* u, int64_t pitch, const float* w, int64_t step, int extent, bool turned, int64_t n);
  void (*winograd_weights_gradient)(float* dw, int64_t step, const float* m, int64_t pitch, int extent, int64_t n);

  // Products of few rows with weights that are used many times. A panel is `lanes` columns of k rows, one row after the
  // other; columns that are not there are 0.
  int64_t lanes;
  void (*pack_panel)(float* panel, const float* w, int64_t k, int64_t columns, int64_t row_stride,
                     int64_t column_stride);
  // product [rows, panels, lanes] = a [rows, k] times 1 to kMaxPanels panels, which lie `stride` floats apart.
  void (*panel_product[kMaxPanels])(float* product, const float* a, int64_t row_stride, int64_t rows,
                                    const float* panels, int64_t stride, int64_t k);
  // The same of a [k, rows], whose rows lie `row_stride` apart, turned; added to what is there with `add`.
  void (*turned_panel_product[kMaxPanels])(float* product, const float* a, int64_t row_stride, int64_t rows,
                                           const float* panels, int64_t stride, int64_t k, bool add);
  void (*lstm_cell)(const LstmCell& cell);
  void (*lstm_cell_grad)(const LstmCellGrad& cell);
  void (*rnn_cell)(const RnnCell& cell);
  void (*rnn_cell_grad)(const RnnCellGrad& cell);
  void (*gru_cell)(const GruCell& cell);
  void (*gru_cell_grad)(const GruCellGrad& cell);

  // One step of word2vec: words around one in the middle, which is foretold by each of up to kMost of them, or by the
  // mean of any number. Rows change in place; returns the sum of the losses. `mean`: room for `width` floats.
  float (*skip_gram)(const WordPairs& pairs);
  float (*cbow)(const WordPairs& pairs, float* mean);

  // Random draws for n elements from draws.first on.
  void (*uniform)(float* y, int64_t n, const Draws& draws, float low, float high);
  void (*normal)(float* y, int64_t n, const Draws& draws, float mean, float std);
  // Keeps x * scale where the draw's upper 24 bits are at least `threshold`, else 0.
  void (*dropout[2])(void* y, const void* x, int64_t n, const Draws& draws, uint32_t threshold, float scale);
};

// The best table that this CPU runs; OSTRICH_MAX_ISA = baseline, avx2 or avx512 caps it, and so does oneDNN's
// ONEDNN_MAX_CPU_ISA.
const Table& table();
// The table of one instruction set, or null where this CPU lacks it.
const Table* table_of(const char* isa);

}  // namespace ostrich::cpu::simd
