// unfold: windows of x [N, C, H, W] as rows [OH*OW, N, C*KH*KW]; fold: each element of x is the sum of its places in
// the rows, in f32, in the order of the windows' taps. Row-major.
#include <algorithm>

#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/parallel.h"
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
    row_ = c_ * kh_ * kw_;
    reads = {from};
    writes = {to};
  }

 protected:
  int64_t n_, c_, h_, w_, kh_, kw_, stride_h_, stride_w_, top_, left_, oh_, ow_, row_;
  bool is_bf16_;
};

class UnfoldStep : public WindowStep {
 public:
  using WindowStep::WindowStep;
  void run(RunContext& context) override { is_bf16_ ? run_as<uint16_t>(context) : run_as<float>(context); }

 private:
  template <class T>
  void run_as(RunContext& context) const {
    const T* x = reads[0]->data<T>();
    T* rows = writes[0]->data<T>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t place = i / n_;
        copy_window(rows + i * row_, x + i % n_ * c_ * h_ * w_, place / ow_ * stride_h_ - top_,
                    place % ow_ * stride_w_ - left_);
      }
    };
    parallel_for(context.threads, oh_ * ow_ * n_, std::max<int64_t>(1, kAlone / row_), some, 1);
  }

  // The window whose first element is (y, x) of an image, zeros outside it.
  template <class T>
  void copy_window(T* row, const T* image, int64_t y, int64_t x) const {
    const int64_t first = std::clamp<int64_t>(-x, 0, kw_), last = std::clamp<int64_t>(w_ - x, first, kw_);
    for (int64_t c = 0; c < c_; ++c, image += h_ * w_) {
      for (int64_t kh = 0; kh < kh_; ++kh, row += kw_) {
        const bool inside = y + kh >= 0 && y + kh < h_;
        const T* line = image + (y + kh) * w_ + x;
        for (int64_t kw = 0; kw < kw_; ++kw) row[kw] = inside && kw >= first && kw < last ? line[kw] : T(0);
      }
    }
  }
};

class FoldStep : public WindowStep {
 public:
  using WindowStep::WindowStep;
  void run(RunContext& context) override { is_bf16_ ? run_as<uint16_t>(context) : run_as<float>(context); }

 private:
  template <class T>
  void run_as(RunContext& context) const {
    const T* rows = reads[0]->data<T>();
    T* x = writes[0]->data<T>();
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t column = i % w_, line = i / w_ % h_, plane = i / (w_ * h_);
        store(x + i, sum_taps(rows + plane / c_ * row_ + plane % c_ * kh_ * kw_, line + top_, column + left_));
      }
    };
    parallel_for(context.threads, n_ * c_ * h_ * w_, kAlone, some);
  }

  // Sum over the windows that hold element (y, x) of the padded plane; `rows` is its channel in the first of them.
  template <class T>
  float sum_taps(const T* rows, int64_t y, int64_t x) const {
    float sum = 0;
    for (int64_t kh = y % stride_h_; kh < kh_ && kh <= y; kh += stride_h_) {
      const int64_t oh = (y - kh) / stride_h_;
      if (oh >= oh_) continue;
      for (int64_t kw = x % stride_w_; kw < kw_ && kw <= x; kw += stride_w_) {
        const int64_t ow = (x - kw) / stride_w_;
        if (ow < ow_) sum += to_float(rows[(oh * ow_ + ow) * n_ * row_ + kh * kw_ + kw]);
      }
    }
    return sum;
  }
};

}  // namespace

std::unique_ptr<Step> make_unfold(Builder& builder, const NodeSpec& node) {
  Slot* x = builder.row_major(builder.input(node, 0));
  return std::make_unique<UnfoldStep>(node, x, builder.output(node, 0), x->shape);
}

std::unique_ptr<Step> make_fold(Builder& builder, const NodeSpec& node) {
  Slot* rows = builder.row_major(builder.input(node, 0));
  return std::make_unique<FoldStep>(node, rows, builder.output(node, 0), builder.shape(node, 0));
}

}  // namespace ostrich::cpu
