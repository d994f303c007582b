// Program text -> ProgramSpec. Everything in it is checked here, before a backend allocates anything: after `parse`
// every index, extent, dtype and attribute may be trusted. Refuses text that is too long or nested too deep unread.
#include <cfloat>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "program/attrs.h"
#include "program/check.h"
#include "program/field.h"

namespace ostrich::program {
namespace {

constexpr size_t kMaxTextBytes = size_t{256} << 20;
constexpr int kMaxDepth = 16;  // a literal of a chain, the deepest that the format goes, is at 7
constexpr size_t kMaxRank = 8;
constexpr int64_t kMaxValueBytes = int64_t{1} << 40;
constexpr size_t kMaxShownError = 200;  // of the JSON parser's own message

// Nesting is bounded before the parser builds anything from it.
void expect_depth(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) {
        core::fail("ERR_PROGRAM", "program: expected nesting of at most ", kMaxDepth, ", got more at byte ", i);
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

nlohmann::json parse_json(const std::string& text) {
  if (text.size() > kMaxTextBytes) {
    core::fail("ERR_PROGRAM", "program: expected at most ", kMaxTextBytes, " bytes, got ", text.size());
  }
  expect_depth(text);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    core::fail("ERR_PROGRAM", "program: expected JSON, got ", std::string(error.what()).substr(0, kMaxShownError));
  }
}

class Parser {
 public:
  explicit Parser(const nlohmann::json& json) : root_(json) {}

  ProgramSpec parse() {
    check_header();
    read_named("feeds", spec_.feeds);
    read_named("states", spec_.states);
    read_constants();
    read_nodes();
    read_assigns();
    read_fetches();
    return std::move(spec_);
  }

 private:
  void check_header() {
    const Field format = root_.member("format"), version = root_.member("version");
    if (format.string() != "ostrich-program") format.fail("expected ostrich-program, got ", describe(format.json()));
    if (version.json() != kFormatVersion)
      version.fail("expected version ", kFormatVersion, ", got ", describe(version.json()));
    spec_.name = root_.member("name").name();
    if (root_.has("math")) {
      const Field math = root_.member("math");
      if (math.string() != "tf32") math.fail("expected tf32, got ", describe(math.json()));
      spec_.tf32 = true;
    }
  }

  // {"value", "dtype", "shape"}: the next value number.
  int define(const Field& field) {
    const Field id = field.member("value");
    const int next = int(spec_.values.size());
    if (id.json() != next) id.fail("expected the next value number ", next, ", got ", describe(id.json()));
    const Field dtype = field.member("dtype");
    const auto type = core::parse_dtype(dtype.string());
    if (!type) dtype.fail("expected f32, bf16, i32 or u8, got ", describe(dtype.json()));
    spec_.values.push_back({*type, read_shape(field.member("shape"), *type)});
    return next;
  }

  static core::Shape read_shape(const Field& field, core::DType dtype) {
    if (field.size() > kMaxRank) field.fail("expected at most ", kMaxRank, " axes, got ", field.size());
    core::Shape shape;
    int64_t room = kMaxValueBytes / int64_t(core::size_of(dtype));
    for (size_t axis = 0; axis < field.size(); ++axis) {
      shape.push_back(field.item(axis).integer(1, kMaxValueBytes));
      if (shape.back() > room) field.fail("expected at most ", kMaxValueBytes, " bytes, got ", describe(field.json()));
      room /= shape.back();
    }
    return shape;
  }

  int read_value(const Field& field) const {
    if (spec_.values.empty()) field.fail("expected a value defined before, got ", describe(field.json()));
    return int(field.integer(0, int64_t(spec_.values.size()) - 1));
  }

  static void expect_unique(std::unordered_set<std::string>& seen, const Field& name) {
    if (!seen.insert(name.name()).second)
      name.fail("expected a name of its own, got ", describe(name.json()), " twice");
  }

  void read_named(const char* key, std::vector<NamedValue>& list) {
    const Field fields = root_.member(key);
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields.item(i), name = field.member("name");
      expect_unique(seen, name);
      list.push_back({name.string(), define(field)});
    }
  }

