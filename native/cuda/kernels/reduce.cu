// sum, norm, max, argmax. Which elements a thread adds up, and in which order, depends on the extents alone.
#include "cuda/kernels/device.h"
#include "cuda/kernels/reduce.h"
#include "math/pointwise.h"

namespace ostrich::cuda {
namespace {

struct I32 {
  using Stored = int32_t;
  OSTRICH_DEVICE int32_t load(int32_t x) { return x; }
};

struct Sum {
  using Value = float;
  OSTRICH_DEVICE float start() { return 0; }
  OSTRICH_DEVICE float join(float a, float b) { return a + b; }
};

struct Max {
  using Value = float;
  OSTRICH_DEVICE float start() { return -__builtin_inff(); }
  OSTRICH_DEVICE float join(float a, float b) { return math::pointwise::maximum(a, b); }
};

struct MaxI32 {
  using Value = int32_t;
  OSTRICH_DEVICE int32_t start() { return int32_t(0x80000000u); }
  OSTRICH_DEVICE int32_t join(int32_t a, int32_t b) { return math::pointwise::maximum(a, b); }
};

// The first of equal maxima; NaN is the largest.
struct Candidate {
  float value;
  int32_t index;
};
OSTRICH_DEVICE Candidate better(Candidate a, Candidate b) {
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  const bool same = a.value == b.value || (a_nan && b_nan);
  const bool b_wins = same ? b.index < a.index : b_nan || (!a_nan && b.value > a.value);
  return b_wins ? b : a;
}

OSTRICH_DEVICE void store(const ReduceArgs& args, int64_t at, float value) {
  if (args.narrow) {
    static_cast<uint16_t*>(args.y)[at] = math::float_to_bf16(value);
  } else {
    static_cast<float*>(args.y)[at] = value;
  }
}
OSTRICH_DEVICE void store(const ReduceArgs& args, int64_t at, int32_t value) {
  static_cast<int32_t*>(args.y)[at] = value;
}

OSTRICH_DEVICE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

constexpr int kAhead = 8;  // loads under way together: a sum waits for each of its terms in turn

// Elements [begin, end) of one output, in order.
template <class Op, class Kind>
OSTRICH_DEVICE typename Op::Value column(const ReduceArgs& args, int64_t base, int64_t begin, int64_t end) {
  using Stored = typename Kind::Stored;
  using Value = typename Op::Value;
  const auto* x = static_cast<const Stored*>(args.x) + base;
  Value total = Op::start();
  int64_t r = begin;
  if (args.reduced.axes == 1) {
    const int64_t stride = args.reduced.strides[0];
    for (; r + kAhead <= end; r += kAhead) {
      Stored ahead[kAhead];
      for (int k = 0; k < kAhead; ++k) ahead[k] = x[(r + k) * stride];
      for (int k = 0; k < kAhead; ++k) total = Op::join(total, Value(Kind::load(ahead[k])));
    }
  }
  for (; r < end; ++r) total = Op::join(total, Value(Kind::load(x[offset_of(args.reduced, r)])));
  return total;
}

// A thread for each output and split, for neighbours in memory that are different outputs.
template <class Op, class Kind>
OSTRICH_DEVICE void columns(const ReduceArgs& args) {
  for (int64_t item = first_item(); item < args.outputs * args.splits; item += item_stride()) {
    const int64_t split = item / args.outputs, output = item - split * args.outputs;
    const int64_t begin = split * args.part, end = smaller(args.length, begin + args.part);
    store(args, item, column<Op, Kind>(args, offset_of(args.kept, output), begin, end));
  }
}

// A block for each output and split, for neighbours in memory that belong to one output.
template <class Op, class Kind>
OSTRICH_DEVICE void rows(const ReduceArgs& args, typename Op::Value* shared) {
  using Value = typename Op::Value;
  const auto* x = static_cast<const typename Kind::Stored*>(args.x);
  const int64_t item = block_x(), split = item / args.outputs, output = item - split * args.outputs;
  const int64_t base = offset_of(args.kept, output), end = smaller(args.length, (split + 1) * args.part);
  Value total = Op::start();
  for (int64_t r = split * args.part + thread_index(); r < end; r += kReduceThreads) {
    total = Op::join(total, Value(Kind::load(x[base + offset_of(args.reduced, r)])));
  }
  const int thread = int(thread_index());
  shared[thread] = total;
  barrier();
  for (int half = kReduceThreads / 2; half > 0; half /= 2) {
    if (thread < half) shared[thread] = Op::join(shared[thread], shared[thread + half]);
    barrier();
  }
  if (thread == 0) store(args, item, shared[0]);
}

// What a thread adds up of a norm: squares in f32, or again in f64 where f32 does not hold their sum; NaN stays.
template <class Kind>
struct Squares {
  OSTRICH_DEVICE double sum(const ReduceArgs& args, int64_t begin, int64_t end) {
    const auto* x = static_cast<const typename Kind::Stored*>(args.x);
    float total = 0;
    for (int64_t r = begin; r < end; r += kReduceThreads) {
      const float value = Kind::load(x[offset_of(args.reduced, r)]);
      total += value * value;
    }
    if (total < __builtin_inff()) return double(total);
    double wide = 0;
    for (int64_t r = begin; r < end; r += kReduceThreads) {
      const double value = double(Kind::load(x[offset_of(args.reduced, r)]));
      wide += value * value;
    }
    return wide;
  }
};

// And of a second pass: the sums that the first one left.
struct Parts {
  OSTRICH_DEVICE double sum(const ReduceArgs& args, int64_t begin, int64_t end) {
    double total = 0;
    for (int64_t r = begin; r < end; r += kReduceThreads) total += static_cast<const double*>(args.x)[r];
    return total;
  }
};

// A block for each split of the one output.
template <class Terms>
OSTRICH_DEVICE void norm(const ReduceArgs& args, double* shared) {
  const int64_t split = block_x();
  const int thread = int(thread_index());
  shared[thread] = Terms::sum(args, split * args.part + thread, smaller(args.length, (split + 1) * args.part));
  barrier();
  for (int half = kReduceThreads / 2; half > 0; half /= 2) {
    if (thread < half) shared[thread] += shared[thread + half];
    barrier();
  }
  if (thread != 0) return;
  if (args.partial) {
    static_cast<double*>(args.y)[split] = shared[0];
  } else {
    static_cast<float*>(args.y)[split] = float(__builtin_sqrt(shared[0]));
  }
}

template <class Kind>
OSTRICH_DEVICE Candidate candidate(const ReduceArgs& args, int64_t place, int64_t r) {
  const float value = Kind::load(static_cast<const typename Kind::Stored*>(args.x)[place]);
  return {value, args.x_index != nullptr ? args.x_index[place] : int32_t(r)};
}

OSTRICH_DEVICE void store_candidate(const ReduceArgs& args, int64_t item, Candidate best) {
  args.y_index[item] = best.index;
  if (args.y != nullptr) static_cast<float*>(args.y)[item] = best.value;
}

template <class Kind>
OSTRICH_DEVICE void argmax_columns(const ReduceArgs& args) {
  for (int64_t item = first_item(); item < args.outputs * args.splits; item += item_stride()) {
    const int64_t split = item / args.outputs, output = item - split * args.outputs;
    const int64_t base = offset_of(args.kept, output), end = smaller(args.length, (split + 1) * args.part);
    Candidate best = candidate<Kind>(args, base + offset_of(args.reduced, split * args.part), split * args.part);
    for (int64_t r = split * args.part + 1; r < end; ++r) {
      best = better(best, candidate<Kind>(args, base + offset_of(args.reduced, r), r));
    }
    store_candidate(args, item, best);
  }
}

template <class Kind>
OSTRICH_DEVICE void argmax_rows(const ReduceArgs& args, float* values, int32_t* indices) {
  const int64_t item = block_x(), split = item / args.outputs, output = item - split * args.outputs;
  const int64_t base = offset_of(args.kept, output), end = smaller(args.length, (split + 1) * args.part);
  const int thread = int(thread_index());
  // Threads without an element start from the first one, as a copy that changes nothing.
  Candidate best = candidate<Kind>(args, base + offset_of(args.reduced, split * args.part), split * args.part);
  for (int64_t r = split * args.part + thread; r < end; r += kReduceThreads) {
    best = better(best, candidate<Kind>(args, base + offset_of(args.reduced, r), r));
  }
  values[thread] = best.value;
  indices[thread] = best.index;
  barrier();
  for (int half = kReduceThreads / 2; half > 0; half /= 2) {
    if (thread < half) {
      best = better(best, Candidate{values[thread + half], indices[thread + half]});
      values[thread] = best.value;
      indices[thread] = best.index;
    }
    barrier();
  }
  if (thread == 0) store_candidate(args, item, best);
}

}  // namespace

#define OSTRICH_REDUCTION(name, Op, Kind)                                                 \
  OSTRICH_GLOBAL(name##_columns, ReduceArgs, kReduceThreads) { columns<Op, Kind>(args); } \
  OSTRICH_GLOBAL_SYNC(name##_rows, ReduceArgs, kReduceThreads) {                          \
    OSTRICH_SHARED(Op::Value, shared, kReduceThreads);                                    \
    rows<Op, Kind>(args, shared);                                                         \
  }
OSTRICH_REDUCTION(sum_f32, Sum, F32)
OSTRICH_REDUCTION(sum_bf16, Sum, Bf16)
OSTRICH_REDUCTION(max_f32, Max, F32)
OSTRICH_REDUCTION(max_bf16, Max, Bf16)
OSTRICH_REDUCTION(max_i32, MaxI32, I32)

#define OSTRICH_NORM(name, Terms)                         \
  OSTRICH_GLOBAL_SYNC(name, ReduceArgs, kReduceThreads) { \
    OSTRICH_SHARED(double, shared, kReduceThreads);       \
    norm<Terms>(args, shared);                            \
  }
OSTRICH_NORM(norm_f32_rows, Squares<F32>)
OSTRICH_NORM(norm_bf16_rows, Squares<Bf16>)
OSTRICH_NORM(norm_f64_rows, Parts)

#define OSTRICH_ARGMAX(name, Kind)                                                           \
  OSTRICH_GLOBAL(name##_columns, ReduceArgs, kReduceThreads) { argmax_columns<Kind>(args); } \
  OSTRICH_GLOBAL_SYNC(name##_rows, ReduceArgs, kReduceThreads) {                             \
    OSTRICH_SHARED(float, values, kReduceThreads);                                           \
    OSTRICH_SHARED(int32_t, indices, kReduceThreads);                                        \
    argmax_rows<Kind>(args, values, indices);                                                \
  }
OSTRICH_ARGMAX(argmax_f32, F32)
OSTRICH_ARGMAX(argmax_bf16, Bf16)

}  // namespace ostrich::cuda
