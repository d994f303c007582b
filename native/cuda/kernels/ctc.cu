// Connectionist temporal classification (Graves et al. 2006, 4.1), as in cpu/simd/ctc.cc: a row is planned, then the
// log-probabilities of all frames are made, by a warp each; a block sums the ways from a row's first frame on, another
// one those from its last frame on, whose labels come in the other order; and the gradient is again made frame by
// frame. Every element is written by one thread, which sums in one order.
#include "cuda/kernels/ctc.h"
#include "cuda/kernels/device.h"

namespace ostrich::cuda {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = kCtcThreads / kWarp;
constexpr int64_t kRebase = 8;  // frames after which what all states have in common is taken off
OSTRICH_DEVICE float none() { return -__builtin_inff(); }

// Where a is NaN it is b.
OSTRICH_DEVICE float larger(float a, float b) { return a > b ? a : b; }
OSTRICH_DEVICE float max_of_warp(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = larger(value, shuffle_xor(value, mask));
  return value;
}
OSTRICH_DEVICE float sum_of_warp(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}
// In all threads of the block. `shared` holds one value for each warp.
OSTRICH_DEVICE float max_of_block(float value, float* shared) {
  value = max_of_warp(value);
  const int warps = int(block_threads()) / kWarp;
  barrier();
  if (thread_index() % kWarp == 0) shared[thread_index() / kWarp] = value;
  barrier();
  value = shared[0];
  for (int warp = 1; warp < warps; ++warp) value = larger(value, shared[warp]);
  return value;
}

OSTRICH_DEVICE int32_t* plan_of(const CtcArgs& args, int64_t row) {
  return args.plan + row * (kPlanNext + args.most_labels + args.classes);
}

// Of frame t, without it: of blank i at i, of label i at L + 1 + i, labels counted in the direction.
OSTRICH_DEVICE float* sums_of(const CtcArgs& args, int64_t row, bool is_backward, int64_t t) {
  const int64_t kept = args.wants_gradient ? args.frames : 2, at = args.wants_gradient ? t : t % 2;
  return args.sums + (((is_backward ? args.rows : 0) + row) * kept + at) * 2 * (args.most_labels + 1);
}

// A row's frames, or -1 where it has no way through them. What is wrong is reported by thread 0.
OSTRICH_DEVICE int32_t frames_of(const CtcArgs& args, int64_t row) {
  const int32_t count = args.label_lengths[row], frames = args.frame_lengths[row];
  const int32_t* labels = args.labels + row * args.most_labels;
  const bool reports = thread_index() == 0;
  if (count < 0 || count > args.most_labels) {
    if (reports) report(args.fault, args.label_length_site, row, count);
    return -1;
  }
  if (frames < 0 || frames > args.frames) {
    if (reports) report(args.fault, args.frame_length_site, row, frames);
    return -1;
  }
  int64_t needed = count;
  for (int32_t i = 0; i < count; ++i) {
    if (labels[i] < 0 || labels[i] >= args.classes || labels[i] == args.blank) {
      if (reports) report(args.fault, args.label_site, row, labels[i]);
      return -1;
    }
    if (i > 0 && labels[i] == labels[i - 1]) ++needed;
  }
  if (needed <= frames) return frames;
  if (reports && !args.allows_impossible) report(args.fault, args.frames_site, needed << 32 | row, frames);
  return -1;
}

OSTRICH_DEVICE void plan(const CtcArgs& args) {
  const int64_t thread = thread_index(), threads = block_threads();
  for (int64_t row = block_x(); row < args.rows; row += grid_x()) {
    int32_t* own = plan_of(args, row);
    int32_t *next = own + kPlanNext, *first = next + args.most_labels;
    const int32_t* labels = args.labels + row * args.most_labels;
    const int32_t frames = frames_of(args, row), count = frames < 0 ? 0 : args.label_lengths[row];
    if (thread == 0) own[0] = frames;
    const auto place_from = [&](int64_t at, int32_t label) {
      while (at < count && labels[at] != label) ++at;
      return at < count ? int32_t(at) : -1;
    };
    for (int64_t i = thread; i < count; i += threads) next[i] = place_from(i + 1, labels[i]);
    for (int64_t k = thread; k < args.classes; k += threads) first[k] = place_from(0, int32_t(k));
  }
}

// Calls body(t, row, lane) for every frame of every row, by the 32 threads of a warp.
template <class Body>
OSTRICH_DEVICE void for_frames(const CtcArgs& args, Body body) {
  const int64_t warp = int64_t(block_x()) * kWarps + thread_index() / kWarp;
  for (int64_t i = warp; i < args.frames * args.rows; i += int64_t(grid_x()) * kWarps) {
    const int64_t t = i / args.rows;
    body(t, i - t * args.rows, int64_t(thread_index()) % kWarp);
  }
}

// A thread reads the same logits in every sweep, so that the values may lie where they do.
template <class Kind>
OSTRICH_DEVICE void log_probabilities(const CtcArgs& args) {
  for_frames(args, [&](int64_t t, int64_t row, int64_t lane) {
    if (t >= plan_of(args, row)[0]) return;
    const auto* x = static_cast<const typename Kind::Stored*>(args.logits) + (t * args.rows + row) * args.classes;
    float* values = args.values + (t * args.rows + row) * args.classes;
    float top = none(), sum = 0;
    for (int64_t k = lane; k < args.classes; k += kWarp) top = larger(Kind::load(x[k]), top);
    top = max_of_warp(top);
    for (int64_t k = lane; k < args.classes; k += kWarp) sum += math::exp(Kind::load(x[k]) - top);
    const float log_sum = math::log(sum_of_warp(sum));
    for (int64_t k = lane; k < args.classes; k += kWarp) values[k] = (Kind::load(x[k]) - top) - log_sum;
  });
}

// The sums of a row in one direction: from its first frame and label on, or from its last ones. By all threads of a
// block.
OSTRICH_DEVICE void sum_ways(const CtcArgs& args, int64_t row, bool is_backward, float* shared) {
  const int64_t thread = thread_index(), threads = block_threads(), frames = plan_of(args, row)[0];
  if (frames <= 0) {
    // Of no frames, no labels are all that there can be.
    if (!is_backward && thread == 0) args.loss[row] = frames < 0 ? -none() : 0.0f;
    return;
  }
  const int64_t count = args.label_lengths[row], width = args.most_labels + 1, step = is_backward ? -1 : 1;
  const int32_t* labels = args.labels + row * args.most_labels;
  const auto label = [&](int64_t i) { return labels[is_backward ? count - 1 - i : i]; };
  const auto sums_at = [&](int64_t t) { return sums_of(args, row, is_backward, t); };
  int64_t t = is_backward ? frames - 1 : 0;
  for (int64_t i = thread; i <= count; i += threads) {
    sums_at(t)[i] = i == 0 ? 0.0f : none();
    if (i < count) sums_at(t)[width + i] = i == 0 ? 0.0f : none();
  }
  double taken_off = 0;
  float base = 0;
  for (int64_t seen = 1;; ++seen, t += step) {
    barrier();
    const float *values = args.values + (t * args.rows + row) * args.classes, *sums = sums_at(t);
    const float blank_value = values[args.blank] - base;
    const auto through_blank = [&](int64_t i) { return sums[i] + blank_value; };
    const auto through_label = [&](int64_t i) { return sums[width + i] + (values[label(i)] - base); };
    taken_off += double(base);
    if (seen == frames) {
      if (is_backward || thread > 0) return;
      const float last_label = count > 0 ? through_label(count - 1) : none();
      args.loss[row] = float(0 - (taken_off + double(math::log_add(through_blank(count), last_label))));
      return;
    }
    float* following = sums_at(t + step);
    float top = none();
    for (int64_t i = thread; i <= count; i += threads) {
      const float own = through_blank(i), blank = math::log_add(own, i > 0 ? through_label(i - 1) : none());
      following[i] = blank;
      top = larger(blank, top);
      if (i == count) continue;
      const bool differs = i > 0 && label(i) != label(i - 1);
      const float sum = math::log_add(through_label(i), differs ? blank : own);
      following[width + i] = sum;
      top = larger(sum, top);
    }
    base = 0;
    if (seen % kRebase != 0) continue;
    const float common = max_of_block(top, shared);
    base = common == none() ? 0.0f : common;
  }
}

OSTRICH_DEVICE void gradient(const CtcArgs& args) {
  for_frames(args, [&](int64_t t, int64_t row, int64_t lane) {
    float* values = args.values + (t * args.rows + row) * args.classes;
    const int32_t* own = plan_of(args, row);
    if (t >= own[0] || args.loss[row] == -none()) {
      for (int64_t k = lane; k < args.classes; k += kWarp) values[k] = 0;
      return;
    }
    const int64_t count = args.label_lengths[row], width = args.most_labels + 1;
    const int32_t *labels = args.labels + row * args.most_labels, *next = own + kPlanNext,
                  *first = next + args.most_labels;
    const float *before = sums_of(args, row, false, t), *after = sums_of(args, row, true, t);
    const float blank_value = values[args.blank];
    const auto in_blank = [&](int64_t i) { return before[i] + after[count - i] + blank_value; };
    const auto in_label = [&](int64_t i, float value) {
      return before[width + i] + after[width + count - 1 - i] + value;
    };
    float top = none();
    for (int64_t i = lane; i <= count; i += kWarp) {
      top = larger(in_blank(i), top);
      if (i < count) top = larger(in_label(i, values[labels[i]]), top);
    }
    top = max_of_warp(top);
    float in_blanks = 0, in_labels = 0;
    for (int64_t i = lane; i <= count; i += kWarp) {
      in_blanks += math::exp(in_blank(i) - top);
      if (i < count) in_labels += math::exp(in_label(i, values[labels[i]]) - top);
    }
    in_blanks = sum_of_warp(in_blanks);
    const float scale = 1.0f / (in_blanks + sum_of_warp(in_labels));
    // From here on a thread reads only the values that it writes.
    for (int64_t k = lane; k < args.classes; k += kWarp) {
      const float value = values[k];
      float slope = math::exp(value) - (k == args.blank ? in_blanks * scale : 0.0f);
      for (int32_t i = first[k]; i >= 0; i = next[i]) slope -= math::exp(in_label(i, value) - top) * scale;
      values[k] = slope;
    }
  });
}

}  // namespace

OSTRICH_GLOBAL(ctc_plan, CtcArgs, kCtcThreads) { plan(args); }
OSTRICH_GLOBAL_SYNC(ctc_log_probabilities_f32, CtcArgs, kCtcThreads) { log_probabilities<F32>(args); }
OSTRICH_GLOBAL_SYNC(ctc_log_probabilities_bf16, CtcArgs, kCtcThreads) { log_probabilities<Bf16>(args); }
OSTRICH_GLOBAL_SYNC(ctc_sums, CtcArgs, kCtcThreads) {
  OSTRICH_SHARED(float, shared, kWarps);
  for (int64_t row = block_x(); row < args.rows; row += grid_x()) sum_ways(args, row, block_y() == 1, shared);
}
OSTRICH_GLOBAL_SYNC(ctc_gradient, CtcArgs, kCtcThreads) { gradient(args); }

}  // namespace ostrich::cuda
