// Group normalisation over row-major x [N, C, ...], whose groups are runs of neighbours, and its gradient. With a place
// for each channel (layer normalisation) a run has a scale and a shift for each element, otherwise for each channel.
// What is summed over examples is summed in parts that depend on the extents alone.
#include <algorithm>
#include <cmath>

#include "cpu/builder.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 8192;    // elements below which one thread does it all
constexpr int64_t kPiece = 8192;    // elements that are summed in f32
constexpr int64_t kParts = 64;      // of the examples: one sum of parameters' gradients each, at least
constexpr int64_t kPartRows = 256;  // and at most so many examples

class GroupsStep : public Step {
 public:
  GroupsStep(const NodeSpec& node, const Slot* x)
      : kind_(x->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32),
        examples_(x->shape[0]),
        channels_(x->shape[1]),
        groups_(program::get_int(node, "groups")),
        members_(channels_ / groups_),
        places_(core::count(x->shape) / (examples_ * channels_)),
        epsilon_(program::get_number(node, "epsilon")) {
    detail = std::to_string(examples_ * groups_) + " runs of " + std::to_string(length());
  }

 protected:
  int64_t length() const { return members_ * places_; }
  char* at(program::Slot* slot, int64_t element) const {
    return slot->data<char>() + size_t(element) * core::size_of(slot->dtype);
  }
  template <class F>
  void for_runs(RunContext& context, F&& body) const {
    parallel_for(
        context.threads, examples_ * groups_, std::max<int64_t>(1, kAlone / length()),
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) body(i);
        },
        1);
  }

  const int kind_;
  const int64_t examples_, channels_, groups_, members_, places_;
  const double epsilon_;
};

class GroupNormStep : public GroupsStep {
 public:
  GroupNormStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs) : GroupsStep(node, inputs[0]) {
    reads.assign(inputs.begin(), inputs.end());
    for (size_t i = 0; i < 3; ++i) writes.push_back(builder.output(node, i));
    const bool alone = reads[1]->storage != reads[0]->storage && reads[2]->storage != reads[0]->storage;
    if (alone) in_place = {{writes[0], reads[0]}};
  }
  void run(RunContext& context) override {
    for_runs(context, [&](int64_t i) {
      double mean = 0, variance = 0;
      find_moments(i, &mean, &variance);
      writes[1]->data<float>()[i] = float(mean);
      writes[2]->data<float>()[i] = float(variance);
      normalise(i, mean, 1 / std::sqrt(variance + epsilon_));
    });
  }

 private:
  // Joins moments as Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
  void find_moments(int64_t i, double* mean, double* variance) const {
    double count = 0, squares = 0;
    for (int64_t begin = 0; begin < length(); begin += kPiece) {
      const int64_t n = std::min(kPiece, length() - begin);
      float part_mean = 0, part_squares = 0;
      simd::table().moments[kind_](&part_mean, &part_squares, at(reads[0], i * length() + begin), {n, 1, 1});
      const double total = count + double(n), apart = double(part_mean) - *mean;
      *mean += apart * double(n) / total;
      squares += double(part_squares) + apart * apart * count * double(n) / total;
      count = total;
    }
    *variance = squares / count;
  }

  void normalise(int64_t i, double mean, double inverse) const {
    const int64_t first = i % groups_ * members_;
    const float *scale = reads[1]->data<float>() + first, *shift = reads[2]->data<float>() + first;
    const simd::Table& table = simd::table();
    const int64_t start = i * length();
    if (places_ == 1) {
      table.norm_features[kind_](at(writes[0], start), at(reads[0], start), members_, float(mean), float(inverse),
                                 scale, shift);
      return;
    }
    for (int64_t c = 0; c < members_; ++c) {
      const double slope = double(scale[c]) * inverse;
      const float a = float(slope), b = float(double(shift[c]) - mean * slope);
      const int64_t from = start + c * places_;
      table.affine[kind_](at(writes[0], from), at(reads[0], from), nullptr, {places_, 1, 1}, &a, &b, false);
    }
  }
};

