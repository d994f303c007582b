// One JSON value of the program text together with its place in it, so that every refusal can say where it is.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

#include "core/error.h"

namespace ostrich::program {

class Field {
 public:
  explicit Field(const nlohmann::json& json, std::string path = "") : json_(&json), path_(std::move(path)) {}

  const nlohmann::json& json() const { return *json_; }
  const std::string& path() const { return path_; }

  Field member(const char* key) const;  // an object's; absent is an error
  bool has(const char* key) const;
  Field item(size_t index) const;  // a list's
  size_t size() const;             // of a list

  int64_t integer(int64_t min, int64_t max) const;
  const std::string& string() const;
  const std::string& name() const;  // a string that is not empty

  // Throws ERR_PROGRAM "program: nodes[3].in[0]: ..." .
  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    core::fail("ERR_PROGRAM", "program: ", path_.empty() ? "" : path_ + ": ", parts...);
  }

 private:
  const nlohmann::json* json_;
  std::string path_;
};

}  // namespace ostrich::program
