// The parser accepts what FORMAT.md describes and refuses each kind of bad text with words that say where and why.
#include "program_text.h"

namespace ostrich::test {
namespace {

TEST(Parse, ReadsAProgram) {
  const program::ProgramSpec spec = program::parse(training_program().dump());
  EXPECT_EQ(spec.name, "tiny/train");
  EXPECT_EQ(spec.values.size(), 15u);
  EXPECT_EQ(spec.feeds[1].name, "labels");
  EXPECT_EQ(spec.states[0].value, 2);
  EXPECT_EQ(spec.constants[0].data, std::vector<double>{0.25});
  EXPECT_EQ(spec.nodes[1].label(), "matmul[fc]");
  EXPECT_EQ(spec.nodes[1].inputs, (std::vector<int>{5, 2, 3}));
  EXPECT_EQ(spec.assigns[1].value, 12);
  EXPECT_EQ(spec.fetches[0].value, 14);
}

TEST(Parse, AllowsTf32OnlyWhereTheProgramSaysSo) {
  json program = training_program();
  EXPECT_FALSE(program::parse(program.dump()).tf32);
  program["math"] = "tf32";
  EXPECT_TRUE(program::parse(program.dump()).tf32);
}

struct Bad {
  const char* where;  // JSON pointer
  json value;         // null: removed
  const char* expected;
};

// The name of each case in reports.
void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.where << " = " << (bad.value.is_null() ? "absent" : bad.value.dump());
}

class ParseRefuses : public testing::TestWithParam<Bad> {};

TEST_P(ParseRefuses, OneBrokenPlace) {
  json program = training_program();
  ASSERT_EQ(refusal(program), "");
  const json::json_pointer pointer(GetParam().where);
  if (GetParam().value.is_null()) {
    program.at(pointer.parent_pointer()).erase(pointer.back());
  } else {
    program[pointer] = GetParam().value;
  }
  const std::string message = refusal(program);
  EXPECT_HAS(message, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, ParseRefuses,
    testing::Values(
        Bad{"/format", "other", "program: format: expected ostrich-program, got \"other\""},
        Bad{"/version", 2, "program: version: expected version 1, got 2"},
        Bad{"/math", "f16", "program: math: expected tf32, got \"f16\""},
        Bad{"/math", 1, "program: math: expected a string, got 1"}, Bad{"/name", "", "program: name: expected a name"},
        Bad{"/feeds", nullptr, "expected a member feeds, got none"},
        Bad{"/feeds", 3, "program: feeds: expected a list, got 3"},
        Bad{"/feeds/0/value", 1, "program: feeds[0].value: expected the next value number 0, got 1"},
        Bad{"/feeds/1/name", "x", "program: feeds[1].name: expected a name of its own, got \"x\" twice"},
        Bad{"/feeds/0/dtype", "f64", "program: feeds[0].dtype: expected f32, bf16, i32 or u8, got \"f64\""},
        Bad{"/feeds/0/shape/0", 0, "program: feeds[0].shape[0]: expected an integer from 1"},
        Bad{"/feeds/0/shape/0", -4, "got -4"}, Bad{"/feeds/0/shape/0", 4.5, "got 4.5"},
        Bad{"/feeds/0/shape/0", uint64_t(1) << 63, "got 9223372036854775808"},
        Bad{"/feeds/0/shape", json(9, 1), "expected at most 8 axes, got 9"},
        Bad{"/feeds/0/shape", json(2, 1 << 30), "expected at most 1099511627776 bytes"},
        Bad{"/states/0/shape", "x", "program: states[0].shape: expected a list, got \"x\""},
        Bad{"/constants/0/data", json(2, 1), "program: constants[0].data: expected 1 or 1 numbers, got 2"},
        Bad{"/constants/0/data/0", "a", "constants[0].data[0]: expected a finite number of f32, got \"a\""},
        Bad{"/constants/0/data/0", 1e300, "expected a finite number of f32"},
        Bad{"/nodes/0/op", "evil", "program: nodes[0].op: expected a kernel of ops.def, got \"evil\""},
        Bad{"/nodes/0/attrs", json::array(), "program: nodes[0].attrs: expected an object"},
        Bad{"/nodes/0/in/0", 5, "program: nodes[0].in[0]: expected an integer from 0 to 4, got 5"},
        Bad{"/nodes/0/in/0", -1, "got -1"}, Bad{"/nodes/0/out", json::array(), "expected at least one output"},
        Bad{"/nodes/1/out/0/value", 7, "nodes[1].out[0].value: expected the next value number 6, got 7"},
        Bad{"/nodes/1/out/0/shape", json(2, 4), "matmul[fc]: output 0: expected f32[4, 3], got f32[4, 4]"},
        Bad{"/nodes/1/attrs/sumA", nullptr, "matmul[fc]: expected attribute sumA, got none"},
        Bad{"/nodes/1/attrs/beta", 1, "matmul[fc]: expected no attribute \"beta\", got 1"},
        Bad{"/nodes/1/attrs/sumA", 1, "matmul[fc]: attribute sumA: expected true or false, got 1"},
        Bad{"/assigns/0/state", 1, "program: assigns[0].state: expected a state, got value 1"},
        Bad{"/assigns/1/state", 2, "expected one assignment of state w, got two"},
        Bad{"/assigns/0/value", 12, "program: assigns[0].value: expected f32[3, 6] for state w, got f32[3]"},
        Bad{"/fetches/0/value", 15, "program: fetches[0].value: expected an integer from 0 to 14, got 15"},
        Bad{"/fetches/0/name", 1, "program: fetches[0].name: expected a string, got 1"}));

TEST(Parse, RefusesWhatIsNotJson) {
  EXPECT_HAS(refusal(std::string("")), "expected JSON");
  EXPECT_HAS(refusal(std::string("[1,")), "expected JSON");
  EXPECT_HAS(refusal(std::string("[]")), "expected an object, got []");
  EXPECT_HAS(refusal(std::string("{\"format\": \"\xff\"}")), "expected JSON");
  EXPECT_HAS(refusal(std::string("{\"version\": 1e999}")), "expected JSON");
}

TEST(Parse, RefusesHostileNestingAndLength) {
  EXPECT_HAS(refusal(std::string(size_t{1} << 20, '[')), "expected nesting of at most 16");
  json deep = 1;
  for (int i = 0; i < 20; ++i) deep = json::array({deep});
  json program = training_program();
  program["nodes"][0]["attrs"]["chain"] = deep;
  EXPECT_HAS(refusal(program), "expected nesting of at most 16");
  EXPECT_HAS(refusal(std::string((size_t{256} << 20) + 1, ' ')), "expected at most 268435456 bytes");
}

TEST(Parse, KeepsMessagesShort) {
  json program = training_program();
  program["nodes"][0]["op"] = std::string(1 << 20, 'a');
  EXPECT_LT(refusal(program).size(), 300u);
  program = training_program();
  program["feeds"][0]["dtype"] = json::array({std::string(1 << 20, 'a')});
  EXPECT_LT(refusal(program).size(), 300u);
}

TEST(Parse, RefusesEveryTruncation) {
  const std::string text = training_program().dump();
  for (size_t length = 0; length < text.size(); ++length) EXPECT_NE(refusal(text.substr(0, length)), "") << length;
}

}  // namespace
}  // namespace ostrich::test
