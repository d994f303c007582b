// One recurrent layer by plain loops in double precision, for rnn_double.cc.
#pragma once

#include <string>
#include <vector>

#include "cuda/rnn.h"

namespace ostrich::cuda::host {

struct Place : GatePlace {
  size_t second_bias;
};

// Blocks in a drawn order, with drawn gaps before them.
std::vector<Place> draw_places(const RnnSpec& spec, size_t& bytes);
size_t reserve_bytes(const RnnSpec& spec);
void compute_layer(const RnnSpec& spec, const std::vector<Place>& places, const RnnPointers& pointers);
// What went wrong, or nothing.
std::string compute_gradients(const RnnSpec& spec, const std::vector<Place>& places, const RnnPointers& pointers);

}  // namespace ostrich::cuda::host