// dy, x, scale, mean, variance -> dx, dscale, dshift
class GroupNormGradStep : public GroupsStep {
 public:
  GroupNormGradStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs)
      : GroupsStep(node, inputs[1]),
        part_(std::clamp<int64_t>((examples_ + kParts - 1) / kParts, 1, kPartRows)),
        parts_(places_ == 1 ? (examples_ + part_ - 1) / part_ : examples_) {
    reads.assign(inputs.begin(), inputs.end());
    for (size_t i = 0; i < 3; ++i) writes.push_back(builder.output(node, i));
    // By part of the examples, or by example, two sums for each channel.
    writes.push_back(builder.scratch(size_t(parts_ * 2 * channels_) * sizeof(float)));
    for (size_t i = 0; i < 2; ++i) {
      const program::Slot* lender = reads[i];
      bool alone = true;
      for (size_t j = 0; j < reads.size(); ++j) alone = alone && (j == i || reads[j]->storage != lender->storage);
      if (alone) in_place.emplace_back(writes[0], reads[i]);
    }
  }
  void run(RunContext& context) override {
    float* partials = writes[3]->data<float>();
    const int64_t grain = std::max<int64_t>(1, kAlone / (channels_ * places_ * (places_ == 1 ? part_ : 1)));
    parallel_for(
        context.threads, parts_, grain,
        [&](int64_t begin, int64_t end) {
          for (int64_t part = begin; part < end; ++part) {
            float* sums = partials + part * 2 * channels_;
            places_ == 1 ? of_features(part, sums) : of_channels(part, sums);
          }
        },
        1);
    float *dscale = writes[1]->data<float>(), *dshift = writes[2]->data<float>();
    parallel_for(context.threads, channels_, std::max<int64_t>(64, kAlone / parts_), [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        double scale = 0, shift = 0;
        for (int64_t part = 0; part < parts_; ++part) {
          scale += double(partials[part * 2 * channels_ + c]);
          shift += double(partials[(part * 2 + 1) * channels_ + c]);
        }
        dscale[c] = float(scale);
        dshift[c] = float(shift);
      }
    });
  }

 private:
  double inverse(int64_t i) const { return 1 / std::sqrt(double(reads[4]->data<float>()[i]) + epsilon_); }

  void of_features(int64_t part, float* sums) const {
    std::fill(sums, sums + 2 * channels_, 0.0f);
    const auto row = simd::table().norm_features_grad[kind_];
    for (int64_t n = part * part_; n < std::min(examples_, (part + 1) * part_); ++n) {
      for (int64_t g = 0; g < groups_; ++g) {
        const int64_t i = n * groups_ + g, start = i * members_, c = g * members_;
        row(at(writes[0], start), sums + c, sums + channels_ + c, at(reads[0], start), at(reads[1], start), members_,
            reads[3]->data<float>()[i], float(inverse(i)), reads[2]->data<float>() + c);
      }
    }
  }

  // With r = inverse and g = scale dy: dx = r (g - mean(g) - (x - mean) r^2 mean(g (x - mean))).
  void of_channels(int64_t n, float* sums) const {
    const simd::Table& table = simd::table();
    for (int64_t g = 0; g < groups_; ++g) {
      const int64_t i = n * groups_ + g, first = g * members_;
      const float* scale = reads[2]->data<float>() + first;
      const float mean = reads[3]->data<float>()[i], zero = 0;
      const simd::NormFactors factors{&mean, &zero, &zero};
      const double r = inverse(i);
      double all = 0, products = 0;
      for (int64_t c = 0; c < members_; ++c) {
        double sum = 0, product = 0;
        sum_channel(i * length() + c * places_, factors, &sum, &product);
        all += double(scale[c]) * sum;
        products += double(scale[c]) * product;
        sums[first + c] = float(r * product);
        sums[channels_ + first + c] = float(sum);
      }
      const float q = float(-r * r * r * products / double(length())), t = float(-r * all / double(length()));
      for (int64_t c = 0; c < members_; ++c) {
        const float p = float(r * double(scale[c]));
        const int64_t from = i * length() + c * places_;
        table.norm_grad[kind_](at(writes[0], from), at(reads[0], from), at(reads[1], from), {places_, 1, 1}, factors,
                               &p, &q, &t, false);
      }
    }
  }

  void sum_channel(int64_t from, const simd::NormFactors& factors, double* sum, double* product) const {
    for (int64_t begin = 0; begin < places_; begin += kPiece) {
      const int64_t n = std::min(kPiece, places_ - begin);
      float one = 0, two = 0;
      simd::table().norm_grad_sums[kind_](&one, &two, at(reads[0], from + begin), at(reads[1], from + begin), {n, 1, 1},
                                          factors, false);
      *sum += double(one);
      *product += double(two);
    }
  }

  const int64_t part_, parts_;
};

std::vector<Slot*> plain_inputs(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(builder.row_major(builder.input(node, i)));
  return inputs;
}

}  // namespace

std::unique_ptr<Step> make_groupNorm(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GroupNormStep>(builder, node, plain_inputs(builder, node));
}

std::unique_ptr<Step> make_groupNormGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GroupNormGradStep>(builder, node, plain_inputs(builder, node));
}

}  // namespace ostrich::cpu
