// The recurrent layers of a program that cuDNN computes: those for which it was faster than our own kernels when each
// was built and timed as a program of its own. OSTRICH_RECURRENCES=own or cudnn chooses without timing. Choices are
// kept as the tuner keeps others; a deterministic device takes our own kernels.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cuda/builder.h"
#include "cuda/engine.h"
#include "cuda/kernels/rnn_layer.h"

namespace ostrich::cuda {

class LibraryLayers {
 public:
  // `choice`: for all layers, by the name of its plan or kOwnKernels; empty: for each what is fastest.
  LibraryLayers(const program::ProgramSpec& program, Engine& engine, const std::string& choice);
  // Whether a layer is computed in this node's place. Then `step` is what to run there, if anything.
  bool take(Builder& builder, const program::NodeSpec& node, std::unique_ptr<Step>& step);

  static const std::string kOwnKernels;

 private:
  using Node = const program::NodeSpec*;
  std::map<Node, std::shared_ptr<RnnLayer>> layers_;  // by each node in whose place they are computed
};

}  // namespace ostrich::cuda
