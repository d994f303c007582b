// Connectionist temporal classification of one row (Graves et al. 2006, 4.1). All ways through the labels are summed
// frame by frame, as logarithms, from the first frame on; the gradient sums them from the last frame on, with the
// labels in the other order, which is the same recursion. Sums are without the frame that they lead to. What a frame's
// sums have in common is taken off before the next one, so that f32 keeps the differences between states however many
// frames there are.
#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int kLanes = 16;
constexpr float kNone = -__builtin_inff();

// Before the first frame: it is in the first blank or in the first label.
void start(float* sums, const CtcRow& row) {
  for (int64_t i = 0; i < 2 * row.width; ++i) sums[i] = kNone;
  sums[0] = 0;
  if (row.labels > 0) sums[row.width] = 0;
}

// through = sums and what the frame gives, less `base`. States that the row does not have are -infinity.
void pass_frame(float* __restrict through, const float* __restrict sums, const CtcRow& row, int order,
                const float* __restrict values, float base) {
  const int64_t labels = row.labels, width = row.width;
  const int32_t* classes = row.classes_of[order];
  const float blank = values[row.blank] - base;
  for (int64_t i = 0; i <= labels; ++i) through[i] = sums[i] + blank;
  for (int64_t i = labels + 1; i < width; ++i) through[i] = kNone;
  for (int64_t i = 0; i < labels; ++i) through[width + i] = sums[width + i] + (values[classes[i]] - base);
  for (int64_t i = labels; i < width; ++i) through[width + i] = kNone;
}

// The sums of the next frame; returns the largest. A blank follows itself and the label before it. A label follows
// itself and the blank before it; and, where it is another, the label before it, which is in the blank's sum.
float follow(float* __restrict sums, const float* __restrict through, const float* __restrict differs, int64_t width) {
  float largest[kLanes];
  for (int j = 0; j < kLanes; ++j) largest[j] = kNone;
  for (int64_t i = 0; i < width; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      // In the place of label -1 stands the last blank, which no row has.
      const float own = through[i + j], before = through[width + i + j - 1];
      const float blank = math::log_add(own, before);
      const float label = math::log_add(through[width + i + j], differs[i + j] > 0 ? blank : own);
      sums[i + j] = blank;
      sums[width + i + j] = label;
      const float larger = blank > label ? blank : label;
      largest[j] = larger > largest[j] ? larger : largest[j];
    }
  }
  float top = kNone;
  for (int j = 0; j < kLanes; ++j) top = largest[j] > top ? largest[j] : top;
  return top == kNone ? 0.0f : top;
}

double log_likelihood(const CtcRow& row, bool keeps) {
  const int64_t size = 2 * row.width;
  const auto sums_of = [&](int64_t t) { return row.sums + (keeps ? t : t % 2) * size; };
  float* through = row.work;
  double taken_off = 0;
  float base = 0;
  start(row.sums, row);
  for (int64_t t = 0; t < row.frames; ++t) {
    pass_frame(through, sums_of(t), row, 0, row.values + t * row.stride, base);
    taken_off += double(base);
    if (t + 1 < row.frames) base = follow(sums_of(t + 1), through, row.differs[0], row.width);
  }
  const float last_label = row.labels > 0 ? through[row.width + row.labels - 1] : kNone;
  return taken_off + double(math::log_add(through[row.labels], last_label));
}

float max_of(const float* x, int64_t n) {
  float lanes[kLanes];
  for (int j = 0; j < kLanes; ++j) lanes[j] = kNone;
  for (int64_t i = 0; i < n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  }
  float top = kNone;
  for (int j = 0; j < kLanes; ++j) top = lanes[j] > top ? lanes[j] : top;
  return top;
}

// x = exp(x - top); returns the sum.
float exp_from(float* x, int64_t n, float top) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      x[i + j] = math::exp(x[i + j] - top);
      lanes[j] += x[i + j];
    }
  }
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

// From a frame's log-probabilities to the gradient: what each class has, less its share of all ways. `after` comes from
// the last frame and is through this one, `before` comes from the first; their labels are in opposite orders.
void share_out(float* values, const float* __restrict after, const float* __restrict before, const CtcRow& row,
               float* __restrict ways) {
  const int64_t labels = row.labels, width = row.width;
  for (int64_t i = 0; i <= labels; ++i) ways[i] = after[i] + before[labels - i];
  for (int64_t i = labels + 1; i < width; ++i) ways[i] = kNone;
  for (int64_t i = 0; i < labels; ++i) ways[width + i] = after[width + i] + before[width + labels - 1 - i];
  for (int64_t i = labels; i < width; ++i) ways[width + i] = kNone;
  const float top = max_of(ways, 2 * width);
  const float in_blanks = exp_from(ways, width, top);
  const float scale = 1.0f / (in_blanks + exp_from(ways + width, width, top));
  for (int64_t k = 0; k < row.classes; ++k) values[k] = math::exp(values[k]);
  values[row.blank] -= in_blanks * scale;
  for (int64_t i = 0; i < labels; ++i) values[row.classes_of[1][i]] -= ways[width + i] * scale;
}

void gradient(const CtcRow& row) {
  const int64_t size = 2 * row.width;
  float *through = row.work, *sums = through + size, *ways = sums + size;
  float base = 0;
  start(sums, row);
  for (int64_t t = row.frames - 1; t >= 0; --t) {
    float* values = row.values + t * row.stride;
    pass_frame(through, sums, row, 1, values, base);
    share_out(values, through, row.sums + t * size, row, ways);
    if (t > 0) base = follow(sums, through, row.differs[1], row.width);
  }
}

}  // namespace

void add_ctc(Table& table) {
  table.ctc_log_likelihood = log_likelihood;
  table.ctc_gradient = gradient;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
