// A step of word2vec (Mikolov et al. 2013, arXiv:1310.4546, equation 4) over rows of two tables. All scores are made
// before any row changes, so that a step is three small products of matrices: the rows that meet are read once, not
// once for each pair. Sums of scores run over 16 lanes whatever the instruction set.
#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

typedef float Lanes16 __attribute__((vector_size(64)));
typedef float Lanes4 __attribute__((vector_size(16)));
#if defined(__AVX512F__)
using Lanes = Lanes16;
constexpr int kScored = 8;  // rows that are multiplied with one at a time: as many sums as registers hold
#elif defined(__AVX2__)
typedef float Lanes __attribute__((vector_size(32)));
constexpr int kScored = 4;
#else
using Lanes = Lanes4;
constexpr int kScored = 4;
#endif

// Vectors go by reference: to hand one wider than the instruction set's on by value is another call on each.
template <class V>
inline __attribute__((always_inline)) void load(V& v, const float* from) {
  __builtin_memcpy(&v, from, sizeof v);
}

template <class V>
inline __attribute__((always_inline)) void store(float* to, const V& v) {
  __builtin_memcpy(to, &v, sizeof v);
}

template <class V>
inline __attribute__((always_inline)) void add_to(float* to, const V& v) {
  V sum;
  load(sum, to);
  sum += v;
  store(to, sum);
}

