// Typed access to a node's attributes and values. Every getter throws core::Error ERR_PROGRAM that names the node, the
// attribute, what was expected and what came; after `parse` none of them throws.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "program/program_spec.h"

namespace ostrich::program {

// Throws ERR_PROGRAM "op[path]: ..." .
template <typename... Parts>
[[noreturn]] void fail_node(const NodeSpec& node, const Parts&... parts) {
  core::fail("ERR_PROGRAM", node.label(), ": ", parts...);
}

// The attribute as JSON; absent is an error.
const nlohmann::json& get_attr(const NodeSpec& node, const char* name);

int64_t get_int(const NodeSpec& node, const char* name);
std::vector<int64_t> get_ints(const NodeSpec& node, const char* name);
std::vector<int64_t> get_ints(const NodeSpec& node, const char* name, size_t length);
double get_number(const NodeSpec& node, const char* name);  // finite
bool get_bool(const NodeSpec& node, const char* name);
const std::string& get_string(const NodeSpec& node, const char* name);
core::DType get_dtype(const NodeSpec& node, const char* name);

// Number of inputs or outputs, inclusive.
void expect_inputs(const NodeSpec& node, size_t min, size_t max);
void expect_outputs(const NodeSpec& node, size_t min, size_t max);

const ValueSpec& value(const ProgramSpec& spec, int id);
const ValueSpec& input(const ProgramSpec& spec, const NodeSpec& node, size_t index);
const ValueSpec& output(const ProgramSpec& spec, const NodeSpec& node, size_t index);

// "f32[128, 784]", as messages show values; "number 3" or `string "x"` for JSON, shortened.
std::string describe(const ValueSpec& value);
std::string describe(const nlohmann::json& json);

}  // namespace ostrich::program
