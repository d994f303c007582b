// Group normalisation and its gradient: a block for each run. The gradients of scale and shift are sums over examples
// and places, by a block for each channel, or for 32 channels where they lie side by side.
#include "cuda/kernels/device.h"
#include "cuda/kernels/group_norm.h"

namespace ostrich::cuda {
namespace {

constexpr int kWarp = 32, kWarps = kGroupThreads / kWarp;

// The sum over the block, in all threads. `shared` holds one value for each warp.
OSTRICH_DEVICE float block_sum(float value, float* shared) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  barrier();
  if (thread_index() % kWarp == 0) shared[thread_index() / kWarp] = value;
  barrier();
  value = 0;
  for (int warp = 0; warp < kWarps; ++warp) value += shared[warp];
  return value;
}

// Calls body(run, its first element, its first channel) for each run, by whole blocks.
template <class Body>
OSTRICH_DEVICE void for_runs(const GroupNormArgs& args, Body body) {
  const int64_t length = args.members * args.places.divisor;
  for (int64_t run = block_x(); run < args.examples * args.groups; run += grid_x()) {
    body(run, run * length, run % args.groups * args.members, length);
  }
}

template <class Kind>
OSTRICH_DEVICE void forward(const GroupNormArgs& args, float* shared) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index());
  for_runs(args, [&](int64_t run, int64_t first, int64_t channel, int64_t length) {
    const T* x = static_cast<const T*>(args.x) + first;
    T* y = static_cast<T*>(args.y) + first;
    float sum = 0, squares = 0;
    for (int64_t i = thread; i < length; i += kGroupThreads) sum += Kind::load(x[i]);
    const float mean = block_sum(sum, shared) / float(length);
    for (int64_t i = thread; i < length; i += kGroupThreads) {
      const float d = Kind::load(x[i]) - mean;
      squares += d * d;
    }
    const float variance = block_sum(squares, shared) / float(length), inverse = math::rsqrt(variance + args.epsilon);
    if (thread == 0) {
      args.mean[run] = mean;
      args.variance[run] = variance;
    }
    for (int64_t i = thread; i < length; i += kGroupThreads) {
      const int64_t c = channel + quotient(i, args.places);
      y[i] = Kind::store((Kind::load(x[i]) - mean) * inverse * args.scale[c] + args.shift[c]);
    }
  });
}

// dx = inverse (g - mean(g) - h mean(g h)), g = scale dy, h = (x - mean) inverse.
template <class Kind>
OSTRICH_DEVICE void backward(const GroupNormArgs& args, float* shared) {
  using T = typename Kind::Stored;
  const int thread = int(thread_index());
  for_runs(args, [&](int64_t run, int64_t first, int64_t channel, int64_t length) {
    const T *x = static_cast<const T*>(args.x) + first, *dy = static_cast<const T*>(args.dy) + first;
    T* dx = static_cast<T*>(args.y) + first;
    const float mean = args.mean[run], inverse = math::rsqrt(args.variance[run] + args.epsilon);
    float sum = 0, product = 0;
    for (int64_t i = thread; i < length; i += kGroupThreads) {
      const float g = args.scale[channel + quotient(i, args.places)] * Kind::load(dy[i]);
      sum += g;
      product += g * ((Kind::load(x[i]) - mean) * inverse);
    }
    const float plain = block_sum(sum, shared) / float(length), bent = block_sum(product, shared) / float(length);
    for (int64_t i = thread; i < length; i += kGroupThreads) {
      const float g = args.scale[channel + quotient(i, args.places)] * Kind::load(dy[i]);
      dx[i] = Kind::store(inverse * (g - plain - (Kind::load(x[i]) - mean) * inverse * bent));
    }
  });
}

// dy h and dy of one element.
template <class Kind>
OSTRICH_DEVICE void add_terms(const GroupNormArgs& args, int64_t n, int64_t c, int64_t element, float* scale,
                              float* shift) {
  using T = typename Kind::Stored;
  const int64_t run = n * args.groups + c / args.members;
  const float dy = Kind::load(static_cast<const T*>(args.dy)[element]);
  const float x = Kind::load(static_cast<const T*>(args.x)[element]);
  *scale += dy * ((x - args.mean[run]) * math::rsqrt(args.variance[run] + args.epsilon));
  *shift += dy;
}

template <class Kind>
OSTRICH_DEVICE void of_channels(const GroupNormArgs& args, float* shared) {
  for (int64_t c = block_x(); c < args.channels; c += grid_x()) {
    float scale = 0, shift = 0;
    for (int64_t i = thread_index(); i < args.examples * args.places.divisor; i += kGroupThreads) {
      const int64_t n = quotient(i, args.places), place = i - n * args.places.divisor;
      add_terms<Kind>(args, n, c, (n * args.channels + c) * args.places.divisor + place, &scale, &shift);
    }
    scale = block_sum(scale, shared);
    shift = block_sum(shift, shared);
    if (thread_index() == 0) {
      args.dscale[c] = scale;
      args.dshift[c] = shift;
    }
  }
}

template <class Kind>
OSTRICH_DEVICE void of_features(const GroupNormArgs& args, float* shared) {
  constexpr int kRows = kGroupThreads / kGroupColumns;
  const int thread = int(thread_index()), lane = thread / kGroupColumns;
  for (int64_t tile = block_x(); tile * kGroupColumns < args.channels; tile += grid_x()) {
    const int64_t c = tile * kGroupColumns + thread % kGroupColumns;
    float scale = 0, shift = 0;
    for (int64_t n = lane; c < args.channels && n < args.examples; n += kRows) {
      add_terms<Kind>(args, n, c, n * args.channels + c, &scale, &shift);
    }
    barrier();
    shared[thread] = scale;
    shared[kGroupThreads + thread] = shift;
    barrier();
    if (lane != 0 || c >= args.channels) continue;
    for (int row = 1; row < kRows; ++row) {
      scale += shared[row * kGroupColumns + thread];
      shift += shared[kGroupThreads + row * kGroupColumns + thread];
    }
    args.dscale[c] = scale;
    args.dshift[c] = shift;
  }
}

}  // namespace

#define OSTRICH_GROUP_NORM(kind, Kind)                                    \
  OSTRICH_GLOBAL_SYNC(forward_##kind, GroupNormArgs, kGroupThreads) {     \
    OSTRICH_SHARED(float, shared, kWarps);                                \
    forward<Kind>(args, shared);                                          \
  }                                                                       \
  OSTRICH_GLOBAL_SYNC(backward_##kind, GroupNormArgs, kGroupThreads) {    \
    OSTRICH_SHARED(float, shared, kWarps);                                \
    backward<Kind>(args, shared);                                         \
  }                                                                       \
  OSTRICH_GLOBAL_SYNC(of_channels_##kind, GroupNormArgs, kGroupThreads) { \
    OSTRICH_SHARED(float, shared, kWarps);                                \
    of_channels<Kind>(args, shared);                                      \
  }                                                                       \
  OSTRICH_GLOBAL_SYNC(of_features_##kind, GroupNormArgs, kGroupThreads) { \
    OSTRICH_SHARED(float, shared, 2 * kGroupThreads);                     \
    of_features<Kind>(args, shared);                                      \
  }
OSTRICH_GROUP_NORM(f32, F32)
OSTRICH_GROUP_NORM(bf16, Bf16)

}  // namespace ostrich::cuda
