// See recurrent_layer.h.
#include "cuda/recurrent_layer.h"

#include <algorithm>

#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::Shape;
using program::NodeSpec;
using Node = const NodeSpec*;

struct Use {
  Node node;
  size_t index;
};

// Who makes and who reads each value.
class Links {
 public:
  explicit Links(const program::ProgramSpec& program)
      : makers(program.values.size()), uses(program.values.size()), leaves(program.values.size(), false) {
    for (const NodeSpec& node : program.nodes) {
      for (int id : node.outputs) makers[size_t(id)] = &node;
      for (size_t i = 0; i < node.inputs.size(); ++i) uses[size_t(node.inputs[i])].push_back({&node, i});
    }
    for (const auto& fetch : program.fetches) leaves[size_t(fetch.value)] = true;
    for (const auto& assign : program.assigns) leaves[size_t(assign.value)] = true;
  }
  // The one that makes it, if that is of this op.
  Node maker(int id, const char* op) const {
    const Node node = makers[size_t(id)];
    return node != nullptr && node->op == op ? node : nullptr;
  }
  // The value behind all reshapes.
  int origin(int id) const {
    while (const Node reshape = maker(id, "reshape")) id = reshape->inputs[0];
    return id;
  }
  bool read_once(int id) const { return !leaves[size_t(id)] && uses[size_t(id)].size() == 1; }

  std::vector<Node> makers;
  std::vector<std::vector<Use>> uses;
  std::vector<bool> leaves;  // the program itself reads it
};

bool starts_at(const NodeSpec& slice, const Shape& start, const Shape& size) {
  return program::get_ints(slice, "start") == start && program::get_ints(slice, "size") == size;
}

bool is_plain_product(const NodeSpec& node, bool transpose_a, bool transpose_b) {
  return node.op == "matmul" && program::get_string(node, "activation") == "none" &&
         program::get_bool(node, "transposeA") == transpose_a && program::get_bool(node, "transposeB") == transpose_b;
}

class Finder {
 public:
  explicit Finder(const program::ProgramSpec& program) : program_(program), links_(program) {}

  // False where the layer that this cell would be part of is none that cuDNN takes.
  bool find(const NodeSpec& cell, RecurrentLayer& layer) const {
    layer.cell = &cell;
    const bool is_lstm = cell.op == "lstm";
    const size_t inputs = is_lstm ? 4 : 3;
    if (cell.inputs.size() != inputs || program::get_bool(cell, "reverse")) return false;
    const Shape& gates = program::input(program_, cell, 0).shape;
    layer.spec.t = gates[0];
    layer.spec.n = gates[1];
    layer.spec.h = program::input(program_, cell, 1).shape[0];
    layer.spec.dtype = program::input(program_, cell, 0).dtype;
    layer.spec.tf32 = program_.tf32 && layer.spec.dtype == core::DType::f32;
    layer.spec.cell = is_lstm ? Cell::lstm : Cell::tanh;
    // What is no number must stay none, which no library's ReLU promises: see kernels/activate.h.
    if (!is_lstm && program::get_string(cell, "activation") != "tanh") return false;
    if (!find_product(layer) || !find_gradients(layer) || (is_lstm && !is_lstm_closed(layer))) return false;
    find_covered(layer);
    return true;
  }

 private:
  bool find_product(RecurrentLayer& layer) const {
    const int gates = layer.cell->inputs[0];
    const Node reshape = links_.maker(gates, "reshape");
    if (reshape == nullptr || !links_.read_once(gates) || !links_.read_once(reshape->inputs[0])) return false;
    const Node product = links_.maker(reshape->inputs[0], "matmul");
    if (product == nullptr || !is_plain_product(*product, false, true) || product->outputs.size() != 1) return false;
    const auto &x = program::input(program_, *product, 0), &w = program::input(program_, *product, 1);
    const RnnSpec& spec = layer.spec;
    if (x.dtype != spec.dtype || x.shape.size() != 2) return false;
    layer.spec.d = x.shape[1];
    if (x.shape[0] != spec.t * spec.n || w.shape != Shape{spec.gates() * spec.h, spec.d}) return false;
    layer.product = product;
    layer.nodes = {product, reshape, layer.cell};
    return true;
  }

  // What reads the values that only this layer's own gradient may read.
  bool find_gradients(RecurrentLayer& layer) const {
    const bool is_lstm = layer.spec.cell == Cell::lstm;
    const int told = layer.cell->outputs[is_lstm ? 2 : 0];  // the activated gates, or h
    for (const Use& use : links_.uses[size_t(told)]) {
      if (use.index != 1 || use.node->op != (is_lstm ? "lstmGrad" : "rnnGrad")) {
        if (is_lstm) return false;
        continue;
      }
      if (layer.cell_grad != nullptr) return false;
      layer.cell_grad = use.node;
    }
    if (is_lstm && links_.leaves[size_t(told)]) return false;
    if (layer.cell_grad == nullptr) return true;
    layer.spec.training = true;
    layer.nodes.insert(layer.cell_grad);
    return is_own_gradient(layer) && find_products_of_gradients(layer);
  }

  bool is_own_gradient(const RecurrentLayer& layer) const {
    const NodeSpec &grad = *layer.cell_grad, &cell = *layer.cell;
    if (grad.inputs[2] != cell.inputs[1] || program::get_bool(grad, "reverse")) return false;
    if (layer.spec.cell != Cell::lstm) {
      return grad.inputs.size() == 3 &&
             program::get_string(grad, "activation") == program::get_string(cell, "activation");
    }
    return grad.inputs.size() == 5 && !program::get_bool(grad, "cell") && grad.inputs[3] == cell.outputs[1] &&
           grad.inputs[4] == cell.inputs[3];
  }

