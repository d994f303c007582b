// The k largest elements of each row of row-major x [..., K], in order, and their positions. NaN is the largest; of
// equals the one of the lower position comes first.
#include <algorithm>
#include <numeric>

#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kAlone = 4096;  // elements below which one thread does it all

float to_float(float x) { return x; }
float to_float(uint16_t bits) { return core::bf16_to_float(bits); }

class TopKStep : public Step {
 public:
  TopKStep(Builder& builder, const program::NodeSpec& node, Slot* x)
      : k_(program::get_int(node, "k")), extent_(x->shape.back()), rows_(core::count(x->shape) / extent_) {
    reads = {x};
    writes = {builder.output(node, 0), builder.output(node, 1),
              builder.scratch(size_t(builder.threads() * extent_) * sizeof(int32_t))};
  }
  void run(RunContext& context) override {
    reads[0]->dtype == core::DType::bf16 ? run_as<uint16_t>(context) : run_as<float>(context);
  }

 private:
  template <class T>
  void run_as(RunContext& context) {
    parallel_for(
        context.threads, rows_, std::max<int64_t>(1, kAlone / extent_),
        [&](int64_t begin, int64_t end) {
          int32_t* places = writes[2]->data<int32_t>() + own_part().id * extent_;
          for (int64_t row = begin; row < end; ++row) select<T>(row, places);
        },
        1);
  }

  template <class T>
  void select(int64_t row, int32_t* places) const {
    const T* x = reads[0]->data<T>() + row * extent_;
    std::iota(places, places + extent_, 0);
    std::partial_sort(places, places + k_, places + extent_, [x](int32_t i, int32_t j) {
      const float a = to_float(x[i]), b = to_float(x[j]);
      const bool larger = a > b || (a != a && b == b), smaller = b > a || (b != b && a == a);
      return larger || (!smaller && i < j);
    });
    for (int64_t i = 0; i < k_; ++i) writes[0]->data<T>()[row * k_ + i] = x[places[i]];
    std::copy_n(places, k_, writes[1]->data<int32_t>() + row * k_);
  }

  const int64_t k_, extent_, rows_;
};

}  // namespace

std::unique_ptr<Step> make_topK(Builder& builder, const program::NodeSpec& node) {
  return std::make_unique<TopKStep>(builder, node, builder.row_major(builder.input(node, 0)));
}

}  // namespace ostrich::cpu
