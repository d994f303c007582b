// word2vec: a warp goes through a part of a block of text, word after word; each of its threads holds some columns of
// the rows. Warps add to the tables without locks, and see what the others have added sooner or later.
#include "cuda/kernels/philox.h"
#include "cuda/kernels/word2vec.h"

namespace ostrich::cuda {
namespace {

constexpr int kWarp = 32;
constexpr float kUnit = 5.9604644775390625e-8f;  // 2^-24
constexpr float kFar = 6;

OSTRICH_DEVICE Words draw(const Word2vecArgs& args, uint32_t place, uint32_t group) {
  return philox(place, group, args.stream, args.step[0], args.seed);
}

OSTRICH_DEVICE int64_t below(uint32_t word, int64_t n) { return int64_t((uint64_t(word) * uint64_t(n)) >> 32); }
OSTRICH_DEVICE float share(uint32_t word) { return float(int32_t(word >> 8)) * kUnit; }

OSTRICH_DEVICE float sum_of_warp(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// What a warp shares of the sentence and the word that it is at.
struct Desk {
  int32_t *words, *places;  // of the sentence
  int32_t* rows;            // of outputs
  float *labels, *steps;    // of outputs; [outputs, inputs]
};

struct Sums {
  float loss = 0, scores = 0;
};

// Draws the outputs of word `i` of the sentence, the same in each thread; returns how many, and how far words are near.
OSTRICH_DEVICE int64_t outputs_of(const Word2vecArgs& args, const Desk& desk, int64_t i, int64_t* reach) {
  const int32_t word = desk.words[i];
  const auto place = uint32_t(desk.places[i]);
  Words draws = draw(args, place, 1);
  *reach = 1 + below(draws.word[0], args.window);
  const bool writes = thread_index() == 0;
  int64_t count = 0;
  const auto add = [&](int64_t row, float label) {
    if (writes) {
      desk.rows[count] = int32_t(row);
      desk.labels[count] = label;
    }
    ++count;
  };
  if (args.is_tree) {
    for (int32_t at = args.starts[word]; at < args.starts[word + 1]; ++at) {
      add(args.second[at] >> 1, (args.second[at] & 1) != 0 ? 0.0f : 1.0f);
    }
    return count;
  }
  add(word, 1);
  int64_t used = 1;
  const auto next = [&] {
    if (used % 4 == 0) draws = draw(args, place, uint32_t(1 + used / 4));
    return draws.word[used++ % 4];
  };
  for (int64_t k = 0; k < args.negatives; ++k) {
    const int64_t drawn = below(next(), args.words);
    const int64_t row = share(next()) < args.chosen[drawn] ? drawn : args.second[drawn];
    if (row != word) add(row, 0);
  }
  return count;
}

// Word j of those around word i, from the left.
OSTRICH_DEVICE int64_t around(int64_t first, int64_t i, int64_t j) { return first + j + (first + j >= i ? 1 : 0); }

// Columns of the inputs of a step that meet the outputs, as registers: `met` of them, behind which stand zeros.
struct Columns {
  float x[kWordInputs];
};

// One step: `inputs` words from number `begin` of those around, or, of cbow, the mean of all of them.
OSTRICH_DEVICE void meet(const Word2vecArgs& args, const Desk& desk, int64_t first, int64_t i, int64_t begin,
                         int64_t inputs, int64_t outputs, Sums* sums) {
  const int64_t width = args.width, lane = thread_index();
  const int64_t met = args.is_cbow ? 1 : inputs;
  const auto row_of = [&](int64_t j) { return args.inputs + int64_t(desk.words[around(first, i, begin + j)]) * width; };
  const auto columns_at = [&](int64_t k) {
    Columns columns{};
    if (args.is_cbow) {
      for (int64_t j = 0; j < inputs; ++j) columns.x[0] += load_shared_by_blocks(row_of(j) + k);
      columns.x[0] /= float(inputs);
      return columns;
    }
#pragma unroll
    for (int m = 0; m < kWordInputs; ++m) {
      if (m < met) columns.x[m] = load_shared_by_blocks(row_of(m) + k);
    }
    return columns;
  };
  for (int64_t o = 0; o < outputs; ++o) {
    Columns scores{};
    const float* row = args.outputs + int64_t(desk.rows[o]) * width;
    for (int64_t k = lane; k < width; k += kWarp) {
      const Columns columns = columns_at(k);
      const float y = load_shared_by_blocks(row + k);
#pragma unroll
      for (int m = 0; m < kWordInputs; ++m) scores.x[m] += columns.x[m] * y;
    }
    const float label = desk.labels[o];
#pragma unroll
    for (int m = 0; m < kWordInputs; ++m) {
      if (m >= met) continue;
      const float s = sum_of_warp(scores.x[m]);
      const float beyond = args.is_tree ? 0.0f : label - (s < 0.0f ? 0.0f : 1.0f);
      sums->loss += math::softplus(s) - label * s;
      if (lane != 0) continue;
      desk.steps[o * kWordInputs + m] = args.rate[0] * (s > kFar || s < -kFar ? beyond : label - math::sigmoid(s));
    }
  }
  sums->scores += float(met * outputs);
  barrier();
  for (int64_t k = lane; k < width; k += kWarp) {
    const Columns columns = columns_at(k);
    Columns change{};
    for (int64_t o = 0; o < outputs; ++o) {
      float* to = args.outputs + int64_t(desk.rows[o]) * width + k;
      const float y = load_shared_by_blocks(to);
      float dy = 0;
#pragma unroll
      for (int m = 0; m < kWordInputs; ++m) {
        if (m >= met) continue;
        const float step = desk.steps[o * kWordInputs + m];
        change.x[m] += step * y;
        dy += step * columns.x[m];
      }
      add_among_blocks(to, dy);
    }
    if (args.is_cbow) {
      for (int64_t j = 0; j < inputs; ++j) add_among_blocks(row_of(j) + k, change.x[0]);
      continue;
    }
#pragma unroll
    for (int m = 0; m < kWordInputs; ++m) {
      if (m < met) add_among_blocks(row_of(m) + k, change.x[m]);
    }
  }
  barrier();
}

OSTRICH_DEVICE void sentence(const Word2vecArgs& args, const Desk& desk, int64_t length, Sums* sums) {
  barrier();
  for (int64_t i = 0; length >= 2 && i < length; ++i) {
    int64_t reach = 0;
    const int64_t outputs = outputs_of(args, desk, i, &reach);
    const int64_t first = i < reach ? 0 : i - reach, last = i + reach < length ? i + reach : length - 1;
    const int64_t count = last - first;
    barrier();
    const int64_t groups = args.is_cbow ? 1 : (count + kWordInputs - 1) / kWordInputs;
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t begin = count * group / groups;
      meet(args, desk, first, i, begin, count * (group + 1) / groups - begin, outputs, sums);
    }
  }
  barrier();
}

}  // namespace

OSTRICH_GLOBAL(word2vec_check, Word2vecArgs, 256) {
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const int32_t word = args.tokens[i];
    if (word < -1 || word >= args.words) report(args.fault, args.word_site, i, word);
  }
  const int64_t limit = args.is_tree ? 2 * args.nodes : args.words;
  for (int64_t i = first_item(); i < args.codes; i += item_stride()) {
    const int32_t value = args.second[i];
    if (value >= 0 && value < limit) continue;
    report(args.fault, args.is_tree ? args.code_site : args.other_site, i, value);
  }
  for (int64_t i = first_item(); args.is_tree && i < args.words; i += item_stride()) {
    const int64_t start = args.starts[i], end = args.starts[i + 1];
    if (start >= 0 && end <= args.codes && end >= start && end - start <= kWordOutputs) continue;
    report(args.fault, args.start_site, i, int32_t(end - start));
  }
}