  bool find_products_of_gradients(RecurrentLayer& layer) const {
    const int dgates = layer.cell_grad->outputs[0];
    if (links_.leaves[size_t(dgates)]) return false;
    for (const Use& use : links_.uses[size_t(dgates)]) {
      if (use.node->op != "reshape" || links_.leaves[size_t(use.node->outputs[0])]) return false;
      layer.nodes.insert(use.node);
      for (const Use& reader : links_.uses[size_t(use.node->outputs[0])]) {
        if (!keep_product(layer, reader)) return false;
      }
    }
    return true;
  }

  // One of the three: dx = dgates w, dw = dgates^T x with the sums of dgates, du = (states before)^T dgates.
  bool keep_product(RecurrentLayer& layer, const Use& reader) const {
    const NodeSpec& node = *reader.node;
    Node* place = nullptr;
    Node like = nullptr;  // who reads what this is the gradient of, and as which input
    size_t input = 0;
    if (reader.index == 0 && is_plain_product(node, true, false) && node.inputs[1] == layer.product->inputs[0]) {
      place = &layer.weight_grad, like = layer.product, input = 1;
    } else if (reader.index == 0 && is_plain_product(node, false, false) &&
               node.inputs[1] == layer.product->inputs[1]) {
      place = &layer.input_grad, like = layer.product, input = 0;
    } else if (reader.index == 1 && is_plain_product(node, true, false) && are_states_before(layer, node.inputs[0])) {
      place = &layer.recurrent_grad, like = layer.cell, input = 1;
    }
    if (place == nullptr || *place != nullptr) return false;
    const auto& gradient = program::output(program_, node, 0);
    if (gradient.dtype != layer.spec.dtype) return false;
    if (gradient.shape != program::input(program_, *like, input).shape) return false;
    *place = &node;
    layer.nodes.insert(&node);
    return true;
  }

  // Whether a value is h0, then all h but the last, as rows.
  bool are_states_before(RecurrentLayer& layer, int id) const {
    const int h0 = links_.origin(layer.cell->inputs[2]), h = layer.cell->outputs[0];
    const RnnSpec& spec = layer.spec;
    const int all = links_.origin(id);
    if (spec.t == 1) return all == h0;
    const Node concat = links_.maker(all, "concat");
    if (concat == nullptr || concat->inputs.size() != 2 || program::get_int(*concat, "axis") != 0) return false;
    const Node others = links_.maker(concat->inputs[1], "slice");
    return others != nullptr && links_.origin(concat->inputs[0]) == h0 && others->inputs[0] == h &&
           starts_at(*others, {0, 0, 0}, {spec.t - 1, spec.n, spec.h});
  }

  // Whether nothing but the gradient reads any c but the last. Of one step all of c is the last.
  bool is_lstm_closed(const RecurrentLayer& layer) const {
    const int c = layer.cell->outputs[1];
    const RnnSpec& spec = layer.spec;
    if (spec.t == 1) return true;
    const auto& uses = links_.uses[size_t(c)];
    return !links_.leaves[size_t(c)] && std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
      if (use.node == layer.cell_grad) return true;
      return use.node->op == "slice" && starts_at(*use.node, {spec.t - 1, 0, 0}, {1, spec.n, spec.h});
    });
  }

  // The states before each step are made for the gradient of the weights alone.
  void find_covered(RecurrentLayer& layer) const {
    std::vector<int> open;
    if (layer.recurrent_grad != nullptr) open = {layer.recurrent_grad->inputs[0], layer.cell->inputs[2]};
    for (size_t i = 0; i < open.size(); ++i) {
      const Node node = links_.makers[size_t(open[i])];
      if (node == nullptr || (node->op != "reshape" && node->op != "concat" && node->op != "slice")) continue;
      layer.nodes.insert(node);
      open.insert(open.end(), node->inputs.begin(), node->inputs.end());
    }
    for (const Node node : layer.nodes) {
      if (node != layer.cell && node != layer.cell_grad) layer.covered.insert(node);
    }
    const auto is_left = [&](Node node) {
      const bool is_product = node == layer.input_grad || node == layer.weight_grad || node == layer.recurrent_grad;
      return !is_product && std::any_of(node->outputs.begin(), node->outputs.end(), [&](int id) {
        const auto& uses = links_.uses[size_t(id)];
        return links_.leaves[size_t(id)] || std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
                 return layer.covered.count(use.node) == 0 && id != layer.cell->inputs[0];
               });
      });
    };
    // What feeds a node that stays, stays.
    for (bool changes = true; changes;) {
      changes = false;
      for (auto node = layer.covered.begin(); node != layer.covered.end();) {
        const bool stays = is_left(*node);
        node = stays ? layer.covered.erase(node) : std::next(node);
        changes = changes || stays;
      }
    }
  }

  const program::ProgramSpec& program_;
  const Links links_;
};

}  // namespace

std::vector<RecurrentLayer> find_recurrent_layers(const program::ProgramSpec& program) {
  std::vector<RecurrentLayer> layers;
  const auto recurs = [](const NodeSpec& node) { return node.op == "lstm" || node.op == "rnn"; };
  if (std::none_of(program.nodes.begin(), program.nodes.end(), recurs)) return layers;
  const Finder finder(program);
  for (const NodeSpec& node : program.nodes) {
    RecurrentLayer layer;
    if (recurs(node) && finder.find(node, layer)) layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace ostrich::cuda
