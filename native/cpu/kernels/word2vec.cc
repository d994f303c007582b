// word2vec and word2vecTree: a step over a block of text, one word after the other, each over rows of both tables. With
// several threads each takes a part of the block, and rows change without locks (Niu et al. 2011, "Hogwild!"), so that
// results depend on how they meet; a short block is one thread's.
#include "program/word2vec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "core/philox.h"
#include "cpu/builder.h"
#include "cpu/kernels/bad_row.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::kMostWindow;
using program::NodeSpec;
using simd::WordPairs;

constexpr int64_t kAlone = 2048;      // words below which one thread does it all
constexpr int64_t kCopied = 1 << 18;  // bytes of a part of a table that is copied whole
constexpr int64_t kLine = 64;         // bytes that memory gives at once

// Inputs of both ops, in order; the fifth and sixth say what a word is foretold among.
enum Input { kInputs, kOutputs, kTokens, kKept, kFirst, kSecond, kRate, kSeed, kStep, kCount };

struct Settings {
  bool is_cbow, is_tree;
  int64_t window, negatives, longest;
  uint32_t stream;
};

// Below n, from 32 random bits.
int64_t below(uint32_t word, int64_t n) { return int64_t((uint64_t(word) * uint64_t(n)) >> 32); }

// A word in the middle: how far the words around it reach, and the rows that it is foretold by.
struct Middle {
  int64_t reach = 0, count = 0;
  std::array<float*, WordPairs::kMostOutputs> rows;
  std::array<float, WordPairs::kMostOutputs> labels;
};

// One thread's way through its part of a block.
class Walk {
 public:
  Walk(const Settings& settings, const std::vector<program::Slot*>& reads, float* inputs, float* outputs, int32_t* room,
       float* mean)
      : settings_(settings),
        reads_(reads),
        inputs_(inputs),
        outputs_(outputs),
        tokens_(reads[kTokens]->data<int32_t>()),
        words_(room),
        places_(room + settings.longest),
        mean_(mean),
        width_(reads[kInputs]->shape[1]),
        vocabulary_(reads[kInputs]->shape[0]),
        rate_(*reads[kRate]->data<float>()) {}

