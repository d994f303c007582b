// Dispatch of node checks through ops.def; the rules themselves are in check_<family>.cc.
#include "program/check.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "program/attrs.h"

namespace ostrich::program {
namespace {

using Check = void (*)(const ProgramSpec& spec, const NodeSpec& node);

const std::unordered_map<std::string_view, Check>& checks() {
  static const std::unordered_map<std::string_view, Check> table = {
#define OSTRICH_KERNEL(name, rule) {#name, check_##rule},
#include "program/ops.def"
  };
  return table;
}

}  // namespace

bool is_kernel(const std::string& op) { return checks().count(op) != 0; }

std::vector<std::string> op_names() {
  std::vector<std::string> names = {
#define OSTRICH_KERNEL(name, rule) #name,
#include "program/ops.def"
  };
  for (const char* name : {
#define OSTRICH_POINTWISE(name, arity) #name,
#include "program/ops.def"
       }) {
    names.push_back(name);
  }
  return names;
}

void check_node(const ProgramSpec& spec, const NodeSpec& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto pool = spec.pools.find(node.inputs[i]);
    if (pool == spec.pools.end() || (node.op == "maxPool2dGrad" && i == 1)) continue;
    fail_node(node, "input ", i, ": expected a value that any node may read, got the index of ",
              spec.nodes[pool->second].label(), ", which its gradient alone reads");
  }
  const auto found = checks().find(node.op);
  if (found == checks().end()) fail_node(node, "expected a kernel of ops.def, got ", describe(nlohmann::json(node.op)));
  found->second(spec, node);
}

}  // namespace ostrich::program
