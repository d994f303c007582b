// Images in a frame of another size.
#pragma once

#include <memory>

#include "cuda/builder.h"

namespace ostrich::cuda {

// Copies images [N, C, H, W] that lie alike: row `h` of `from` is row `h + top` of `to`, its columns likewise. What no
// element reaches is zero; what lies outside is left out.
std::unique_ptr<Step> make_image_copy(Builder& builder, Slot* from, Slot* to, int64_t top, int64_t left);

}  // namespace ostrich::cuda
