#include "cuda/kernels/image_copy.h"

#include "cuda/kernels/strided_copy.h"

namespace ostrich::cuda {
namespace {

using core::Shape;

class ImageCopyStep : public Step {
 public:
  ImageCopyStep(Builder& builder, std::vector<CopyAxis> axes, Slot* from, Slot* to)
      : copy_(builder, std::move(axes), from, 0, to, 0) {
    reads = {from};
    writes = {to};
    detail = copy_.name();
  }
  void run(CUstream stream) override { copy_.run(stream); }

 private:
  StridedCopy copy_;
};

}  // namespace

std::unique_ptr<Step> make_image_copy(Builder& builder, Slot* from, Slot* to, int64_t top, int64_t left) {
  OSTRICH_CHECK(from->layout == to->layout && from->dtype == to->dtype);
  const Shape from_strides = from->layout.strides(from->shape), to_strides = to->layout.strides(to->shape);
  const int64_t before[4] = {0, 0, top, left};
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < 4; ++i) {
    const bool channels = i == 1 && !to->layout.is_row_major();
    axes.push_back({channels ? to->layout.channels : to->shape[i], to_strides[i], from_strides[i]});
    if (i < 2) continue;
    axes.back().before = before[i];
    axes.back().inside = from->shape[i];
  }
  return std::make_unique<ImageCopyStep>(builder, std::move(axes), from, to);
}

}  // namespace ostrich::cuda
