// See cuda_buffer.h.
#include "cuda/cuda_buffer.h"

#include <cstring>
#include <vector>

namespace ostrich::cuda {
namespace {

// Copies every element of `shape` from one unpadded layout to another; only [A, B, C, D] is ever not row-major.
void permute(const char* source, const Layout& from, char* target, const Layout& to, const core::Shape& shape,
             size_t element) {
  const core::Shape in = from.strides(shape), out = to.strides(shape);
  for (int64_t a = 0; a < shape[0]; ++a) {
    for (int64_t b = 0; b < shape[1]; ++b) {
      for (int64_t c = 0; c < shape[2]; ++c) {
        for (int64_t d = 0; d < shape[3]; ++d) {
          std::memcpy(target + size_t(a * out[0] + b * out[1] + c * out[2] + d * out[3]) * element,
                      source + size_t(a * in[0] + b * in[1] + c * in[2] + d * in[3]) * element, element);
        }
      }
    }
  }
}

}  // namespace

CudaBuffer::CudaBuffer(std::shared_ptr<Context> context, CUstream stream, backend::BufferSpec spec)
    : Buffer(std::move(spec)),
      context_(std::move(context)),
      stream_(stream),
      memory_(context_, size_t(core::count(this->spec().shape)) * core::size_of(this->spec().dtype),
              this->spec().name) {
  OSTRICH_CU(*context_, cuMemsetD8Async(address(data()), 0, bytes(), stream_));
  OSTRICH_CU(*context_, cuStreamSynchronize(stream_));
}

void CudaBuffer::set_home(const Layout& layout) {
  OSTRICH_CHECK(!has_home_ && !layout.is_padded(spec().shape));
  if (layout != layout_) {
    std::vector<char> contents(bytes());
    download(contents.data());
    layout_ = layout;
    upload(contents.data());
  }
  has_home_ = true;
}

void CudaBuffer::upload(const void* host) {
  std::vector<char> permuted;
  if (!layout_.is_row_major()) {
    permuted.resize(bytes());
    permute(static_cast<const char*>(host), {}, permuted.data(), layout_, spec().shape, core::size_of(spec().dtype));
    host = permuted.data();
  }
  OSTRICH_CU(*context_, cuMemcpyHtoDAsync(address(data()), host, bytes(), stream_));
  OSTRICH_CU(*context_, cuStreamSynchronize(stream_));
}

void CudaBuffer::download(void* host) const {
  std::vector<char> permuted(layout_.is_row_major() ? 0 : bytes());
  void* target = permuted.empty() ? host : permuted.data();
  OSTRICH_CU(*context_, cuMemcpyDtoHAsync(target, address(data()), bytes(), stream_));
  OSTRICH_CU(*context_, cuStreamSynchronize(stream_));
  if (!permuted.empty()) {
    permute(permuted.data(), layout_, static_cast<char*>(host), {}, spec().shape, core::size_of(spec().dtype));
  }
}

}  // namespace ostrich::cuda