  void run(int64_t begin, int64_t end) {
    const float* kept = reads_[kKept]->data<float>();
    int64_t length = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int32_t word = tokens_[i];
      if (word >= 0) {
        if (float(draws_of(uint32_t(i) / 4, 0).word[i % 4] >> 8) * 0x1p-24f >= kept[word]) continue;
        words_[length] = word;
        places_[length++] = int32_t(i);
        if (length < settings_.longest) continue;
      }
      sentence(length);
      length = 0;
    }
    sentence(length);
  }

  double loss() const { return loss_; }
  double scores() const { return double(scores_); }

 private:
  core::Philox4 draws_of(uint32_t place, uint32_t group) const {
    const auto* key = reads_[kSeed]->data<uint32_t>();
    return core::philox(place, group, settings_.stream, *reads_[kStep]->data<uint32_t>(), key[0], key[1]);
  }

  void sentence(int64_t length) {
    if (length < 2) return;
    prepare(middles_[0], 0);
    for (int64_t i = 0; i < length; ++i) {
      // The rows of the next word are on their way from memory while this one's are worked on.
      if (i + 1 < length) prepare(middles_[(i + 1) % 2], i + 1);
      if (i + settings_.window < length) fetch(inputs_ + words_[i + settings_.window] * width_);
      foretell(middles_[i % 2], i, length);
    }
  }

  void fetch(const float* row) const {
    const char* bytes = reinterpret_cast<const char*>(row);
    for (int64_t i = 0; i < width_ * int64_t(sizeof(float)); i += kLine) __builtin_prefetch(bytes + i, 1);
  }

  void prepare(Middle& middle, int64_t i) const {
    const auto place = uint32_t(places_[i]);
    core::Philox4 draws = draws_of(place, 1);
    middle.reach = 1 + below(draws.word[0], settings_.window);
    middle.count = 0;
    if (settings_.is_tree) {
      const int32_t* codes = reads_[kSecond]->data<int32_t>();
      const int32_t* starts = reads_[kFirst]->data<int32_t>() + words_[i];
      for (int32_t at = starts[0]; at < starts[1]; ++at) add(middle, codes[at] >> 1, codes[at] & 1 ? 0.0f : 1.0f);
      return;
    }
    const float* chosen = reads_[kFirst]->data<float>();
    const int32_t* other = reads_[kSecond]->data<int32_t>();
    add(middle, words_[i], 1);
    uint32_t used = 1, group = 1;
    const auto next = [&] {
      if (used == 4) {
        draws = draws_of(place, ++group);
        used = 0;
      }
      return draws.word[used++];
    };
    for (int64_t k = 0; k < settings_.negatives; ++k) {
      const int64_t drawn = below(next(), vocabulary_);
      const int64_t word = float(next() >> 8) * 0x1p-24f < chosen[drawn] ? drawn : other[drawn];
      if (word != words_[i]) add(middle, word, 0);
    }
  }

  void add(Middle& middle, int64_t row, float label) const {
    float* at = outputs_ + row * width_;
    fetch(at);
    middle.rows[size_t(middle.count)] = at;
    middle.labels[size_t(middle.count++)] = label;
  }

  void foretell(const Middle& middle, int64_t i, int64_t length) {
    const int64_t first = std::max<int64_t>(0, i - middle.reach), last = std::min(length - 1, i + middle.reach);
    int64_t count = 0;
    for (int64_t j = first; j <= last; ++j) {
      if (j != i) around_[size_t(count++)] = inputs_ + words_[j] * width_;
    }
    WordPairs pairs{around_.data(), middle.rows.data(), middle.labels.data(), count, middle.count, width_,
                    rate_,          settings_.is_tree};
    const simd::Table& table = simd::table();
    if (settings_.is_cbow) {
      loss_ += double(table.cbow(pairs, mean_));
      scores_ += middle.count;
      return;
    }
    const int64_t groups = (count + WordPairs::kMost - 1) / WordPairs::kMost;
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t begin = count * group / groups;
      pairs.inputs = around_.data() + begin;
      pairs.input_count = count * (group + 1) / groups - begin;
      loss_ += double(table.skip_gram(pairs));
    }
    scores_ += count * middle.count;
  }

  const Settings& settings_;
  const std::vector<program::Slot*>& reads_;
  float *inputs_, *outputs_;
  const int32_t* tokens_;
  int32_t *words_, *places_;  // of the sentence
  float* mean_;
  const int64_t width_, vocabulary_;
  const float rate_;
  std::array<Middle, 2> middles_;
  std::array<float*, 2 * kMostWindow> around_;
  double loss_ = 0;
  int64_t scores_ = 0;
};

// Looks at the numbers that choose rows, before anything is written in place.
class CheckWordsStep : public Step {
 public:
  CheckWordsStep(const NodeSpec& node, const std::vector<Slot*>& inputs, bool is_tree)
      : label_(node.label()),
        vocabulary_(inputs[kInputs]->shape[0]),
        nodes_(inputs[kOutputs]->shape[0]),
        is_tree_(is_tree) {
    can_fail = true;
    reads = {inputs[kTokens], inputs[kFirst], inputs[kSecond]};
    op = node.op;
    path = node.path;
    detail = "checks its words";
  }

  void run(RunContext&) override {
    const int32_t* tokens = reads[0]->data<int32_t>();
    const int64_t n = core::count(reads[0]->shape);
    for (int64_t i = 0; i < n; ++i) {
      if (tokens[i] >= -1 && tokens[i] < vocabulary_) continue;
      core::fail("ERR_DATA", label_, ": expected words 0..", vocabulary_ - 1, " or -1, got ", tokens[i], " at place ",
                 i);
    }
    const int32_t* second = reads[2]->data<int32_t>();
    const int64_t count = core::count(reads[2]->shape);
    if (!is_tree_) return expect_below(label_, "other words", second, count, vocabulary_, "place");
    const int32_t* starts = reads[1]->data<int32_t>();
    for (int64_t i = 0; i < vocabulary_; ++i) {
      const int64_t length = int64_t(starts[i + 1]) - starts[i];
      if (starts[i] >= 0 && starts[i + 1] <= count && length >= 0 && length <= WordPairs::kMostOutputs) continue;
      core::fail("ERR_DATA", label_, ": expected codes of 0 to ", WordPairs::kMostOutputs, " numbers among ", count,
                 ", got ", starts[i], " to ", starts[i + 1], " of word ", i);
    }
    expect_below(label_, "codes", second, count, 2 * nodes_, "place");
  }

