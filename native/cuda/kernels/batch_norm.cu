// Batch normalisation, its gradient, and the affine map by channel. Sums over rows in parts by blocks of 32 channels,
// joined by a thread for each channel; then a pass over the elements.
#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device.h"

namespace ostrich::cuda {
namespace {

constexpr int kRows = kNormThreads / kNormColumns;

// Sum over the threads of a column, in all of them.
OSTRICH_DEVICE float join_column(float value, float* shared) {
  const int thread = int(thread_index());
  barrier();
  shared[thread] = value;
  barrier();
  float sum = 0;
  for (int row = 0; row < kRows; ++row) sum += shared[row * kNormColumns + thread % kNormColumns];
  return sum;
}

struct Part {
  int64_t first, end, channel;
  int lane;
  bool live;
};

// The block's part of the rows and its thread's channel; threads beyond the last channel take part in barriers.
OSTRICH_DEVICE Part part_of(const BatchNormArgs& args) {
  const int64_t part = int64_t(block_x()) % args.parts, tile = int64_t(block_x()) / args.parts;
  const int64_t channel = tile * kNormColumns + int(thread_index()) % kNormColumns, first = part * args.part;
  const int64_t end = first + args.part < args.rows ? first + args.part : args.rows;
  return {first, end, channel, int(thread_index()) / kNormColumns, channel < args.channels.divisor};
}

OSTRICH_DEVICE float* partial(const BatchNormArgs& args, int which, int64_t channel) {
  return args.partials + ((int64_t(block_x()) % args.parts) * 2 + which) * args.channels.divisor + channel;
}

template <class Kind>
OSTRICH_DEVICE void moments(const BatchNormArgs& args, float* shared) {
  const auto* x = static_cast<const typename Kind::Stored*>(args.x);
  const Part at = part_of(args);
  const int64_t c = args.channels.divisor;
  float sum = 0, squares = 0;
  for (int64_t row = at.first + at.lane; at.live && row < at.end; row += kRows) {
    sum += Kind::load(x[row * c + at.channel]);
  }
  const float mean = join_column(sum, shared) / float(at.end - at.first);
  for (int64_t row = at.first + at.lane; at.live && row < at.end; row += kRows) {
    const float d = Kind::load(x[row * c + at.channel]) - mean;
    squares += d * d;
  }
  squares = join_column(squares, shared);
  if (at.lane == 0 && at.live) {
    *partial(args, 0, at.channel) = mean;
    *partial(args, 1, at.channel) = squares;
  }
}

// Joins the parts' moments (Chan, Golub & LeVeque 1983, eq. 2.1), and makes of them what the map needs.
OSTRICH_DEVICE void finish_moments(const BatchNormArgs& args) {
  const int64_t n = args.channels.divisor;
  for (int64_t c = first_item(); c < n; c += item_stride()) {
    double count = 0, mean = 0, squares = 0;
    for (int64_t part = 0; part < args.parts; ++part) {
      const int64_t left = args.rows - part * args.part;
      const double rows = double(left < args.part ? left : args.part), total = count + rows;
      const double apart = double(args.partials[2 * part * n + c]) - mean;
      mean += apart * rows / total;
      squares += double(args.partials[(2 * part + 1) * n + c]) + apart * apart * count * rows / total;
      count = total;
    }
    const double variance = squares / count;
    const double a = double(args.scale[c]) * double(math::rsqrt(float(variance) + args.epsilon));
    args.mean[c] = float(mean);
    args.variance[c] = float(variance);
    args.factors[c] = float(a);
    args.factors[n + c] = float(double(args.shift[c]) - mean * a);
  }
}

template <class Kind>
OSTRICH_DEVICE void apply(const BatchNormArgs& args) {
  using T = typename Kind::Stored;
  const int64_t n = args.channels.divisor;
  for (int64_t i = first_item(); i < args.rows * n; i += item_stride()) {
    const int64_t c = i - quotient(i, args.channels) * n;
    float y = args.factors[c] * Kind::load(static_cast<const T*>(args.x)[i]) + args.factors[n + c];
    if (args.residual != nullptr) y += Kind::load(static_cast<const T*>(args.residual)[i]);
    static_cast<T*>(args.y)[i] = Kind::store(args.relu && y < 0.0f ? 0.0f : y);
  }
}

// The map by channel: its factors are inputs.
template <class Kind>
OSTRICH_DEVICE void affine(const BatchNormArgs& args) {
  using T = typename Kind::Stored;
  const int64_t n = args.channels.divisor;
  for (int64_t i = first_item(); i < args.rows * n; i += item_stride()) {
    const int64_t c = i - quotient(i, args.channels) * n;
    float y = args.scale[c] * Kind::load(static_cast<const T*>(args.x)[i]) + args.shift[c];
    if (args.residual != nullptr) y += Kind::load(static_cast<const T*>(args.residual)[i]);
    static_cast<T*>(args.y)[i] = Kind::store(args.relu && y < 0.0f ? 0.0f : y);
  }
}

struct Channel {
  float mean, inverse, a, b;
};

OSTRICH_DEVICE Channel channel_of(const BatchNormArgs& args, int64_t c) {
  const float mean = args.mean[c], inverse = math::rsqrt(args.variance[c] + args.epsilon), a = args.scale[c] * inverse;
  return {mean, inverse, a, args.shift[c] - mean * a};
}

// dy, or 0 where relu made the normalised x zero.
OSTRICH_DEVICE float masked(const BatchNormArgs& args, const Channel& channel, float dy, float x) {
  return !args.relu || channel.a * x + channel.b > 0.0f ? dy : 0.0f;
}

template <class Kind>
OSTRICH_DEVICE void grad_sums(const BatchNormArgs& args, float* shared) {
  using T = typename Kind::Stored;
  const Part at = part_of(args);
  const int64_t n = args.channels.divisor;
  const Channel channel = at.live ? channel_of(args, at.channel) : Channel{};
  float sum = 0, product = 0;
  for (int64_t row = at.first + at.lane; at.live && row < at.end; row += kRows) {
    const float x = Kind::load(static_cast<const T*>(args.x)[row * n + at.channel]);
    const float dz = masked(args, channel, Kind::load(static_cast<const T*>(args.dy)[row * n + at.channel]), x);
    sum += dz;
    product += dz * (x - channel.mean);
  }
  sum = join_column(sum, shared);
  product = join_column(product, shared);
  if (at.lane == 0 && at.live) {
    *partial(args, 0, at.channel) = sum;
    *partial(args, 1, at.channel) = product;
  }
}

OSTRICH_DEVICE void finish_grad(const BatchNormArgs& args) {
  const int64_t n = args.channels.divisor;
  for (int64_t c = first_item(); c < n; c += item_stride()) {
    double sum = 0, product = 0;
    for (int64_t part = 0; part < args.parts; ++part) {
      sum += double(args.partials[2 * part * n + c]);
      product += double(args.partials[(2 * part + 1) * n + c]);
    }
    const Channel channel = channel_of(args, c);
    const double r = double(channel.inverse), slope = double(channel.a);
    args.dscale[c] = float(r * product);
    args.dshift[c] = float(sum);
    args.factors[2 * n + c] = float(slope);
    args.factors[3 * n + c] = float(-slope * r * r * product / double(args.rows));
    args.factors[4 * n + c] = float(-slope * sum / double(args.rows));
  }
}

template <class Kind>
OSTRICH_DEVICE void grad(const BatchNormArgs& args) {
  using T = typename Kind::Stored;
  const int64_t n = args.channels.divisor;
  for (int64_t i = first_item(); i < args.rows * n; i += item_stride()) {
    const int64_t c = i - quotient(i, args.channels) * n;
    const Channel channel = channel_of(args, c);
    const float x = Kind::load(static_cast<const T*>(args.x)[i]);
    const float dz = masked(args, channel, Kind::load(static_cast<const T*>(args.dy)[i]), x);
    const float *p = args.factors + 2 * n, *q = p + n, *t = q + n;
    static_cast<T*>(args.y)[i] = Kind::store(p[c] * dz + (q[c] * (x - channel.mean) + t[c]));
  }
}

}  // namespace

OSTRICH_GLOBAL(join_moments, BatchNormArgs, kNormThreads) { finish_moments(args); }
OSTRICH_GLOBAL(join_grad, BatchNormArgs, kNormThreads) { finish_grad(args); }

#define OSTRICH_BATCH_NORM(kind, Kind)                                               \
  OSTRICH_GLOBAL_SYNC(moments_##kind, BatchNormArgs, kNormThreads) {                 \
    OSTRICH_SHARED(float, shared, kNormThreads);                                     \
    moments<Kind>(args, shared);                                                     \
  }                                                                                  \
  OSTRICH_GLOBAL_SYNC(sums_##kind, BatchNormArgs, kNormThreads) {                    \
    OSTRICH_SHARED(float, shared, kNormThreads);                                     \
    grad_sums<Kind>(args, shared);                                                   \
  }                                                                                  \
  OSTRICH_GLOBAL(apply_##kind, BatchNormArgs, kNormThreads) { apply<Kind>(args); }   \
  OSTRICH_GLOBAL(affine_##kind, BatchNormArgs, kNormThreads) { affine<Kind>(args); } \
  OSTRICH_GLOBAL(grad_##kind, BatchNormArgs, kNormThreads) { grad<Kind>(args); }
OSTRICH_BATCH_NORM(f32, F32)
OSTRICH_BATCH_NORM(bf16, Bf16)

}  // namespace ostrich::cuda
