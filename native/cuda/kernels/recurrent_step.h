// What the recurrent ops share: for each step of time a product by cuBLASLt, [N, K] with the weights or their
// transpose, and a cell kernel. All launches are part of the program's graph.
#pragma once

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "cuda/kernels/recurrent.h"
#include "program/attrs.h"

namespace ostrich::cuda {

class RecurrentStep : public Step {
 public:
  void run(CUstream stream) override {
    for (int64_t i = 0; i < steps_; ++i) {
      RecurrentArgs args = common_;
      args.first = is_backward_ && i == 0;
      if (!args.first) multiply(stream, left(i));
      place(i, args);
      launch(stream, cell_, args);
    }
    if (!is_backward_) return;
    RecurrentArgs args = common_;
    multiply(stream, left(steps_));
    place_first(args);
    launch(stream, first_, args);
  }

 protected:
  // w [H, parts * H] is one of the inputs, `state` one of [N, H].
  RecurrentStep(Builder& builder, const program::NodeSpec& node, const std::string& cell, size_t w, int parts)
      : is_backward_(cell.find("_grad") != std::string::npos),
        is_reverse_(program::get_bool(node, "reverse")),
        steps_(builder.shape(node, 0)[0]),
        n_(builder.shape(node, 0)[1]),
        parts_(parts) {
    for (size_t i = 0; i < node.inputs.size(); ++i) reads.push_back(builder.row_major(builder.input(node, i)));
    for (size_t i = 0; i < node.outputs.size(); ++i) writes.push_back(builder.output(node, i));
    if (reads.back()->dtype == core::DType::u8) mask_ = reads.back();
    w_ = reads[w];
    h_ = w_->shape[0];
    common_.count = n_ * h_;
    common_.units = make_divisor(h_);
    const std::string kind = w_->dtype == core::DType::bf16 ? "_bf16" : "_f32";
    cell_ = builder.kernel("recurrent", cell + kind);
    if (is_backward_) {
      first_ = builder.kernel("recurrent", "first_state_grad" + kind);
      held_ = builder.scratch(size_t(n_ * h_) * sizeof(float));
      writes.push_back(held_);
    }
    plan(builder);
    detail = cell + kind + ", " + plan_->detail();
    is_library = true;
  }

  // The left side of product i.
  virtual const char* left(int64_t i) const = 0;
  virtual void place(int64_t i, RecurrentArgs& args) const = 0;
  virtual void place_first(RecurrentArgs&) const {}

  // Step number i in the order of the loop.
  int64_t at(int64_t i) const { return is_reverse_ != is_backward_ ? steps_ - 1 - i : i; }
  // Step i of a sequence [T, N, parts * H].
  template <class T = void>
  T* step(const program::Slot* sequence, int64_t i, int64_t parts = 1) const {
    return reinterpret_cast<T*>(sequence->data<char>() +
                                size_t(at(i) * n_ * parts * h_) * core::size_of(sequence->dtype));
  }
  // The step of `all` that came before step i of a forward loop, or the first state.
  const char* before(int64_t i, const program::Slot* all, const program::Slot* first) const {
    return i == 0 ? first->data<const char>() : step<const char>(all, i - 1);
  }
  // The same for a backward loop.
  const char* earlier(int64_t i, const program::Slot* all, const program::Slot* first) const {
    return i + 1 == steps_ ? first->data<const char>() : step<const char>(all, i + 1);
  }
  const uint8_t* mask(int64_t i) const {
    return mask_ == nullptr ? nullptr : mask_->data<const uint8_t>() + at(i) * n_;
  }

  RecurrentArgs common_{};
  Slot* held_ = nullptr;

 private:
  void plan(Builder& builder) {
    GemmSpec spec;
    spec.m = n_;
    spec.k = is_backward_ ? parts_ * h_ : h_;
    spec.n = is_backward_ ? h_ : parts_ * h_;
    spec.transpose_b = is_backward_;
    spec.in = w_->dtype;
    spec.tf32 = builder.options().tf32 && spec.in == core::DType::f32;
    spec.deterministic = builder.options().deterministic;
    size_t places = 256 | size_t(spec.m * spec.k) * core::size_of(spec.in);
    for (const program::Slot* slot : reads) places |= slot->offset;
    spec.alignment = int(places & (~places + 1));
    plan_ = builder.gemm().plan(spec);
    product_ = builder.scratch(size_t(spec.m * spec.n) * sizeof(float));
    writes.push_back(product_);
    if (plan_->workspace_bytes() > 0) writes.push_back(workspace_ = builder.scratch(plan_->workspace_bytes()));
  }

  void multiply(CUstream stream, const void* a) const {
    const GemmPointers pointers{a, w_->data<void>(), nullptr, product_->data<void>(), nullptr};
    plan_->run(stream, pointers, workspace_ == nullptr ? nullptr : workspace_->data<void>());
  }

  void launch(CUstream stream, const Kernel& kernel, RecurrentArgs& args) const {
    args.product = product_->data<const float>();
    if (held_ != nullptr) args.held = held_->data<float>();
    kernel.launch(stream, grid_for(args.count), kThreads, args);
  }

  const bool is_backward_, is_reverse_;
  const int64_t steps_, n_, parts_;
  int64_t h_ = 0;
  Slot *product_ = nullptr, *workspace_ = nullptr;
  program::Slot *w_ = nullptr, *mask_ = nullptr;
  Kernel cell_, first_;
  std::unique_ptr<GemmPlan> plan_;
};

}  // namespace ostrich::cuda