OSTRICH_GLOBAL(word2vec_start, Word2vecArgs, 32) {
  if (first_item() != 0 || args.fault->site != 0) return;
  args.loss[0] = 0;
  args.scores[0] = 0;
}

OSTRICH_GLOBAL_SYNC(word2vec, Word2vecArgs, 32) {
  OSTRICH_SHARED(int32_t, words, kWordPart);
  OSTRICH_SHARED(int32_t, places, kWordPart);
  OSTRICH_SHARED(int32_t, rows, kWordOutputs);
  OSTRICH_SHARED(float, labels, kWordOutputs);
  OSTRICH_SHARED(float, steps, kWordOutputs* kWordInputs);
  const Desk desk{words, places, rows, labels, steps};
  const bool is_good = args.fault->site == 0;
  const int64_t parts = is_good ? (args.count + kWordPart - 1) / kWordPart : 0;
  for (int64_t part = block_x(); part < parts; part += grid_x()) {
    const int64_t begin = part * kWordPart, end = begin + kWordPart < args.count ? begin + kWordPart : args.count;
    Sums sums;
    int64_t length = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int32_t word = args.tokens[i];
      if (word >= 0) {
        if (share(draw(args, uint32_t(i / 4), 0).word[i % 4]) >= args.kept[word]) continue;
        if (thread_index() == 0) {
          words[length] = word;
          places[length] = int32_t(i);
        }
        if (++length < args.longest) continue;
      }
      sentence(args, desk, length, &sums);
      length = 0;
    }
    sentence(args, desk, length, &sums);
    if (thread_index() != 0) continue;
    add_among_blocks(args.loss, sums.loss);
    add_among_blocks(args.scores, sums.scores);
  }
}

}  // namespace ostrich::cuda
