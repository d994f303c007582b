// The rules of FORMAT.md for every kernel: number of inputs and outputs, attributes, dtypes and extents. `parse` calls
// check_node for every node, so that a backend's factories may trust what they are given.
#pragma once

#include "program/program_spec.h"

namespace ostrich::program {

// Throws ERR_PROGRAM "op[path]: ..." when the node breaks a rule of its op; an unknown op is one.
void check_node(const ProgramSpec& spec, const NodeSpec& node);

// True when ops.def lists a kernel of that name.
bool is_kernel(const std::string& op);
// All kernel names, then all pointwise instruction names, in the order of ops.def.
std::vector<std::string> op_names();

// The rule of each kernel of ops.def: a missing definition fails the link.
#define OSTRICH_KERNEL(name, rule) void check_##rule(const ProgramSpec& spec, const NodeSpec& node);
#include "program/ops.def"

}  // namespace ostrich::program
