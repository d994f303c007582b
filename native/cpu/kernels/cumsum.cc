// Running sums along the last axis of row-major x [..., K], from its start or from its end. A row is summed in double
// whatever its element type.
#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/parallel.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kAlone = 32768;  // elements below which one thread does it all

double to_double(float x) { return double(x); }
double to_double(uint16_t bits) { return double(core::bf16_to_float(bits)); }
void store(float* y, double sum) { *y = float(sum); }
void store(uint16_t* y, double sum) { *y = core::float_to_bf16(float(sum)); }

class CumsumStep : public Step {
 public:
  CumsumStep(Slot* x, Slot* y, bool from_end)
      : k_(x->shape.back()), rows_(core::count(x->shape) / k_), from_end_(from_end) {
    reads = {x};
    writes = {y};
    in_place = {{y, x}};
  }
  void run(RunContext& context) override {
    reads[0]->dtype == core::DType::bf16 ? run_as<uint16_t>(context) : run_as<float>(context);
  }

 private:
  template <class T>
  void run_as(RunContext& context) {
    const T* x = reads[0]->data<T>();
    T* y = writes[0]->data<T>();
    const auto sum_rows = [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t step = from_end_ ? -1 : 1;
        int64_t i = from_end_ ? (row + 1) * k_ - 1 : row * k_;
        double sum = 0;
        for (int64_t left = k_; left > 0; --left, i += step) store(y + i, sum += to_double(x[i]));
      }
    };
    parallel_for(context.threads, rows_, kAlone / k_, sum_rows, 1);
  }

  const int64_t k_, rows_;
  const bool from_end_;
};

std::unique_ptr<Step> make_sums(Builder& builder, const program::NodeSpec& node, bool from_end) {
  Slot* x = builder.row_major(builder.input(node, 0));
  return std::make_unique<CumsumStep>(x, builder.output(node, 0), from_end);
}

}  // namespace

std::unique_ptr<Step> make_cumsum(Builder& builder, const program::NodeSpec& node) {
  return make_sums(builder, node, false);
}

std::unique_ptr<Step> make_cumsumGrad(Builder& builder, const program::NodeSpec& node) {
  return make_sums(builder, node, true);
}

}  // namespace ostrich::cpu