 private:
  const std::string label_;
  const int64_t vocabulary_, nodes_;
  const bool is_tree_;
};

class Word2vecStep : public Step {
 public:
  Word2vecStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, const Settings& settings)
      : settings_(settings) {
    reads.assign(inputs.begin(), inputs.end());
    for (size_t i = 0; i < 4; ++i) writes.push_back(builder.output(node, i));
    threads_ = builder.threads();
    writes.push_back(builder.scratch(size_t(threads_) * room() * sizeof(float)));
    // A table that something else is read from must outlive what is written over it.
    for (size_t table = 0; table < 2; ++table) {
      const auto is_shared = [&](const program::Slot* read) { return read->storage == reads[table]->storage; };
      if (std::count_if(reads.begin(), reads.end(), is_shared) == 1) in_place.emplace_back(writes[table], reads[table]);
    }
    may_wait = true;
  }

  void run(RunContext& context) override {
    for (size_t i = 0; i < 2; ++i) copy(context, reads[i], writes[i]);
    auto *inputs = writes[0]->data<float>(), *outputs = writes[1]->data<float>();
    const int64_t width = reads[kInputs]->shape[1];
    std::array<double, 2> sums{};
    std::mutex adding;
    parallel_for(
        context.threads, core::count(reads[kTokens]->shape), kAlone,
        [&](int64_t begin, int64_t end) {
          float* own = writes[4]->data<float>() + size_t(own_part().id) * room();
          auto* words = reinterpret_cast<int32_t*>(own + width);
          Walk walk(settings_, reads, inputs, outputs, words, own);
          walk.run(begin, end);
          const std::lock_guard<std::mutex> alone(adding);
          sums = {sums[0] + walk.loss(), sums[1] + walk.scores()};
        },
        1);
    *writes[2]->data<float>() = float(sums[0]);
    *writes[3]->data<float>() = float(sums[1]);
  }

 private:
  // Floats that a thread works in, in whole lines of memory.
  size_t room() const { return size_t((reads[kInputs]->shape[1] + 2 * settings_.longest + 15) / 16 * 16); }

  static void copy(RunContext& context, const program::Slot* from, const program::Slot* to) {
    const char* source = from->data<char>();
    char* target = to->data<char>();
    if (target == source) return;
    const auto part = [&](int64_t begin, int64_t end) {
      std::memcpy(target + begin, source + begin, size_t(end - begin));
    };
    parallel_for(context.threads, core::count(from->shape) * int64_t(sizeof(float)), kCopied, part, 64);
  }

  const Settings settings_;
  int threads_;
};

std::unique_ptr<Step> make_words(Builder& builder, const NodeSpec& node, bool is_tree) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < kCount; ++i) inputs.push_back(builder.row_major(builder.input(node, i)));
  const Settings settings{program::get_string(node, "model") == "cbow",
                          is_tree,
                          program::get_int(node, "window"),
                          is_tree ? 0 : program::get_int(node, "negatives"),
                          program::get_int(node, "longest"),
                          uint32_t(program::get_int(node, "stream"))};
  builder.add_step(std::make_unique<CheckWordsStep>(node, inputs, is_tree));
  return std::make_unique<Word2vecStep>(builder, node, inputs, settings);
}

}  // namespace

std::unique_ptr<Step> make_word2vec(Builder& builder, const NodeSpec& node) { return make_words(builder, node, false); }
std::unique_ptr<Step> make_word2vecTree(Builder& builder, const NodeSpec& node) {
  return make_words(builder, node, true);
}

}  // namespace ostrich::cpu
