// Each kernel's rule accepts a right node and refuses a wrong one.
#include "program/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "program_text.h"

namespace ostrich::test {
namespace {

// Types as words, attributes as JSON text without the braces.
struct Rule {
  const char *op, *inputs, *outputs, *attrs;
};

#define GEOMETRY R"("stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "dtype": "bf16")"
#define WINDOW R"("kernel": [2, 2], "stride": [2, 2], "padding": [0, 0, 0, 0])"
#define LRN R"("size": 5, "alpha": 0.0001, "beta": 0.75, "k": 2)"
#define X "bf16[2,3,8,8]"
#define W "bf16[5,3,3,3]"
#define Y "bf16[2,5,8,8]"
#define HALF "bf16[2,3,4,4]"

// A right node of every rule of ops.def.
constexpr Rule kRules[] = {
    {"pointwise", "f32[3] f32[2,1]", "f32[2,3]", R"("chain": [["add", "f32", 0, 1]], "outputs": [2])"},
    {"sum", "f32[2,3]", "f32[2,1]", R"("axes": [1], "keepDims": true)"},
    {"norm", "bf16[2,3]", "f32[]", ""},
    {"max", "i32[2,3]", "i32[]", R"("axes": [0, 1], "keepDims": false)"},
    {"argmax", "f32[2,3]", "i32[2]", R"("axis": 1)"},
    {"reshape", "u8[2,3]", "u8[6]", R"("shape": [6])"},
    {"transpose", "f32[2,3]", "f32[3,2]", R"("perm": [1, 0])"},
    {"broadcastTo", "f32[3]", "f32[2,3]", R"("shape": [2, 3])"},
    {"slice", "f32[4]", "f32[2]", R"("start": [2], "size": [2])"},
    {"concat", "f32[4] f32[2]", "f32[6]", R"("axis": 0)"},
    {"pad", "f32[4]", "f32[7]", R"("before": [1], "after": [2], "value": 0)"},
    {"matmul", "bf16[7,2,3] bf16[4,3] f32[4]", "f32[7,2,4]",
     R"("transposeA": false, "transposeB": true, "activation": "tanh", "dtype": "f32", "sumA": false)"},
    {"conv2d", X " " W " f32[5]", Y, GEOMETRY R"(, "activation": "relu")"},
    {"conv2dGradInput", Y " " W, X, GEOMETRY R"(, "size": [8, 8])"},
    {"conv2dGradWeight", X " " Y, W, GEOMETRY R"(, "kernel": [3, 3], "sumDy": false)"},
    {"maxPool2d", X, HALF " u8[2,3,4,4]", WINDOW},
    {"maxPool2dGrad", HALF " u8[2,3,4,4]", X, WINDOW R"(, "size": [8, 8])"},
    {"avgPool2d", X, HALF, WINDOW R"(, "countPadding": true)"},
    {"avgPool2dGrad", HALF, X, WINDOW R"(, "countPadding": true, "size": [8, 8])"},
    {"lrn", X, X, LRN},
    {"lrnGrad", X " " X, X, LRN},
    {"batchNorm", X " f32[3] f32[3] " X, X " f32[3] f32[3]", R"("epsilon": 0.00001, "activation": "relu")"},
    {"batchNormGrad", X " " X " f32[3] f32[3] f32[3] f32[3]", X " f32[3] f32[3]",
     R"("epsilon": 0.00001, "activation": "none")"},
    {"channelAffine", "f32[5,3] f32[3] f32[3]", "f32[5,3]", R"("activation": "none")"},
    {"groupNorm", "bf16[2,6,5] f32[6] f32[6]", "bf16[2,6,5] f32[2,3] f32[2,3]", R"("groups": 3, "epsilon": 0.00001)"},
    {"groupNormGrad", "f32[2,6] f32[2,6] f32[6] f32[2,3] f32[2,3]", "f32[2,6] f32[6] f32[6]",
     R"("groups": 3, "epsilon": 0.00001)"},
    {"unfold", X, "bf16[16,2,12]", WINDOW},
    {"fold", "bf16[16,2,12]", X, WINDOW R"(, "size": [8, 8])"},
    {"softmax", "f32[2,3]", "f32[2,3]", ""},
    {"logSoftmax", "bf16[3]", "bf16[3]", ""},
    {"cumsum", "f32[2,3]", "f32[2,3]", ""},
    {"cumsumGrad", "bf16[3]", "bf16[3]", ""},
    {"topK", "bf16[2,5]", "bf16[2,3] i32[2,3]", R"("k": 3)"},
    {"crossEntropy", "bf16[2,3] i32[2]", "f32[2] f32[2,2]", R"("smoothing": 0.1)"},
    {"crossEntropyGrad", "f32[2] bf16[2,3] i32[2] f32[2,2]", "bf16[2,3]", R"("smoothing": 0.1)"},
    {"ctc", "bf16[5,2,3] i32[2,4] i32[2] i32[2]", "f32[2] f32[5,2,3]", R"("blank": 2, "impossible": "error")"},
    {"gather", "f32[9,4] i32[2,3]", "f32[2,3,4]", ""},
    {"scatterAdd", "i32[2,3] f32[2,3,4]", "f32[9,4]", R"("rows": 9)"},
    {"coalesce", "i32[2,3] bf16[2,3,4]", "bf16[2,3,4]", R"("rows": 9)"},
    {"setRows", "f32[9,4] i32[2,3] f32[2,3,4]", "f32[9,4]", ""},
    {"word2vec", "f32[9,4] f32[9,4] i32[7] f32[9] f32[9] i32[9] f32[] i32[2] i32[]", "f32[9,4] f32[9,4] f32[] f32[]",
     R"("model": "cbow", "window": 2, "negatives": 3, "longest": 5, "stream": 1)"},
    {"word2vecTree", "f32[9,4] f32[8,4] i32[7] f32[9] i32[10] i32[30] f32[] i32[2] i32[]",
     "f32[9,4] f32[8,4] f32[] f32[]", R"("model": "skipGram", "window": 2, "longest": 5, "stream": 1)"},
    {"lstm", "bf16[2,3,16] bf16[4,16] bf16[3,4] f32[3,4] u8[2,3]", "bf16[2,3,4] f32[2,3,4] bf16[2,3,16]",
     R"("reverse": false)"},
    {"lstmGrad", "bf16[2,3,4] bf16[2,3,16] bf16[4,16] f32[2,3,4] f32[3,4] f32[2,3,4] u8[2,3]",
     "bf16[2,3,16] bf16[3,4] f32[3,4]", R"("reverse": true, "cell": true)"},
    {"rnn", "f32[2,3,4] f32[4,4] f32[3,4] u8[2,3]", "f32[2,3,4]", R"("reverse": false, "activation": "relu")"},
    {"rnnGrad", "f32[2,3,4] f32[2,3,4] f32[4,4] u8[2,3]", "f32[2,3,4] f32[3,4]",
     R"("reverse": false, "activation": "tanh")"},
    {"gru", "f32[2,3,12] f32[4,12] f32[3,4] f32[12] u8[2,3]", "f32[2,3,4] f32[2,3,16]", R"("reverse": false)"},
    {"gruGrad", "f32[2,3,4] f32[2,3,16] f32[4,12] f32[2,3,4] f32[3,4] u8[2,3]", "f32[2,3,12] f32[2,3,12] f32[3,4]",
     R"("reverse": false)"},
    {"dropout", "bf16[3] i32[2] i32[]", "bf16[3]", R"("rate": 0.5, "stream": 4294967295)"},
    {"randomUniform", "i32[2] i32[]", "f32[3]", R"("shape": [3], "stream": 0, "low": -1, "high": 1)"},
    {"randomNormal", "i32[2] i32[]", "f32[3]", R"("shape": [3], "stream": 0, "mean": 0, "std": 1)"},
};

// The index of a maximum comes from its pool: dy and x are fed, and the node under test is the last.
json max_pool_gradient() {
  json program = one_node("maxPool2d", HALF " " X, HALF " u8[2,3,4,4]", "{" WINDOW "}");
  json gradient = one_node("maxPool2dGrad", HALF, X, "{" WINDOW R"(, "size": [8, 8]})")["nodes"][0];
  program["nodes"][0]["path"] = "pool";
  program["nodes"][0]["in"] = {1};
  gradient["in"] = {0, 3};
  gradient["out"][0]["value"] = 4;
  program["nodes"].push_back(gradient);
  return program;
}

json program_of(const Rule& rule) {
  if (rule.op == std::string("maxPool2dGrad")) return max_pool_gradient();
  return one_node(rule.op, rule.inputs, rule.outputs, "{" + std::string(rule.attrs) + "}");
}

const Rule& rule_of(const std::string& op) {
  for (const Rule& rule : kRules) {
    if (rule.op == op) return rule;
  }
  throw std::out_of_range(op);
}

// What is said when one attribute is another value, given as JSON text.
std::string with_attr(const std::string& op, const char* attr, const char* value) {
  json program = program_of(rule_of(op));
  program["nodes"].back()["attrs"][attr] = json::parse(value);
  return refusal(program);
}

TEST(Check, KnowsARightNodeOfEveryRule) {
  const std::map<std::string, std::string> rules = {
#define OSTRICH_KERNEL(name, rule) {#name, #rule},
#include "program/ops.def"
  };
  std::set<std::string> tested, known;
  for (const Rule& rule : kRules) {
    EXPECT_EQ(refusal(program_of(rule)), "") << rule.op;
    tested.insert(rules.at(rule.op));
  }
  for (const auto& [kernel, rule] : rules) known.insert(rule);
  EXPECT_EQ(tested, known);
  EXPECT_FALSE(program::is_kernel("tanh"));
}

TEST(Check, RefusesEveryWrongOutput) {
  for (const Rule& rule : kRules) {
    const json right = program_of(rule);
    const std::string label = std::string(rule.op) + "[here]: ";
    for (size_t i = 0; i < right["nodes"].back()["out"].size(); ++i) {
      json wrong = right;
      wrong["nodes"].back()["out"][i]["shape"].push_back(2);
      EXPECT_HAS(refusal(wrong), label);
      // What every input broadcasts to, and yet more than all of them have.
      wrong = right;
      json& shape = wrong["nodes"].back()["out"][i]["shape"];
      shape.insert(shape.begin(), 2);
      EXPECT_HAS(refusal(wrong), label);
      for (size_t axis = 0; axis < right["nodes"].back()["out"][i]["shape"].size(); ++axis) {
        wrong = right;
        json& extent = wrong["nodes"].back()["out"][i]["shape"][axis];
        extent = extent.get<int>() + 1;
        EXPECT_HAS(refusal(wrong), label);
      }
      wrong = right;
      json& dtype = wrong["nodes"].back()["out"][i]["dtype"];
      dtype = dtype == "u8" ? "i32" : "u8";
      EXPECT_HAS(refusal(wrong), label);
    }
    json wrong = right;
    json extra = wrong["nodes"].back()["out"].back();
    extra["value"] = extra["value"].get<int>() + 1;
    wrong["nodes"].back()["out"].push_back(extra);
    EXPECT_HAS(refusal(wrong), label);
  }
}

TEST(Check, RefusesEveryWrongInput) {
  for (const Rule& rule : kRules) {
    const json right = program_of(rule);
    const std::string label = std::string(rule.op) + "[here]: ";
    const bool takes_any_shape = rule.op == std::string("norm");
    for (size_t i = 0; i < right["feeds"].size() && !takes_any_shape; ++i) {
      const json& in = right["nodes"].back()["in"];
      if (std::find(in.begin(), in.end(), i) == in.end()) continue;
      json wrong = right;
      wrong["feeds"][i]["shape"].push_back(2);
      EXPECT_HAS(refusal(wrong), label);
    }
    json wrong = right;
    wrong["nodes"].back()["in"] = json::array();
    EXPECT_HAS(refusal(wrong), label);
    wrong = right;
    for (int i = 0; i < 30; ++i) wrong["nodes"].back()["in"].push_back(0);
    EXPECT_HAS(refusal(wrong), label);
  }
}

TEST(Check, RefusesEveryMissingOrMistypedAttribute) {
  for (const Rule& rule : kRules) {
    const json right = program_of(rule);
    for (const auto& [name, value] : right["nodes"].back()["attrs"].items()) {
      json wrong = right;
      wrong["nodes"].back()["attrs"].erase(name);
      EXPECT_HAS(refusal(wrong), "expected attribute " + name + ", got none");
      for (const char* other : {"null", R"(["x"])", R"("x")", "{}"}) {
        EXPECT_HAS(with_attr(rule.op, name.c_str(), other).substr(0, 99), std::string(rule.op) + "[here]: ");
      }
    }
  }
}

TEST(Check, LetsTheGradientOfAMaxPoolAloneReadItsIndex) {
  const json right = max_pool_gradient();
  const std::string own = ", which its gradient alone reads";
  json wrong = right;
  wrong["fetches"][0]["value"] = 3;
  EXPECT_HAS(refusal(wrong),
             "fetches[0].value: expected a value that may leave the program, got the index of "
             "maxPool2d[pool]" +
                 own);
  wrong = right;
  wrong["states"] = values("u8[2,3,4,4]", 2);
  for (json& node : wrong["nodes"]) {
    for (json& out : node["out"]) out["value"] = out["value"].get<int>() + 1;
  }
  wrong["nodes"][1]["in"] = {0, 4};
  EXPECT_EQ(refusal(wrong), "");
  wrong["assigns"] = {{{"state", 2}, {"value", 4}}};
  EXPECT_HAS(refusal(wrong), "assigns[0].value: expected a value that may leave the program, got the index of");
  wrong = right;
  wrong["nodes"][1] = one_node("reshape", "u8[2,3,4,4]", "u8[96]", R"({"shape": [96]})")["nodes"][0];
  wrong["nodes"][1]["in"] = {3};
  wrong["nodes"][1]["out"][0]["value"] = 4;
  EXPECT_HAS(refusal(wrong),
             "reshape[here]: input 0: expected a value that any node may read, got the index of "
             "maxPool2d[pool]" +
                 own);
  const auto other = [&](const char* pool, const char* gradient) {
    json program = right;
    program["nodes"][0]["attrs"].update(json::parse(pool));
    program["nodes"][1]["attrs"].update(json::parse(gradient));
    return refusal(program);
  };
  EXPECT_HAS(other(R"({"kernel": [1, 1]})", "{}"),
             "attribute kernel: expected [1,1] of maxPool2d[pool], whose index it "
             "reads, got [2,2]");
  EXPECT_HAS(other(R"({"kernel": [4, 4], "padding": [1, 1, 1, 1]})", R"({"kernel": [4, 4], "padding": [2, 2, 0, 0]})"),
             "attribute padding: expected [1,1,1,1]");
  EXPECT_HAS(other("{}", R"({"size": [9, 9]})"), "maxPool2dGrad[here]: output 0");
  json fed = one_node("maxPool2dGrad", HALF " u8[2,3,4,4]", X, "{" WINDOW R"(, "size": [8, 8]})");
  EXPECT_HAS(refusal(fed), "index: expected that of a maxPool2d, got another value");
}

TEST(Check, RefusesGeometryThatOverflowsOrMisses) {
  EXPECT_HAS(with_attr("conv2d", "stride", "[0, 1]"), "attribute stride: expected integers from 1");
  EXPECT_HAS(with_attr("conv2d", "padding", "[-1, 1, 1, 1]"), "attribute padding: expected integers from 0");
  EXPECT_HAS(with_attr("conv2d", "dilation", "[1099511627776, 1]"), "attribute dilation: expected integers");
  EXPECT_HAS(with_attr("conv2d", "dilation", "[2147483647, 1]"), "expected an extent of at least 4294967295");
  EXPECT_HAS(with_attr("conv2d", "groups", "3"), "that agree");
  EXPECT_HAS(with_attr("conv2d", "activation", R"("gelu")"), "expected none, relu, tanh or sigmoid, got \"gelu\"");
  EXPECT_HAS(with_attr("maxPool2d", "padding", "[2, 0, 0, 0]"), "expected less than the kernel [2, 2]");
  EXPECT_HAS(with_attr("maxPool2d", "kernel", "[17, 16]"), "expected at most 256 positions");
  EXPECT_HAS(with_attr("lrn", "size", "4"), "attribute size: expected an odd number from 1 to 63, got 4");
  EXPECT_HAS(with_attr("lrn", "size", "65"), "attribute size: expected an odd number from 1 to 63, got 65");
  EXPECT_HAS(with_attr("lrnGrad", "alpha", "-0.5"), "attribute alpha: expected a f32 of at least 0, got -0.5");
  EXPECT_HAS(with_attr("lrnGrad", "beta", "1e300"), "attribute beta: expected a f32 of at least 0, got 1e+300");
  EXPECT_HAS(with_attr("lrn", "k", "0"), "attribute k: expected more than 0, got 0");
  EXPECT_HAS(with_attr("rnn", "activation", R"("sigmoid")"), "expected tanh or relu, got \"sigmoid\"");
  EXPECT_HAS(with_attr("lstmGrad", "cell", "false"), "expected");
  EXPECT_HAS(with_attr("slice", "start", "[9223372036854775807]"), "expected a slice inside [4]");
  EXPECT_HAS(with_attr("slice", "start", "[3]"), "expected a slice inside [4]");
  EXPECT_HAS(with_attr("transpose", "perm", "[1, 1]"), "expected a permutation of 2 axes, got [1, 1]");
  EXPECT_HAS(with_attr("sum", "axes", "[1, 1]"), "expected ascending axes below 2, got [1,1]");
  EXPECT_HAS(with_attr("dropout", "rate", "1"), "expected 0 <= rate < 1, got 1");
  EXPECT_HAS(with_attr("pad", "value", "1e300"), "attribute value: expected a value of f32");
  EXPECT_HAS(with_attr("randomUniform", "high", "-1.5"), "expected high of at least -1, got -1.5");
  json wide = program_of(rule_of("randomUniform"));
  wide["nodes"].back()["attrs"].update({{"low", -3e38}, {"high", 3e38}});
  EXPECT_HAS(refusal(wide), "expected a f32 for high - low, got 6e+38");
  EXPECT_HAS(with_attr("randomNormal", "std", "-1.5"), "expected std of at least 0, got -1.5");
  EXPECT_HAS(with_attr("dropout", "stream", "4294967296"), "attribute stream: expected an integer from 0");
}

TEST(Check, RefusesAxesOfPoolsBeyondWhatTheirKernelsCount) {
  for (const char* shape : {"[2147483648,1,2,2]", "[1,2147483648,2,2]", "[1,1,2147483648,2]", "[1,1,2,2147483646]"}) {
    json wide = program_of(rule_of("avgPool2d"));
    wide["feeds"][0]["shape"] = json::parse(shape);
    wide["nodes"].back()["attrs"]["padding"] = {0, 1, 0, 1};
    EXPECT_HAS(refusal(wide), "avgPool2d[here]: expected at most 2147483647 places on each axis, padding among them");
  }
}

TEST(Check, RefusesLabelsThatNoFramesCouldHold) {
  EXPECT_HAS(with_attr("ctc", "blank", "3"), "attribute blank: expected 0 to 2, got 3");
  EXPECT_HAS(with_attr("ctc", "blank", "-1"), "attribute blank: expected 0 to 2, got -1");
  EXPECT_HAS(with_attr("ctc", "impossible", R"("zero")"), "attribute impossible: expected error or infinity, got");
  json wide = program_of(rule_of("ctc"));
  wide["feeds"][0]["shape"] = {1073741824, 2, 3};
  wide["feeds"][1]["shape"] = {2, 32};
  wide["nodes"].back()["out"][1]["shape"] = wide["feeds"][0]["shape"];
  EXPECT_HAS(refusal(wide), "labels: expected at most 68719476736 states of all frames, got i32[2, 32]");
  wide["feeds"][1]["shape"] = {2, 31};
  EXPECT_EQ(refusal(wide), "");
  wide["feeds"][0]["shape"] = {2147483648, 2, 3};
  EXPECT_HAS(refusal(wide), "logits: expected extents that i32 can count");
}

}  // namespace
}  // namespace ostrich::test
