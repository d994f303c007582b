// See library_layers.h.
#include "cuda/library_layers.h"

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/cuda_program.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;
using program::ProgramSpec;
using Plans = std::vector<std::unique_ptr<RnnPlan>>;

// What OSTRICH_RECURRENCES asks for: our own kernels, cuDNN by its first algorithm or by one that is named, or nothing.
std::string wish(Engine& engine) {
  const char* text = std::getenv("OSTRICH_RECURRENCES");
  const std::string word = text == nullptr ? "" : text;
  if (!word.empty() && word != "own" && word != "cudnn") {
    std::string known = "own, cudnn";
    for (const std::string& name : engine.dnn().rnn_algorithms()) {
      if (word == name) return engine.deterministic ? "own" : word;
      known += ", " + name;
    }
    core::fail("ERR_OPTION", "OSTRICH_RECURRENCES: expected one of ", known, "; got ", word);
  }
  return engine.deterministic ? "own" : word;
}

// None where there is no cuDNN, which recurrent programs can do without.
Plans plans_for(const RnnSpec& spec, Engine& engine, bool needed) {
  try {
    return engine.dnn().rnn_plans(spec);
  } catch (const core::Error&) {
    if (needed || engine.context->lost()) throw;
    return {};
  }
}

// A program of the layer alone, fed with all that it reads.
ProgramSpec alone(const ProgramSpec& program, const RecurrentLayer& layer) {
  ProgramSpec own;
  own.name = "layer " + layer.cell->path;
  own.tf32 = program.tf32;
  own.values = program.values;
  std::vector<bool> known(program.values.size(), false);
  for (const NodeSpec& node : program.nodes) {
    if (layer.nodes.count(&node) == 0) continue;
    for (int id : node.inputs) {
      if (!known[size_t(id)]) own.feeds.push_back({std::to_string(id), id});
      known[size_t(id)] = true;
    }
    for (int id : node.outputs) known[size_t(id)] = true;
    own.nodes.push_back(node);
  }
  return own;
}

// The name of the fastest, by timing the layer's program with each; nothing where memory is too short to tell.
std::optional<std::string> fastest(const ProgramSpec& program, const RecurrentLayer& layer, const Plans& plans,
                                   Engine& engine) {
  std::vector<std::string> names = {LibraryLayers::kOwnKernels};
  for (const auto& plan : plans) names.push_back(plan->name());
  const ProgramSpec spec = alone(program, layer);
  std::unique_ptr<CudaProgram> built;  // one at a time
  int known = -1;
  bool is_short = false;
  const auto best = engine.tuner.fastest(int(names.size()), [&](int candidate, CUstream stream) {
    try {
      if (candidate != known) {
        built.reset();
        built = std::make_unique<CudaProgram>(spec, std::vector<std::shared_ptr<CudaBuffer>>(),
                                              engine.shared_from_this(), false, names[size_t(candidate)]);
        known = candidate;
      }
      built->launch(stream);
    } catch (const core::Error& error) {
      is_short = is_short || error.code() == "ERR_OUT_OF_MEMORY";
      throw;
    }
  });
  if (is_short || !best) return std::nullopt;
  return names[size_t(*best)];
}

std::string list_of(Engine& engine) { return "recurrent-" + engine.dnn().version(); }

// What was fastest when it was timed, if it was, or empty.
std::string kept_choice(const RecurrentLayer& layer, Engine& engine) {
  try {
    return engine.tuner.recall(list_of(engine), layer.spec.key()).value_or("");
  } catch (const core::Error&) {
    if (engine.context->lost()) throw;
    return "";
  }
}

std::string choose(const ProgramSpec& program, const RecurrentLayer& layer, const Plans& plans, Engine& engine) {
  const auto best = fastest(program, layer, plans, engine);
  if (!best) return LibraryLayers::kOwnKernels;
  engine.tuner.remember(list_of(engine), layer.spec.key(), *best);
  return *best;
}

}  // namespace

const std::string LibraryLayers::kOwnKernels = "own kernels";

LibraryLayers::LibraryLayers(const ProgramSpec& program, Engine& engine, const std::string& choice) {
  const std::string wanted = choice.empty() ? wish(engine) : choice;
  if (wanted == kOwnKernels || wanted == "own") return;
  for (const RecurrentLayer& layer : find_recurrent_layers(program)) {
    std::string name = wanted.empty() ? kept_choice(layer, engine) : wanted;
    if (name == kOwnKernels) continue;
    Plans plans = plans_for(layer.spec, engine, !wanted.empty());
    if (plans.empty()) continue;
    if (name.empty()) name = choose(program, layer, plans, engine);
    if (name == "cudnn") name = plans[0]->name();
    for (auto& plan : plans) {
      if (plan == nullptr || plan->name() != name) continue;
      const auto made = std::make_shared<RnnLayer>(layer, std::move(plan));
      for (Node node : layer.covered) layers_[node] = made;
      layers_[layer.cell] = made;
      if (layer.cell_grad != nullptr) layers_[layer.cell_grad] = made;
    }
  }
  // What is timed is what was asked for.
  OSTRICH_CHECK(choice.empty() || !layers_.empty());
}

bool LibraryLayers::take(Builder& builder, const NodeSpec& node, std::unique_ptr<Step>& step) {
  const auto found = layers_.find(&node);
  if (found == layers_.end()) return false;
  RnnLayer& layer = *found->second;
  if (&node == layer.what().cell) step = layer.forward(builder);
  if (&node == layer.what().cell_grad) step = layer.backward(builder);
  return true;
}

}  // namespace ostrich::cuda
