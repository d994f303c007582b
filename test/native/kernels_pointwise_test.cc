// pointwise chains against an interpreter in double precision: random chains over every element type, broadcasting,
// in-place hazards, and one-element chains.
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <atomic>

#include "cpu/team.h"
#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using test::Array;
using test::json;
using test::Output;

const DType kF32 = DType::f32, kBf16 = DType::bf16, kI32 = DType::i32, kU8 = DType::u8;

// The element of `input` that element `i` of the broadcast output reads.
double broadcast_at(const Array& input, const core::Shape& shape, int64_t i) {
  const core::Shape strides = core::row_major_strides(input.shape);
  const size_t missing = shape.size() - input.shape.size();
  int64_t place = 0;
  for (size_t axis = shape.size(); axis-- > 0; i /= shape[axis]) {
    if (axis >= missing && input.shape[axis - missing] != 1) place += i % shape[axis] * strides[axis - missing];
  }
  return input.values[size_t(place)];
}

double evaluate(const std::string& op, const std::vector<double>& x) {
  if (op == "neg") return -x[0];
  if (op == "abs") return std::fabs(x[0]);
  if (op == "tanh") return std::tanh(x[0]);
  if (op == "exp") return std::exp(x[0]);
  if (op == "sigmoid") return 1 / (1 + std::exp(-x[0]));
  if (op == "relu") return x[0] < 0 ? 0 : x[0];
  if (op == "add") return x[0] + x[1];
  if (op == "sub") return x[0] - x[1];
  if (op == "mul") return x[0] * x[1];
  if (op == "maximum") return std::max(x[0], x[1]);
  if (op == "less") return x[0] < x[1];
  if (op == "where") return x[0] != 0 ? x[1] : x[2];
  if (op == "cast") return x[0];
  throw std::runtime_error("no reference for " + op);
}

double as_dtype(double value, DType dtype, const std::string& op) {
  if (op == "cast" && !core::is_float(dtype)) value = std::trunc(value);
  if (op == "cast" && dtype == kU8) value = std::fmin(std::fmax(value, 0), 255);
  return op == "cast" && dtype == kBf16 ? double(core::bf16_to_float(core::float_to_bf16(float(value)))) : value;
}

std::vector<Array> reference(const std::vector<Array>& inputs, const std::vector<Output>& outputs, const json& attrs) {
  std::vector<Array> results;
  for (const Output& output : outputs) results.push_back({output.dtype, output.shape, {}});
  const core::Shape& shape = outputs[0].shape;
  for (int64_t i = 0; i < core::count(shape); ++i) {
    std::vector<double> registers;
    for (const Array& input : inputs) registers.push_back(broadcast_at(input, shape, i));
    for (const json& instruction : attrs["chain"]) {
      std::vector<double> x;
      for (size_t k = 2; k < instruction.size(); ++k) {
        const json& operand = instruction[k];
        x.push_back(operand.is_object() ? operand["c"].get<double>() : registers[operand.get<size_t>()]);
      }
      const std::string op = instruction[0].get<std::string>();
      registers.push_back(as_dtype(evaluate(op, x), *core::parse_dtype(instruction[1].get<std::string>()), op));
    }
    for (size_t k = 0; k < outputs.size(); ++k) {
      results[k].values.push_back(as_dtype(registers[attrs["outputs"][k].get<size_t>()], outputs[k].dtype, ""));
    }
  }
  return results;
}

void check(const std::vector<Array>& inputs, const std::vector<Output>& outputs, const json& attrs) {
  const auto expected = reference(inputs, outputs, attrs);
  for (int threads : {1, 2}) {
    const auto got = test::run_node("pointwise", inputs, outputs, attrs, threads);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const double tolerance = outputs[k].dtype == kBf16 ? 0x1p-7 : core::is_float(outputs[k].dtype) ? 2e-6 : 0;
      for (size_t i = 0; i < expected[k].values.size(); ++i) {
        const double want = expected[k].values[i];
        ASSERT_NEAR(got[k].values[i], want, tolerance * std::max(1.0, std::fabs(want)))
            << attrs.dump() << " output " << k << " element " << i << " threads " << threads;
      }
    }
  }
}