  static bool holds(core::DType dtype, double number) {
    if (core::is_float(dtype)) return std::abs(number) <= double(FLT_MAX);  // false for NaN
    const double low = dtype == core::DType::u8 ? 0 : INT32_MIN, high = dtype == core::DType::u8 ? 255 : INT32_MAX;
    return number == std::floor(number) && number >= low && number <= high;
  }

  void read_constants() {
    const Field fields = root_.member("constants");
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields.item(i), data = field.member("data");
      Constant constant{define(field), {}};
      const ValueSpec& type = spec_.values.back();
      const int64_t count = core::count(type.shape);
      if (data.size() != 1 && int64_t(data.size()) != count) {
        data.fail("expected 1 or ", count, " numbers, got ", data.size());
      }
      constant.data.reserve(data.size());
      for (size_t j = 0; j < data.size(); ++j) {
        const nlohmann::json& number = data.json()[j];
        if (!number.is_number() || !holds(type.dtype, number.get<double>())) {
          data.item(j).fail("expected a finite number of ", core::name_of(type.dtype), ", got ", describe(number));
        }
        constant.data.push_back(number.get<double>());
      }
      spec_.constants.push_back(std::move(constant));
    }
  }

  void read_nodes() {
    const Field fields = root_.member("nodes");
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields.item(i), op = field.member("op"), attrs = field.member("attrs");
      NodeSpec node;
      node.op = op.string();
      if (!is_kernel(node.op)) op.fail("expected a kernel of ops.def, got ", describe(op.json()));
      node.path = field.member("path").string();
      const Field in = field.member("in"), out = field.member("out");
      for (size_t j = 0; j < in.size(); ++j) node.inputs.push_back(read_value(in.item(j)));
      if (out.size() == 0) out.fail("expected at least one output, got none");
      for (size_t j = 0; j < out.size(); ++j) node.outputs.push_back(define(out.item(j)));
      if (!attrs.json().is_object()) attrs.fail("expected an object, got ", describe(attrs.json()));
      node.attrs = std::make_shared<const nlohmann::json>(attrs.json());
      check_node(spec_, node);
      if (node.op == "maxPool2d") spec_.pools[node.outputs[1]] = spec_.nodes.size();
      spec_.nodes.push_back(std::move(node));
    }
  }

  // What leaves a program: any value but the index of a maximum, whose form is the backend's.
  int read_result(const Field& field) const {
    const int id = read_value(field);
    const auto pool = spec_.pools.find(id);
    if (pool != spec_.pools.end()) {
      field.fail("expected a value that may leave the program, got the index of ", spec_.nodes[pool->second].label(),
                 ", which its gradient alone reads");
    }
    return id;
  }

  void read_assigns() {
    const Field fields = root_.member("assigns");
    const int first = spec_.states.empty() ? 0 : spec_.states.front().value;
    std::unordered_set<int> assigned;
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields.item(i), target = field.member("state"), source = field.member("value");
      const Assign assign{read_value(target), read_result(source)};
      if (assign.state < first || size_t(assign.state - first) >= spec_.states.size()) {
        target.fail("expected a state, got value ", assign.state);
      }
      const std::string& name = spec_.states[size_t(assign.state - first)].name;
      if (!assigned.insert(assign.state).second) target.fail("expected one assignment of state ", name, ", got two");
      const ValueSpec &state = value(spec_, assign.state), &given = value(spec_, assign.value);
      if (state.dtype != given.dtype || state.shape != given.shape) {
        source.fail("expected ", describe(state), " for state ", name, ", got ", describe(given));
      }
      spec_.assigns.push_back(assign);
    }
  }

  void read_fetches() {
    const Field fields = root_.member("fetches");
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields.item(i), name = field.member("name");
      expect_unique(seen, name);
      spec_.fetches.push_back({name.string(), read_result(field.member("value"))});
    }
  }

  Field root_;
  ProgramSpec spec_;
};

}  // namespace

ProgramSpec parse(const std::string& text) {
  const nlohmann::json json = parse_json(text);
  return Parser(json).parse();
}

}  // namespace ostrich::program
