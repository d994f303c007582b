// Typed arrays as tensors' host memory: which kind holds which dtype, and the checks with their words.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/dtype.h"

namespace ostrich::addon {

// "Float32Array", the kind that holds this dtype (bf16 travels in a Uint16Array).
const char* array_name(core::DType dtype);

// The memory when the value is as expected, else null.
void* array_data(const Napi::Value& value, core::DType dtype, int64_t count);
[[noreturn]] void fail_array(const std::string& where, const Napi::Value& got, core::DType dtype, int64_t count);

// As array_data; throws ERR_ARGUMENT "<where>: expected ..., got ..." instead. `where` is only called then.
template <typename Where>
void* expect_array(const Napi::Value& value, core::DType dtype, int64_t count, const Where& where) {
  void* data = array_data(value, dtype, count);
  if (data == nullptr) fail_array(where(), value, dtype, count);
  return data;
}

}  // namespace ostrich::addon
