// softmax, logSoftmax and cross-entropy over rows, by a warp for each row or by a whole block. A thread reads the same
// elements in every sweep, so that the output may lie where the input does.
#include "cuda/kernels/device.h"
#include "cuda/kernels/softmax.h"

namespace ostrich::cuda {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = kSoftmaxThreads / kWarp;

struct Larger {
  OSTRICH_DEVICE float join(float a, float b) { return a > b || a != a ? a : b; }
};
struct Plus {
  OSTRICH_DEVICE float join(float a, float b) { return a + b; }
};

// The joined value of kGroup threads, in all of them. `shared` holds one value for each warp.
template <class Op, int kGroup>
OSTRICH_DEVICE float join_group(float value, float* shared) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = Op::join(value, shuffle_xor(value, mask));
  if (kGroup == kWarp) return value;
  barrier();
  if (thread_index() % kWarp == 0) shared[thread_index() / kWarp] = value;
  barrier();
  value = shared[0];
  for (int warp = 1; warp < kWarps; ++warp) value = Op::join(value, shared[warp]);
  return value;
}

struct Row {
  float largest, sum;  // of exp(x - largest)
};

template <class Kind, int kGroup>
OSTRICH_DEVICE Row sweep(const typename Kind::Stored* x, int64_t k, int lane, float* shared) {
  float largest = -__builtin_inff(), sum = 0;
  for (int64_t i = lane; i < k; i += kGroup) largest = Larger::join(largest, Kind::load(x[i]));
  largest = join_group<Larger, kGroup>(largest, shared);
  for (int64_t i = lane; i < k; i += kGroup) sum += math::exp(Kind::load(x[i]) - largest);
  return {largest, join_group<Plus, kGroup>(sum, shared)};
}

// Calls body(row, lane, k) for every row; threads beyond the last row see k = 0 and take part in the barriers.
template <int kGroup, class Body>
OSTRICH_DEVICE void for_rows(const SoftmaxArgs& args, Body body) {
  const int groups = kSoftmaxThreads / kGroup, group = int(thread_index()) / kGroup;
  for (int64_t first = int64_t(block_x()) * groups; first < args.rows; first += int64_t(grid_x()) * groups) {
    const int64_t row = first + group;
    const bool live = row < args.rows;
    body(live ? row : 0, int(thread_index()) % kGroup, live ? args.k.divisor : 0);
  }
}

template <class Kind, int kGroup>
OSTRICH_DEVICE void softmax(const SoftmaxArgs& args, float* shared) {
  using T = typename Kind::Stored;
  for_rows<kGroup>(args, [&](int64_t row, int lane, int64_t k) {
    const T* x = static_cast<const T*>(args.x) + row * args.k.divisor;
    T* y = static_cast<T*>(args.y) + row * args.k.divisor;
    const Row of = sweep<Kind, kGroup>(x, k, lane, shared);
    const float log_sum = args.is_log ? math::log(of.sum) : 0.0f, scale = 1.0f / of.sum;
    for (int64_t i = lane; i < k; i += kGroup) {
      const float centred = Kind::load(x[i]) - of.largest;
      y[i] = Kind::store(args.is_log ? centred - log_sum : math::exp(centred) * scale);
    }
  });
}

template <class Kind, int kGroup>
OSTRICH_DEVICE void cross_entropy(const SoftmaxArgs& args, float* shared) {
  using T = typename Kind::Stored;
  for_rows<kGroup>(args, [&](int64_t row, int lane, int64_t k) {
    const T* x = static_cast<const T*>(args.x) + row * args.k.divisor;
    const Row of = sweep<Kind, kGroup>(x, k, lane, shared);
    float all = 0;  // sum of x - largest
    if (args.spread > 0) {
      for (int64_t i = lane; i < k; i += kGroup) all += Kind::load(x[i]) - of.largest;
      all = join_group<Plus, kGroup>(all, shared);
    }
    if (lane != 0 || k == 0) return;
    const float log_sum = math::log(of.sum);
    const int32_t label = args.labels[row];
    const bool good = label >= 0 && label < k;
    if (!good) report(args.fault, args.site, row, label);
    // In two parts: their sum would lose the second one beside large logits.
    args.lse[2 * row] = of.largest;
    args.lse[2 * row + 1] = log_sum;
    const float wanted = args.own * (Kind::load(x[good ? label : 0]) - of.largest);
    args.loss[row] = good ? log_sum - (args.spread > 0 ? wanted + args.spread * all : wanted) : 0.0f;
  });
}

template <class Kind>
OSTRICH_DEVICE void cross_entropy_grad(const SoftmaxArgs& args) {
  using T = typename Kind::Stored;
  const T* x = static_cast<const T*>(args.x);
  T* dx = static_cast<T*>(args.y);
  for (int64_t i = first_item(); i < args.rows * args.k.divisor; i += item_stride()) {
    const int64_t row = quotient(i, args.k), column = i - row * args.k.divisor;
    const int32_t label = args.labels[row];
    if (column == 0 && (label < 0 || label >= args.k.divisor)) report(args.fault, args.site, row, label);
    const float p = math::exp((Kind::load(x[i]) - args.lse[2 * row]) - args.lse[2 * row + 1]);
    dx[i] = Kind::store(args.dloss[row] * (p - (column == label ? args.own : 0.0f) - args.spread));
  }
}

}  // namespace

#define OSTRICH_ROWS(name, body, Kind)                                                                 \
  OSTRICH_GLOBAL_SYNC(name##_warp, SoftmaxArgs, kSoftmaxThreads) { body<Kind, kWarp>(args, nullptr); } \
  OSTRICH_GLOBAL_SYNC(name##_block, SoftmaxArgs, kSoftmaxThreads) {                                    \
    OSTRICH_SHARED(float, shared, kWarps);                                                             \
    body<Kind, kSoftmaxThreads>(args, shared);                                                         \
  }
OSTRICH_ROWS(softmax_f32, softmax, F32)
OSTRICH_ROWS(softmax_bf16, softmax, Bf16)
OSTRICH_ROWS(cross_entropy_f32, cross_entropy, F32)
OSTRICH_ROWS(cross_entropy_bf16, cross_entropy, Bf16)

OSTRICH_GLOBAL(cross_entropy_grad_f32, SoftmaxArgs, kSoftmaxThreads) { cross_entropy_grad<F32>(args); }
OSTRICH_GLOBAL(cross_entropy_grad_bf16, SoftmaxArgs, kSoftmaxThreads) { cross_entropy_grad<Bf16>(args); }

}  // namespace ostrich::cuda
