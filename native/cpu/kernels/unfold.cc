// unfold: windows of x [N, C, H, W] as rows [OH*OW, N, C*KH*KW]; fold: each element of x is the sum of its places in
// the rows, in f32, in the order of places. Row-major.
#include <algorithm>

#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 16384;  // elements below which one thread does it all

float to_float(float x) { return x; }
float to_float(uint16_t bits) { return core::bf16_to_float(bits); }
void store(float* y, float sum) { *y = sum; }
void store(uint16_t* y, float sum) { *y = core::float_to_bf16(sum); }

class WindowStep : public Step {
 public:
  WindowStep(const NodeSpec& node, Slot* from, Slot* to, const core::Shape& x)
      : n_(x[0]), c_(x[1]), h_(x[2]), w_(x[3]), is_bf16_(from->dtype == core::DType::bf16) {
    const auto kernel = program::get_ints(node, "kernel", 2), stride = program::get_ints(node, "stride", 2),
               padding = program::get_ints(node, "padding", 4);
    kh_ = kernel[0], kw_ = kernel[1], stride_h_ = stride[0], stride_w_ = stride[1];
    top_ = padding[0], left_ = padding[1];
    oh_ = (h_ + top_ + padding[2] - kh_) / stride_h_ + 1;
    ow_ = (w_ + left_ + padding[3] - kw_) / stride_w_ + 1;
    taps_ = kh_ * kw_;
    row_ = c_ * taps_;
    reads = {from};
    writes = {to};
  }

 protected:
  // body(tap, offset) for each tap of a place's window: its place in a row, and in a plane of x, or -1 in the padding.
  template <class F>
  void for_taps(int64_t place, F&& body) const {
    const int64_t y = place / ow_ * stride_h_ - top_, x = place % ow_ * stride_w_ - left_;
    for (int64_t kh = 0, tap = 0; kh < kh_; ++kh) {
      for (int64_t kw = 0; kw < kw_; ++kw, ++tap) {
        const bool inside = y + kh >= 0 && y + kh < h_ && x + kw >= 0 && x + kw < w_;
        body(tap, inside ? (y + kh) * w_ + x + kw : -1);
      }
    }
  }

  int64_t n_, c_, h_, w_, kh_, kw_, stride_h_, stride_w_, top_, left_, oh_, ow_, taps_, row_;
  bool is_bf16_;
};

class UnfoldStep : public WindowStep {
 public:
  using WindowStep::WindowStep;
  void run(RunContext& context) override { is_bf16_ ? run_as<uint16_t>(context) : run_as<float>(context); }

 private:
  template <class T>
  void run_as(RunContext& context) const {
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* image = reads[0]->data<T>() + i % n_ * c_ * h_ * w_;
        T* row = writes[0]->data<T>() + i * row_;
        for_taps(i / n_, [&](int64_t tap, int64_t offset) {
          for (int64_t c = 0; c < c_; ++c) row[c * taps_ + tap] = offset < 0 ? T(0) : image[c * h_ * w_ + offset];
        });
      }
    };
    parallel_for(context.threads, oh_ * ow_ * n_, std::max<int64_t>(1, kAlone / row_), some, 1);
  }
};

class FoldStep : public WindowStep {
 public:
  // Each thread sums one image at a time.
  FoldStep(Builder& builder, const NodeSpec& node, Slot* rows, Slot* x) : WindowStep(node, rows, x, x->shape) {
    writes.push_back(builder.scratch(size_t(builder.threads() * c_ * h_ * w_) * sizeof(float)));
  }
  void run(RunContext& context) override { is_bf16_ ? run_as<uint16_t>(context) : run_as<float>(context); }

 private:
  template <class T>
  void run_as(RunContext& context) const {
    const int64_t image = c_ * h_ * w_;
    const auto some = [&](int64_t begin, int64_t end) {
      float* sums = writes[1]->data<float>() + own_part().id * image;
      for (int64_t n = begin; n < end; ++n) {
        sum_windows(reads[0]->data<T>() + n * row_, sums);
        T* x = writes[0]->data<T>() + n * image;
        for (int64_t i = 0; i < image; ++i) store(x + i, sums[i]);
      }
    };
    parallel_for(context.threads, n_, std::max<int64_t>(1, kAlone / (oh_ * ow_ * row_)), some, 1);
  }

  // `row` is the image's row of the first place.
  template <class T>
  void sum_windows(const T* row, float* sums) const {
    std::fill_n(sums, c_ * h_ * w_, 0.0f);
    for (int64_t place = 0; place < oh_ * ow_; ++place, row += n_ * row_) {
      for_taps(place, [&](int64_t tap, int64_t offset) {
        if (offset < 0) return;
        for (int64_t c = 0; c < c_; ++c) sums[c * h_ * w_ + offset] += to_float(row[c * taps_ + tap]);
      });
    }
  }
};

}  // namespace

std::unique_ptr<Step> make_unfold(Builder& builder, const NodeSpec& node) {
  Slot* x = builder.row_major(builder.input(node, 0));
  return std::make_unique<UnfoldStep>(node, x, builder.output(node, 0), x->shape);
}

std::unique_ptr<Step> make_fold(Builder& builder, const NodeSpec& node) {
  Slot* rows = builder.row_major(builder.input(node, 0));
  return std::make_unique<FoldStep>(builder, node, rows, builder.output(node, 0));
}

}  // namespace ostrich::cpu
