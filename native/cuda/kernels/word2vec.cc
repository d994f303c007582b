// word2vec and word2vecTree: what chooses rows is looked at first, then warps go through the text.
#include "cuda/kernels/word2vec.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "cuda/kernels/strided_copy.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

enum Input { kInputs, kOutputs, kTokens, kKept, kFirst, kSecond, kRate, kSeed, kStep, kCount };

class CheckWordsStep : public Step {
 public:
  CheckWordsStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, const Word2vecArgs& args)
      : args_(args) {
    can_fail = true;
    reads = {inputs[kTokens], inputs[kFirst], inputs[kSecond]};
    op = node.op;
    path = node.path;
    detail = "word2vec_check";
    kernel_ = builder.kernel("word2vec", detail);
  }

  void run(CUstream stream) override {
    args_.tokens = reads[0]->data<const int32_t>();
    if (args_.is_tree) args_.starts = reads[1]->data<const int32_t>();
    args_.second = reads[2]->data<const int32_t>();
    kernel_.launch(stream, grid_for(std::max({args_.count, args_.codes, args_.words})), kThreads, args_);
  }

 private:
  Kernel kernel_;
  Word2vecArgs args_;
};

class Word2vecStep : public Step {
 public:
  Word2vecStep(Builder& builder, const std::vector<Slot*>& inputs, std::vector<Slot*> outputs, const Word2vecArgs& args)
      : copies_{StridedCopy(builder, {{core::count(inputs[0]->shape), 1, 1}}, inputs[0], 0, outputs[0], 0),
                StridedCopy(builder, {{core::count(inputs[1]->shape), 1, 1}}, inputs[1], 0, outputs[1], 0)},
        args_(args) {
    reads.assign(inputs.begin(), inputs.end());
    writes.assign(outputs.begin(), outputs.end());
    // A table that something else is read from must outlive what is written over it.
    for (size_t table = 0; table < 2; ++table) {
      const auto is_shared = [&](const program::Slot* read) { return read->storage == reads[table]->storage; };
      if (std::count_if(reads.begin(), reads.end(), is_shared) == 1) in_place.emplace_back(writes[table], reads[table]);
    }
    is_guarded = true;
    may_wait = true;
    detail = "word2vec";
    start_ = builder.kernel("word2vec", "word2vec_start");
    kernel_ = builder.kernel("word2vec", detail);
  }

  void run(CUstream stream) override {
    for (size_t i = 0; i < 2; ++i) {
      if (writes[i]->data<char>() != reads[i]->data<char>()) copies_[i].run(stream);
    }
    args_.inputs = writes[0]->data<float>();
    args_.outputs = writes[1]->data<float>();
    args_.loss = writes[2]->data<float>();
    args_.scores = writes[3]->data<float>();
    args_.tokens = reads[kTokens]->data<const int32_t>();
    args_.kept = reads[kKept]->data<const float>();
    if (args_.is_tree) {
      args_.starts = reads[kFirst]->data<const int32_t>();
    } else {
      args_.chosen = reads[kFirst]->data<const float>();
    }
    args_.second = reads[kSecond]->data<const int32_t>();
    args_.rate = reads[kRate]->data<const float>();
    args_.seed = reads[kSeed]->data<const uint32_t>();
    args_.step = reads[kStep]->data<const uint32_t>();
    const int64_t parts = (args_.count + kWordPart - 1) / kWordPart;
    start_.launch(stream, {1}, 32, args_);
    kernel_.launch(stream, {unsigned(std::clamp<int64_t>(parts, 1, 4 * kMaxBlocks))}, 32, args_);
  }

 private:
  StridedCopy copies_[2];
  Kernel start_, kernel_;
  Word2vecArgs args_;
};

std::unique_ptr<Step> make_words(Builder& builder, const NodeSpec& node, bool is_tree) {
  std::vector<Slot*> inputs, outputs;
  for (size_t i = 0; i < kCount; ++i) inputs.push_back(builder.row_major(builder.input(node, i)));
  for (size_t i = 0; i < 4; ++i) outputs.push_back(builder.output(node, i));
  Word2vecArgs args{};
  args.count = core::count(inputs[kTokens]->shape);
  args.words = inputs[kInputs]->shape[0];
  args.nodes = inputs[kOutputs]->shape[0];
  args.codes = core::count(inputs[kSecond]->shape);
  args.width = inputs[kInputs]->shape[1];
  args.window = program::get_int(node, "window");
  args.negatives = is_tree ? 0 : program::get_int(node, "negatives");
  args.longest = program::get_int(node, "longest");
  args.stream = uint32_t(program::get_int(node, "stream"));
  args.is_cbow = program::get_string(node, "model") == "cbow";
  args.is_tree = is_tree;
  args.fault = builder.fault();
  args.word_site = builder.fault_site(node, FaultKind::word, args.words);
  args.other_site = builder.fault_site(node, FaultKind::index, args.words);
  args.start_site = builder.fault_site(node, FaultKind::code, kWordOutputs + 1);
  args.code_site = builder.fault_site(node, FaultKind::code, 2 * args.nodes);
  builder.add_step(std::make_unique<CheckWordsStep>(builder, node, inputs, args));
  return std::make_unique<Word2vecStep>(builder, inputs, outputs, args);
}

}  // namespace

std::unique_ptr<Step> make_word2vec(Builder& builder, const NodeSpec& node) { return make_words(builder, node, false); }
std::unique_ptr<Step> make_word2vecTree(Builder& builder, const NodeSpec& node) {
  return make_words(builder, node, true);
}

}  // namespace ostrich::cuda