TEST(Pointwise, ConvertsEveryElementType) {
  const core::Shape shape = {7, 301};
  const Array f = test::random_array(kF32, shape, 1, 40), h = test::random_array(kBf16, shape, 2, 2);
  const Array i = test::random_array(kI32, shape, 3, 1000), u = test::random_array(kU8, shape, 4, 255);
  const json chain = {{"cast", "f32", 2},
                      {"cast", "f32", 3},
                      {"cast", "f32", 1},
                      {"mul", "f32", 5, {{"c", 1.0 / 255}}},
                      {"add", "f32", 4, 0},
                      {"cast", "bf16", 8},
                      {"cast", "u8", 0},
                      {"cast", "i32", 0},
                      {"add", "i32", 2, {{"c", 7}}},
                      {"less", "u8", 6, 0}};
  const json attrs = {{"chain", chain}, {"outputs", {7, 8, 9, 10, 11, 12, 13, 1}}};
  check({f, h, i, u},
        {{kF32, shape},
         {kF32, shape},
         {kBf16, shape},
         {kU8, shape},
         {kI32, shape},
         {kI32, shape},
         {kU8, shape},
         {kBf16, shape}},
        attrs);
}

TEST(Pointwise, BroadcastsRowsColumnsScalarsAndChannels) {
  const core::Shape shape = {6, 5, 37, 41};
  const json chain = {
      {"mul", "f32", 0, 1}, {"add", "f32", 6, 2}, {"sub", "f32", 7, 3}, {"mul", "f32", 8, 4}, {"add", "f32", 9, 5}};
  check({test::random_array(kF32, shape, 1), test::random_array(kF32, {41}, 2),
         test::random_array(kF32, {1, 5, 1, 1}, 3), test::random_array(kF32, {6, 1, 37, 1}, 4),
         test::random_array(kF32, {}, 5), test::random_array(kF32, {1, 1}, 6)},
        {{kF32, shape}}, {{"chain", chain}, {"outputs", {10}}});
}

TEST(Pointwise, AnOuterProductHasNoFullInput) {
  const json chain = {{"mul", "f32", 0, 1}};
  check({test::random_array(kF32, {700, 1}, 1), test::random_array(kBf16, {1, 90}, 2)}, {{kF32, {700, 90}}},
        {{"chain", {{"cast", "f32", 1}, {"mul", "f32", 0, 2}}}, {"outputs", {3}}});
}

TEST(Pointwise, ScalarsAndUniformOutputs) {
  const Array a = test::random_array(kF32, {}, 1), b = test::random_array(kF32, {1}, 2),
              n = test::random_array(kI32, {}, 3, 9);
  check({a, b}, {{kF32, {1}}, {kBf16, {1}}, {kF32, {1}}},
        {{"chain", {{"mul", "f32", 0, 1}, {"exp", "f32", 2}, {"cast", "bf16", 3}}}, {"outputs", {3, 4, 0}}});
  check({n}, {{kI32, {}}}, {{"chain", {{"add", "i32", 0, {{"c", 1}}}}}, {"outputs", {1}}});
  // An output that no full input reaches is the same number everywhere.
  check({a, test::random_array(kF32, {3000}, 4)}, {{kF32, {3000}}, {kF32, {3000}}},
        {{"chain", {{"exp", "f32", 0}, {"add", "f32", 2, 1}}}, {"outputs", {2, 3}}});
}

TEST(Pointwise, WhereTakesLiteralsOnEverySide) {
  const core::Shape shape = {3001};
  const Array x = test::random_array(kF32, shape, 1), flag = test::random_array(kU8, {}, 2, 1);
  const json chain = {{"less", "u8", 0, {{"c", 0}}},
                      {"where", "f32", 2, 0, {{"c", 2}}},
                      {"where", "f32", 2, {{"c", 3}}, 0},
                      {"where", "f32", 2, {{"c", 4}}, {{"c", 5}}},
                      {"where", "f32", 1, 0, {{"c", 6}}}};
  check({x, flag}, {{kF32, shape}, {kF32, shape}, {kF32, shape}, {kF32, shape}},
        {{"chain", chain}, {"outputs", {3, 4, 5, 6}}});
}

