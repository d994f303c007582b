// ctc: the loss of each row of logits [T, N, K] and, where somebody reads it, its gradient. Rows are shared out among
// threads; labels and lengths of all are checked before anything is written.
#include <cstring>
#include <limits>

#include "core/error.h"
#include "cpu/builder.h"
#include "cpu/kernels/bad_row.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 4096;  // classes and states of all frames below which one thread does it all

int64_t whole_lines(int64_t floats) { return (floats + 15) / 16 * 16; }

class CtcStep : public Step {
 public:
  CtcStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs)
      : label_(node.label()),
        allows_impossible_(program::get_string(node, "impossible") == "infinity"),
        blank_(int32_t(program::get_int(node, "blank"))),
        frames_(inputs[0]->shape[0]),
        rows_(inputs[0]->shape[1]),
        classes_(inputs[0]->shape[2]),
        most_labels_(inputs[1]->shape[1]),
        width_(whole_lines(most_labels_ + 2)) {
    can_fail = true;
    reads.assign(inputs.begin(), inputs.end());
    writes = {builder.output(node, 0)};
    if (builder.is_used(node, 1)) {
      writes.push_back(gradient_ = builder.output(node, 1));
      if (reads[0]->dtype == core::DType::f32) in_place = {{gradient_, reads[0]}};
    }
    sums_ = (gradient_ != nullptr ? frames_ : 2) * 2 * width_;
    values_ = gradient_ != nullptr ? 0 : whole_lines(frames_ * classes_);
    // Of a thread: sums, work, what differs, log-probabilities, and the labels in both orders.
    floats_ = sums_ + (6 + 2) * width_ + values_;
    thread_bytes_ = size_t(floats_) * sizeof(float) + size_t(2 * width_) * sizeof(int32_t);
    writes.push_back(scratch_ = builder.scratch(size_t(builder.threads()) * thread_bytes_));
  }

  void run(RunContext& context) override {
    expect_fitting();
    const bool alone = rows_ * frames_ * (classes_ + most_labels_) <= kAlone;
    parallel_tasks(context.threads, rows_, alone, [&](int64_t row) { do_row(row); });
  }

 private:
  const int32_t* labels_of(int64_t row) const { return reads[1]->data<int32_t>() + row * most_labels_; }
  int64_t label_count(int64_t row) const { return reads[2]->data<int32_t>()[row]; }
  int64_t frame_count(int64_t row) const { return reads[3]->data<int32_t>()[row]; }

  void expect_fitting() const {
    expect_below(label_, "label lengths", reads[2]->data<int32_t>(), rows_, most_labels_ + 1, "row");
    expect_below(label_, "frame lengths", reads[3]->data<int32_t>(), rows_, frames_ + 1, "row");
    for (int64_t row = 0; row < rows_; ++row) {
      const int32_t* labels = labels_of(row);
      int64_t needed = label_count(row);
      for (int64_t i = 0; i < label_count(row); ++i) {
        if (labels[i] < 0 || labels[i] >= classes_ || labels[i] == blank_) {
          core::fail("ERR_DATA", label_, ": expected labels 0..", classes_ - 1, " other than the blank, got ",
                     labels[i], " at row ", row);
        }
        if (i > 0 && labels[i] == labels[i - 1]) ++needed;
      }
      if (needed > frame_count(row) && !allows_impossible_) {
        core::fail("ERR_DATA", label_, ": expected at least ", needed, " frames for the labels of row ", row, ", got ",
                   frame_count(row));
      }
    }
  }

  simd::CtcRow prepare(int64_t row) const {
    char* own = scratch_->data<char>() + size_t(own_part().id) * thread_bytes_;
    auto* floats = reinterpret_cast<float*>(own);
    auto* classes = reinterpret_cast<int32_t*>(floats + floats_);
    float *work = floats + sums_, *differs = work + 6 * width_, *values = differs + 2 * width_;
    const int32_t* labels = labels_of(row);
    const int64_t count = label_count(row);
    for (int order : {0, 1}) {
      int32_t* to = classes + order * width_;
      for (int64_t i = 0; i < count; ++i) to[i] = labels[order == 0 ? i : count - 1 - i];
      float* differ = differs + order * width_;
      for (int64_t i = 0; i < width_; ++i) differ[i] = i > 0 && i < count && to[i] != to[i - 1] ? 1.0f : 0.0f;
    }
    const bool is_kept = gradient_ != nullptr;
    return {frame_count(row),
            count,
            classes_,
            width_,
            blank_,
            {classes, classes + width_},
            {differs, differs + width_},
            is_kept ? gradient_->data<float>() + row * classes_ : values,
            is_kept ? rows_ * classes_ : classes_,
            floats,
            work};
  }

  // log(softmax) of each of the row's frames; it may lie where the logits do.
  void read_logits(int64_t row, const simd::CtcRow& to) const {
    const simd::Table& table = simd::table();
    const size_t size = core::size_of(reads[0]->dtype);
    for (int64_t t = 0; t < to.frames; ++t) {
      const char* logits = reads[0]->data<char>() + size_t((t * rows_ + row) * classes_) * size;
      float* values = to.values + t * to.stride;
      const bool is_narrow = reads[0]->dtype == core::DType::bf16;
      if (is_narrow) table.f32_from_bf16(values, logits, logits, logits, classes_);
      table.log_softmax[simd::kF32](values, is_narrow ? reinterpret_cast<const char*>(values) : logits, classes_);
    }
  }

  void do_row(int64_t row) const {
    const simd::Table& table = simd::table();
    const simd::CtcRow of = prepare(row);
    // Of no frames, no labels are all that there can be.
    double likelihood = of.labels == 0 ? 0 : -std::numeric_limits<double>::infinity();
    if (of.frames > 0) {
      read_logits(row, of);
      likelihood = table.ctc_log_likelihood(of, gradient_ != nullptr);
    }
    writes[0]->data<float>()[row] = float(0 - likelihood);
    if (gradient_ == nullptr) return;
    const bool is_impossible = likelihood == -std::numeric_limits<double>::infinity();
    if (of.frames > 0 && !is_impossible) table.ctc_gradient(of);
    for (int64_t t = is_impossible ? 0 : of.frames; t < frames_; ++t) {
      std::memset(of.values + t * of.stride, 0, size_t(classes_) * sizeof(float));
    }
  }

  const std::string label_;
  const bool allows_impossible_;
  const int32_t blank_;
  const int64_t frames_, rows_, classes_, most_labels_, width_;
  int64_t sums_ = 0, values_ = 0, floats_ = 0;
  size_t thread_bytes_ = 0;
  program::Slot *gradient_ = nullptr, *scratch_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_ctc(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < 4; ++i) inputs.push_back(builder.row_major(builder.input(node, i)));
  return std::make_unique<CtcStep>(builder, node, inputs);
}

}  // namespace ostrich::cpu