inline __attribute__((always_inline)) float sum_of(const Lanes16& v) {
  Lanes4 parts[4];
  __builtin_memcpy(parts, &v, sizeof v);
  const Lanes4 sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

// sums[i] += elements k to k + lanes of row times those of rows[i]
template <class V, int kRows>
inline __attribute__((always_inline)) void multiply(V (&sums)[kRows], float* const* rows, const float* row, int64_t k) {
  V own, other;
  load(own, row + k);
  for (int i = 0; i < kRows; ++i) {
    load(other, rows[i] + k);
    sums[i] += own * other;
  }
}

// scores[i] = rows[i] . row
template <int kRows>
void score(float* scores, float* const* rows, const float* row, int64_t width) {
  Lanes16 sums[kRows]{};
  Lanes4 fours[kRows]{};
  int64_t k = 0;
  for (; k + 16 <= width; k += 16) multiply(sums, rows, row, k);
  for (; k + 4 <= width; k += 4) multiply(fours, rows, row, k);
  for (int i = 0; i < kRows; ++i) {
    float sum = sum_of(sums[i]) + ((fours[i][0] + fours[i][2]) + (fours[i][1] + fours[i][3]));
    for (int64_t j = k; j < width; ++j) sum += row[j] * rows[i][j];
    scores[i] = sum;
  }
}

void score_all(float* scores, float* const* rows, int64_t count, const float* row, int64_t width) {
  using Score = void (*)(float*, float* const*, const float*, int64_t);
#if defined(__AVX512F__)
  static constexpr Score few[kScored] = {score<1>, score<2>, score<3>, score<4>,
                                         score<5>, score<6>, score<7>, score<8>};
#else
  static constexpr Score few[kScored] = {score<1>, score<2>, score<3>, score<4>};
#endif
  for (int64_t i = 0; i < count; i += kScored) {
    const int64_t taken = count - i < kScored ? count - i : kScored;
    few[taken - 1](scores + i, rows + i, row, width);
  }
}

// Scores become what rows are multiplied with: rate * (label - sigmoid(score)). Returns the losses' sum. `labels` are
// those of the scores, one by one.
float steps_of(float* scores, const float* labels, int64_t count, const WordPairs& pairs) {
  constexpr float kFar = WordPairs::kFar;
  float losses[16] = {};
  const float rate = pairs.rate, far = pairs.skips ? 0.0f : rate;
  for (int64_t i = 0; i < count; i += 16) {
    const int64_t end = count - i < 16 ? count - i : 16;
    for (int64_t j = 0; j < end; ++j) {
      const float x = scores[i + j], label = labels[i + j];
      losses[j] += math::softplus(x) - label * x;
      const float near = rate * (label - math::sigmoid(x));
      const float beyond = far * (label - (x < 0.0f ? 0.0f : 1.0f));
      scores[i + j] = x > kFar || x < -kFar ? beyond : near;
    }
  }
  float sum = 0;
  for (const float loss : losses) sum += loss;
  return sum;
}

// Elements k to k + lanes of all rows: outputs += steps * inputs, inputs += steps * outputs, each as the others were
// before. An output that comes twice is read the second time as it is then; steps [outputs, inputs].
template <class V, int kInputs>
inline __attribute__((always_inline)) void change(const WordPairs& pairs, const float* steps, int64_t k) {
  V x[kInputs], dx[kInputs]{}, y;
  for (int i = 0; i < kInputs; ++i) load(x[i], pairs.inputs[i] + k);
  for (int64_t o = 0; o < pairs.output_count; ++o) {
    load(y, pairs.outputs[o] + k);
    V changed = y;
    for (int i = 0; i < kInputs; ++i) {
      const float step = steps[o * kInputs + i];
      dx[i] += step * y;
      changed += step * x[i];
    }
    store(pairs.outputs[o] + k, changed);
  }
  for (int i = 0; i < kInputs; ++i) add_to(pairs.inputs[i] + k, dx[i]);
}

template <int kInputs>
void change_all(const WordPairs& pairs, const float* steps) {
  constexpr int64_t kLanes = sizeof(Lanes) / sizeof(float);
  int64_t k = 0;
  for (; k + kLanes <= pairs.width; k += kLanes) change<Lanes, kInputs>(pairs, steps, k);
  for (; k + 4 <= pairs.width; k += 4) change<Lanes4, kInputs>(pairs, steps, k);
  for (; k < pairs.width; ++k) change<float, kInputs>(pairs, steps, k);
}

float skip_gram(const WordPairs& pairs) {
  using Change = void (*)(const WordPairs&, const float*);
  static constexpr Change changes[WordPairs::kMost] = {change_all<1>, change_all<2>, change_all<3>, change_all<4>,
                                                       change_all<5>, change_all<6>, change_all<7>, change_all<8>};
  float scores[WordPairs::kMostOutputs * WordPairs::kMost], labels[WordPairs::kMostOutputs * WordPairs::kMost];
  const int64_t inputs = pairs.input_count, outputs = pairs.output_count;
  for (int64_t o = 0; o < outputs; ++o) {
    score_all(scores + o * inputs, pairs.inputs, inputs, pairs.outputs[o], pairs.width);
    for (int64_t i = 0; i < inputs; ++i) labels[o * inputs + i] = pairs.labels[o];
  }
  const float loss = steps_of(scores, labels, inputs * outputs, pairs);
  changes[inputs - 1](pairs, scores);
  return loss;
}

// As `change`, for the mean of the inputs, each of which takes the whole change of it.
template <class V>
inline __attribute__((always_inline)) void change_mean(const WordPairs& pairs, const float* steps, const float* mean,
                                                       int64_t k) {
  V x, y, dx{};
  load(x, mean + k);
  for (int64_t o = 0; o < pairs.output_count; ++o) {
    load(y, pairs.outputs[o] + k);
    dx += steps[o] * y;
    y += steps[o] * x;
    store(pairs.outputs[o] + k, y);
  }
  for (int64_t i = 0; i < pairs.input_count; ++i) add_to(pairs.inputs[i] + k, dx);
}

template <class V>
inline __attribute__((always_inline)) void take_mean(const WordPairs& pairs, float* mean, int64_t k) {
  V sum{}, x;
  for (int64_t i = 0; i < pairs.input_count; ++i) {
    load(x, pairs.inputs[i] + k);
    sum += x;
  }
  sum *= 1.0f / float(pairs.input_count);
  store(mean + k, sum);
}

float cbow(const WordPairs& pairs, float* mean) {
  constexpr int64_t kLanes = sizeof(Lanes) / sizeof(float);
  const int64_t width = pairs.width;
  float scores[WordPairs::kMostOutputs];
  int64_t k = 0;
  for (; k + kLanes <= width; k += kLanes) take_mean<Lanes>(pairs, mean, k);
  for (; k < width; ++k) take_mean<float>(pairs, mean, k);
  score_all(scores, pairs.outputs, pairs.output_count, mean, width);
  const float loss = steps_of(scores, pairs.labels, pairs.output_count, pairs);
  for (k = 0; k + kLanes <= width; k += kLanes) change_mean<Lanes>(pairs, scores, mean, k);
  for (; k + 4 <= width; k += 4) change_mean<Lanes4>(pairs, scores, mean, k);
  for (; k < width; ++k) change_mean<float>(pairs, scores, mean, k);
  return loss;
}

}  // namespace

void add_word2vec(Table& table) {
  table.skip_gram = skip_gram;
  table.cbow = cbow;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
