// 100,000 seeded mutations of valid programs: each is accepted or refused with ERR_PROGRAM, and nothing crashes.
// OSTRICH_FUZZ=1000000 runs longer; OSTRICH_FUZZ_SEED chooses another sequence.
#include <cstdlib>
#include <random>

#include "program_text.h"

namespace ostrich::test {
namespace {

size_t number(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string mutate(const json& program) {
    if (below(3) == 0) return mutate_text(program.dump());
    json changed = program;
    for (size_t i = 0, n = 1 + below(3); i < n; ++i) mutate_tree(changed);
    return changed.dump(-1, ' ', false, json::error_handler_t::replace);
  }

 private:
  size_t below(size_t n) { return size_t(random_() % n); }

  std::string mutate_text(std::string text) {
    for (size_t i = 0, n = 1 + below(8); i < n && !text.empty(); ++i) {
      const size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = char(random_());
          break;
        case 1:
          text.erase(at, 1 + below(20));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(40)));
          break;
        default:
          text.insert(at, 1, "0123456789-.[]{}\",:e"[below(20)]);
      }
    }
    return text;
  }

  // Any value of the tree, every level as likely.
  json& pick(json& root) {
    json* at = &root;
    while (at->is_structured() && !at->empty() && below(6) != 0) {
      auto next = at->begin();
      std::advance(next, std::ptrdiff_t(below(at->size())));
      at = &*next;
    }
    return *at;
  }

  void mutate_tree(json& root) {
    json& target = pick(root);
    if (target.is_array() && !target.empty() && below(2) == 0) {
      if (below(2) == 0) {
        target.erase(below(target.size()));
      } else {
        target.push_back(target[below(target.size())]);
      }
      return;
    }
    if (target.is_object() && !target.empty() && below(2) == 0) {
      auto member = target.begin();
      std::advance(member, std::ptrdiff_t(below(target.size())));
      target.erase(member);
      return;
    }
    target = replacement(root);
  }

  json replacement(json& root) {
    static const json odd = json::parse(R"([0, 1, -1, 2, 3, 7, 15, 16, 255, 2147483647, 2147483648, 9223372036854775807,
      -9223372036854775808, 18446744073709551615, 0.5, -0.0, 1e308, 1e-320, true, false, null, "", "f32", "bf16", "i32",
      "u8", "relu", "matmul", "pointwise", "conv2d", "pad", [], {}, {"c": 1e39}, [1, 2, 3, 4]])");
    return below(3) == 0 ? json(pick(root)) : odd[below(odd.size())];
  }

  std::mt19937_64 random_;
};

// One program for each family, so that every check is reached.
std::vector<json> seeds() {
  const std::string geometry =
      R"("stride": [2, 1], "padding": [1, 0, 1, 2], "dilation": [1, 2], "groups": 2, "dtype": "f32")";
  const std::string window = R"("kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1])";
  return {
      training_program(),
      one_node("conv2d", "f32[2,4,7,8] f32[6,2,3,2] f32[6]", "f32[2,6,4,8]",
               "{" + geometry + R"(, "activation": "relu"})"),
      one_node("conv2dGradWeight", "f32[2,4,7,8] f32[2,6,4,8]", "f32[6,2,3,2] f32[6]",
               "{" + geometry + R"(, "kernel": [3, 2], "sumDy": true})"),
      one_node("maxPool2d", "bf16[2,4,7,8]", "bf16[2,4,4,4] u8[2,4,4,4]", "{" + window + "}"),
      one_node("avgPool2dGrad", "f32[2,4,4,4]", "f32[2,4,7,8]",
               "{" + window + R"(, "countPadding": false, "size": [7, 8]})"),
      one_node("slice", "i32[5,6]", "i32[2,3]", R"({"start": [1, 2], "size": [2, 3]})"),
      one_node("concat", "u8[5,6] u8[5,2]", "u8[5,8]", R"({"axis": 1})"),
      one_node("pad", "f32[5,6]", "f32[6,9]", R"({"before": [1, 1], "after": [0, 2], "value": 0.5})"),
      one_node("transpose", "f32[5,6,2]", "f32[2,5,6]", R"({"perm": [2, 0, 1]})"),
      one_node("scatterAdd", "i32[5,2] f32[5,2,3]", "f32[9,3]", R"({"rows": 9})"),
      one_node("dropout", "f32[5] i32[2] i32[]", "f32[5]", R"({"rate": 0.5, "stream": 3})"),
  };
}

TEST(Fuzz, MutatedProgramsAreAcceptedOrRefused) {
  const std::vector<json> programs = seeds();
  for (const json& program : programs) ASSERT_EQ(refusal(program), "") << program;
  Mutator mutator(number("OSTRICH_FUZZ_SEED", 1));
  size_t accepted = 0;
  const size_t rounds = number("OSTRICH_FUZZ", 100000);
  for (size_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
    accepted += refusal(mutator.mutate(programs[i % programs.size()])).empty();
  }
  EXPECT_GT(accepted, rounds / 1000);  // some mutations change nothing that matters
  EXPECT_LT(accepted, rounds / 2);     // most break a rule, and are seen
}

}  // namespace
}  // namespace ostrich::test