TEST(Pointwise, TakesDenormalsForZeroAndLeavesItsThreadsAsTheyWere) {
  constexpr unsigned kFlushes = 0x8040;  // flush to zero, denormals are zero
  for (int64_t n : {1, 1 << 20}) {
    const Array small{kF32, {n}, std::vector<double>(size_t(n), double(1e-40f))},
        product{kF32, {n}, std::vector<double>(size_t(n), double(1e-25f))};
    const json attrs = {{"chain", {{"add", "f32", 0, {{"c", 0}}}, {"mul", "f32", 1, {{"c", 1e-15}}}}},
                        {"outputs", {2, 3}}};
    const auto y = test::run_node("pointwise", {small, product}, {{kF32, {n}}, {kF32, {n}}}, attrs);
    for (const Array& output : y) EXPECT_EQ(output.values, std::vector<double>(size_t(n), 0.0));
    std::atomic<unsigned> flags{0};
    ostrich::cpu::run_team(2, [&](int, int) { flags |= _mm_getcsr(); });
    EXPECT_EQ(flags & kFlushes, 0u);
  }
}

// Random chains: registers of f32, up to five outputs, some bf16 inputs and broadcast ones.
TEST(Pointwise, RandomChains) {
  uint32_t state = 7;
  const auto pick = [&](uint32_t n) {
    state = state * 1664525u + 1013904223u;
    return (state >> 10) % n;
  };
  const std::vector<std::string> unary = {"neg", "abs", "tanh", "sigmoid", "relu"},
                                 binary = {"add", "sub", "mul", "maximum"};
  for (int round = 0; round < 40; ++round) {
    const core::Shape shape = {int64_t(1 + pick(30)), int64_t(1 + pick(400))};
    std::vector<Array> inputs = {test::random_array(kF32, shape, 100 + pick(1000))};
    const std::vector<core::Shape> shapes = {shape, {shape[1]}, {shape[0], 1}, {}};
    for (uint32_t i = 0, n = pick(5); i < n; ++i) {
      inputs.push_back(test::random_array(kF32, shapes[pick(4)], pick(1000)));
    }
    json chain = json::array(), outputs = json::array();
    std::vector<Output> declared;
    uint32_t registers = uint32_t(inputs.size());
    const auto operand = [&]() -> json { return pick(6) == 0 ? json{{"c", 0.25}} : json(pick(registers)); };
    for (uint32_t i = 0, n = 1 + pick(40); i < n; ++i, ++registers) {
      // tanh after each product keeps values near one, so that one tolerance fits all.
      if (i % 2)
        chain.push_back({pick(2) ? "tanh" : "sigmoid", "f32", registers - 1});
      else if (pick(3))
        chain.push_back({binary[pick(4)], "f32", pick(registers), operand()});
      else
        chain.push_back({unary[pick(5)], "f32", pick(registers)});
    }
    for (uint32_t k = 0, n = 1 + pick(5); k < n; ++k) {
      outputs.push_back(pick(registers));
      declared.push_back({kF32, shape});
    }
    check(inputs, declared, {{"chain", chain}, {"outputs", outputs}});
    if (HasFatalFailure()) return;
  }
}

