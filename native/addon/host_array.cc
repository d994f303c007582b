// See host_array.h.
#include "addon/host_array.h"

#include "core/error.h"

namespace ostrich::addon {
namespace {

napi_typedarray_type type_of(core::DType dtype) {
  switch (dtype) {
    case core::DType::f32:
      return napi_float32_array;
    case core::DType::bf16:
      return napi_uint16_array;
    case core::DType::i32:
      return napi_int32_array;
    case core::DType::u8:
      return napi_uint8_array;
  }
  return napi_float64_array;
}

const char* name_of(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return "Int8Array";
    case napi_uint8_array:
      return "Uint8Array";
    case napi_uint8_clamped_array:
      return "Uint8ClampedArray";
    case napi_int16_array:
      return "Int16Array";
    case napi_uint16_array:
      return "Uint16Array";
    case napi_int32_array:
      return "Int32Array";
    case napi_uint32_array:
      return "Uint32Array";
    case napi_float32_array:
      return "Float32Array";
    case napi_float64_array:
      return "Float64Array";
    case napi_bigint64_array:
      return "BigInt64Array";
    case napi_biguint64_array:
      return "BigUint64Array";
    default:
      return "a typed array";
  }
}

std::string describe(const Napi::Value& value) {
  if (value.IsTypedArray()) {
    const auto array = value.As<Napi::TypedArray>();
    return std::string(name_of(array.TypedArrayType())) + " of " + std::to_string(array.ElementLength());
  }
  if (value.IsArray()) return "an array";
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_object:
      return "an object";
    case napi_function:
      return "a function";
    case napi_string:
      return "a string";
    case napi_number:
      return "a number";
    default:
      return "another value";
  }
}

}  // namespace

const char* array_name(core::DType dtype) { return name_of(type_of(dtype)); }

void* array_data(const Napi::Value& value, core::DType dtype, int64_t count) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) return nullptr;
  return type == type_of(dtype) && int64_t(length) == count ? data : nullptr;
}

void fail_array(const std::string& where, const Napi::Value& got, core::DType dtype, int64_t count) {
  core::fail("ERR_ARGUMENT", where, ": expected ", array_name(dtype), " of ", count, " elements, got ", describe(got));
}

}  // namespace ostrich::addon
