// Recurrent layers as a program spells them: a product of all steps with a bias, the loop over time, and in training
// the loop backwards and the products of the gradients. cuDNN computes all of it in three calls.
#pragma once

#include <set>
#include <vector>

#include "cuda/rnn.h"
#include "program/program_spec.h"

namespace ostrich::cuda {

struct RecurrentLayer {
  using Node = const program::NodeSpec*;

  RnnSpec spec;
  Node product = nullptr, cell = nullptr;
  // Null in a program that does not train, the last three also where nobody wants that gradient.
  Node cell_grad = nullptr, input_grad = nullptr, weight_grad = nullptr, recurrent_grad = nullptr;
  // All that are spelled for this layer; those of which nothing is left to do when the layer is computed whole, which
  // are all but `cell`, `cell_grad` and what others read.
  std::set<Node> nodes, covered;
};

// Those without masks, from the first step to the last, of which nothing else reads what cuDNN does not tell: the gates
// and every c but the last. `tf32` of the program.
std::vector<RecurrentLayer> find_recurrent_layers(const program::ProgramSpec& program);

}  // namespace ostrich::cuda
