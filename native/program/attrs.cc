// Typed attribute getters; see attrs.h.
#include "program/attrs.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace ostrich::program {
namespace {

constexpr size_t kShownBytes = 60;  // of a JSON value in a message

[[noreturn]] void fail_attr(const NodeSpec& node, const char* name, const char* expected, const nlohmann::json& got) {
  fail_node(node, "attribute ", name, ": expected ", expected, ", got ", describe(got));
}

int64_t to_int(const NodeSpec& node, const char* name, const char* expected, const nlohmann::json& whole,
               const nlohmann::json& part) {
  if (!part.is_number_integer()) fail_attr(node, name, expected, whole);
  if (part.is_number_unsigned() && part.get<uint64_t>() > uint64_t(INT64_MAX)) fail_attr(node, name, expected, whole);
  return part.get<int64_t>();
}

void expect_count(const NodeSpec& node, const char* what, size_t got, size_t min, size_t max) {
  if (got >= min && got <= max) return;
  if (min == max) fail_node(node, "expected ", min, " ", what, ", got ", got);
  if (max == SIZE_MAX) fail_node(node, "expected at least ", min, " ", what, ", got ", got);
  fail_node(node, "expected ", min, " to ", max, " ", what, ", got ", got);
}

}  // namespace

const nlohmann::json& get_attr(const NodeSpec& node, const char* name) {
  const auto found = node.attrs->find(name);
  if (found == node.attrs->end()) fail_node(node, "expected attribute ", name, ", got none");
  return *found;
}

int64_t get_int(const NodeSpec& node, const char* name) {
  const nlohmann::json& json = get_attr(node, name);
  return to_int(node, name, "an integer", json, json);
}

std::vector<int64_t> get_ints(const NodeSpec& node, const char* name) {
  const nlohmann::json& json = get_attr(node, name);
  if (!json.is_array()) fail_attr(node, name, "a list of integers", json);
  std::vector<int64_t> values;
  values.reserve(json.size());
  for (const nlohmann::json& item : json) values.push_back(to_int(node, name, "a list of integers", json, item));
  return values;
}

std::vector<int64_t> get_ints(const NodeSpec& node, const char* name, size_t length) {
  std::vector<int64_t> values = get_ints(node, name);
  if (values.size() != length) {
    fail_node(node, "attribute ", name, ": expected ", length, " integers, got ", describe(get_attr(node, name)));
  }
  return values;
}

double get_number(const NodeSpec& node, const char* name) {
  const nlohmann::json& json = get_attr(node, name);
  if (!json.is_number() || !std::isfinite(json.get<double>())) fail_attr(node, name, "a finite number", json);
  return json.get<double>();
}

bool get_bool(const NodeSpec& node, const char* name) {
  const nlohmann::json& json = get_attr(node, name);
  if (!json.is_boolean()) fail_attr(node, name, "true or false", json);
  return json.get<bool>();
}

const std::string& get_string(const NodeSpec& node, const char* name) {
  const nlohmann::json& json = get_attr(node, name);
  if (!json.is_string()) fail_attr(node, name, "a string", json);
  return json.get_ref<const std::string&>();
}

core::DType get_dtype(const NodeSpec& node, const char* name) {
  const auto dtype = core::parse_dtype(get_string(node, name));
  if (!dtype) fail_attr(node, name, "f32, bf16, i32 or u8", get_attr(node, name));
  return *dtype;
}

void expect_inputs(const NodeSpec& node, size_t min, size_t max) {
  expect_count(node, "inputs", node.inputs.size(), min, max);
}

void expect_outputs(const NodeSpec& node, size_t min, size_t max) {
  expect_count(node, "outputs", node.outputs.size(), min, max);
}

const ValueSpec& value(const ProgramSpec& spec, int id) {
  OSTRICH_CHECK(id >= 0 && size_t(id) < spec.values.size());
  return spec.values[size_t(id)];
}

const ValueSpec& input(const ProgramSpec& spec, const NodeSpec& node, size_t index) {
  OSTRICH_CHECK(index < node.inputs.size());
  return value(spec, node.inputs[index]);
}

const ValueSpec& output(const ProgramSpec& spec, const NodeSpec& node, size_t index) {
  OSTRICH_CHECK(index < node.outputs.size());
  return value(spec, node.outputs[index]);
}

std::string describe(const ValueSpec& value) { return core::name_of(value.dtype) + core::to_string(value.shape); }

std::string describe(const nlohmann::json& json) {
  // Only short things are printed, so that a message of hostile text costs no more than it shows.
  const auto is_number = [](const nlohmann::json& item) { return item.is_number(); };
  if (json.is_object()) return "an object";
  if (json.is_array() && (json.size() > 8 || !std::all_of(json.begin(), json.end(), is_number))) {
    return "a list of " + std::to_string(json.size());
  }
  const auto replace = nlohmann::json::error_handler_t::replace;
  const bool is_long = json.is_string() && json.get_ref<const std::string&>().size() > kShownBytes;
  if (!is_long) return json.dump(-1, ' ', false, replace);
  const nlohmann::json start = json.get_ref<const std::string&>().substr(0, kShownBytes);
  return start.dump(-1, ' ', false, replace) + "...";
}

}  // namespace ostrich::program