// y = tanh(x) - row, where the row is the first of tanh(x): another view of memory that y would like to take.
TEST(Pointwise, NeverOverwritesWhatAnotherViewStillReads) {
  const core::Shape shape = {100, 64};
  const Array x = test::random_array(kF32, shape, 1);
  json text = {{"format", "ostrich-program"},
               {"version", 1},
               {"name", "views"},
               {"constants", json::array()},
               {"states", json::array()},
               {"assigns", json::array()}};
  json feed = test::declare(0, kF32, shape);
  feed["name"] = "x";
  text["feeds"] = {feed};
  const auto chain = [](const json& instruction, int out) {
    return json{{"chain", {instruction}}, {"outputs", {out}}};
  };
  text["nodes"] = {{{"op", "pointwise"},
                    {"in", {0}},
                    {"out", {test::declare(1, kF32, shape)}},
                    {"attrs", chain({"tanh", "f32", 0}, 1)},
                    {"path", "a"}},
                   {{"op", "slice"},
                    {"in", {1}},
                    {"out", {test::declare(2, kF32, {1, 64})}},
                    {"attrs", {{"start", {0, 0}}, {"size", {1, 64}}}},
                    {"path", "b"}},
                   {{"op", "pointwise"},
                    {"in", {1, 2}},
                    {"out", {test::declare(3, kF32, shape)}},
                    {"attrs", chain({"sub", "f32", 0, 1}, 2)},
                    {"path", "c"}}};
  text["fetches"] = {{{"name", "y"}, {"value", 3}}};
  const auto device = ostrich_backend_plugin()->open({});
  const auto program = device->build(program::parse(text.dump()), {});
  std::vector<char> y(100 * 64 * 4);
  program->run({test::to_bytes(x).data()}, {y.data()});
  const Array got = test::from_bytes(kF32, shape, y);
  for (size_t i = 0; i < got.values.size(); ++i) {
    ASSERT_NEAR(got.values[i], std::tanh(x.values[i]) - std::tanh(x.values[i % 64]), 1e-6) << i;
  }
}

// Momentum over states, outputs in the states' own memory, three steps: as w and v one after another would give.
TEST(Pointwise, AnOptimiserWorksInPlace) {
  const core::Shape shape = {200, 301};
  const Array w = test::random_array(kF32, shape, 1), v = test::random_array(kF32, shape, 2),
              g = test::random_array(kF32, shape, 3);
  json text = {{"format", "ostrich-program"}, {"version", 1}, {"name", "sgd"}, {"constants", json::array()}};
  const auto named = [&](int value, const char* name) {
    json entry = test::declare(value, kF32, shape);
    entry["name"] = name;
    return entry;
  };
  text["feeds"] = {named(0, "g")};
  text["states"] = {named(1, "w"), named(2, "v")};
  const json chain = {
      {"mul", "f32", 2, {{"c", 0.5}}}, {"add", "f32", 3, 0}, {"mul", "f32", 4, {{"c", 0.25}}}, {"sub", "f32", 1, 5}};
  text["nodes"] = {{{"op", "pointwise"},
                    {"in", {0, 1, 2}},
                    {"out", {test::declare(3, kF32, shape), test::declare(4, kF32, shape)}},
                    {"attrs", {{"chain", chain}, {"outputs", {4, 6}}}},
                    {"path", "sgd"}}};
  text["assigns"] = {{{"state", 2}, {"value", 3}}, {{"state", 1}, {"value", 4}}};
  text["fetches"] = json::array();

  const auto device = ostrich_backend_plugin()->open({});
  std::vector<std::shared_ptr<backend::Buffer>> states;
  for (const Array* array : {&w, &v}) {
    states.push_back(device->allocate({kF32, shape, "state"}));
    device->upload(*states.back(), test::to_bytes(*array).data());
  }
  const auto program = device->build(program::parse(text.dump()), states);
  EXPECT_EQ(program->stats().steps, 1) << "no copies: " << program->stats().explain;
  const auto gradient = test::to_bytes(g);
  for (int i = 0; i < 3; ++i) program->run({gradient.data()}, {});
  std::vector<char> bytes(gradient.size());
  device->download(*states[0], bytes.data());
  const Array got = test::from_bytes(kF32, shape, bytes);
  for (size_t i = 0; i < got.values.size(); ++i) {
    double weight = w.values[i], velocity = v.values[i];
    for (int step = 0; step < 3; ++step) weight -= 0.25 * (velocity = 0.5 * velocity + g.values[i]);
    ASSERT_NEAR(got.values[i], weight, 1e-6) << i;
  }
}

}  // namespace
