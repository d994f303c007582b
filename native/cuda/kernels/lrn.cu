// Local response normalisation across channels. A block takes a stretch of elements and as many on either side as its
// windows reach to; neighbours of another place do not count.
#include "cuda/kernels/device.h"
#include "cuda/kernels/lrn.h"
#include "math/lrn.h"

namespace ostrich::cuda {
namespace {

// Sum of shared[] over the window of channel c around `thread`.
OSTRICH_DEVICE float window_sum(const float* shared, int thread, int c, const LrnArgs& args) {
  const int channels = int(args.channels.divisor);
  const int before = c < args.half ? c : args.half;
  const int after = channels - 1 - c < args.half ? channels - 1 - c : args.half;
  float sum = 0;
  for (int j = thread - before; j <= thread + after; ++j) sum += shared[j];
  return sum;
}

OSTRICH_DEVICE int channel_of(const LrnArgs& args, int64_t i) {
  return int(i - quotient(i, args.channels) * args.channels.divisor);
}

// Calls body(i, live) for every thread's element, `reach` threads at either end of a block beyond its own stretch.
template <class Body>
OSTRICH_DEVICE void for_stretches(const LrnArgs& args, int reach, Body body) {
  const int64_t stretch = kLrnThreads - 2 * reach;
  for (int64_t first = block_x() * stretch; first < args.count; first += grid_x() * stretch) {
    const int64_t i = first + int(thread_index()) - reach;
    body(i, i >= 0 && i < args.count);
  }
}

template <class Kind, class Power>
OSTRICH_DEVICE void forward(const LrnArgs& args, float* squares) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index());
  for_stretches(args, args.half, [&](int64_t i, bool live) {
    const float x = live ? Kind::load(static_cast<const T*>(args.x)[i]) : 0.0f;
    squares[thread] = x * x;
    barrier();
    if (live && thread >= args.half && thread < kLrnThreads - args.half) {
      const float s = args.k + args.alpha * window_sum(squares, thread, channel_of(args, i), args);
      static_cast<T*>(args.y)[i] = Kind::store(x * Power::inverse(s, args.beta));
    }
    barrier();
  });
}

// dx = dy s^-beta - 2 alpha beta x W(dy x s^(-beta - 1)), s = k + alpha W(x^2).
template <class Kind, class Power>
OSTRICH_DEVICE void backward(const LrnArgs& args, float* squares, float* terms) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index()), half = args.half;
  for_stretches(args, 2 * half, [&](int64_t i, bool live) {
    const float x = live ? Kind::load(static_cast<const T*>(args.x)[i]) : 0.0f;
    squares[thread] = x * x;
    barrier();
    const int c = live ? channel_of(args, i) : 0;
    float direct = 0;
    if (live && thread >= half && thread < kLrnThreads - half) {
      const float s = args.k + args.alpha * window_sum(squares, thread, c, args);
      direct = Kind::load(static_cast<const T*>(args.dy)[i]) * Power::inverse(s, args.beta);
      terms[thread] = direct * x / s;
    }
    barrier();
    if (live && thread >= 2 * half && thread < kLrnThreads - 2 * half) {
      const float through = window_sum(terms, thread, c, args);
      static_cast<T*>(args.y)[i] = Kind::store(direct - 2 * args.alpha * args.beta * x * through);
    }
    barrier();
  });
}

}  // namespace

#define OSTRICH_LRN(name, Kind, Power)                         \
  OSTRICH_GLOBAL_SYNC(forward_##name, LrnArgs, kLrnThreads) {  \
    OSTRICH_SHARED(float, squares, kLrnThreads);               \
    forward<Kind, Power>(args, squares);                       \
  }                                                            \
  OSTRICH_GLOBAL_SYNC(backward_##name, LrnArgs, kLrnThreads) { \
    OSTRICH_SHARED(float, squares, kLrnThreads);               \
    OSTRICH_SHARED(float, terms, kLrnThreads);                 \
    backward<Kind, Power>(args, squares, terms);               \
  }
OSTRICH_LRN(f32_root, F32, math::ThreeQuarters)
OSTRICH_LRN(bf16_root, Bf16, math::ThreeQuarters)
OSTRICH_LRN(f32_power, F32, math::AnyPower)
OSTRICH_LRN(bf16_power, Bf16, math::AnyPower)

}  // namespace ostrich::cuda
