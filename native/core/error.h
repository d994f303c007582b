// The one exception of the native side. addon/ translates it into a JavaScript error with the same code.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace ostrich::core {

// `code` is one of ERR_PROGRAM (bad program text), ERR_SHAPE, ERR_DATA (bad values at run time), ERR_NO_DEVICE,
// ERR_OUT_OF_MEMORY, ERR_DISPOSED, ERR_ARGUMENT, ERR_INTERNAL.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// fail("ERR_SHAPE", node.label(), ": expected rank 2, got ", rank)
template <typename... Parts>
[[noreturn]] void fail(const char* code, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(code, message.str());
}

}  // namespace ostrich::core

// A broken promise of our own code: names the expression, file and line.
#define OSTRICH_CHECK(expression) \
  ((expression)                   \
       ? void(0)                  \
       : ::ostrich::core::fail("ERR_INTERNAL", "check failed: " #expression, " at ", __FILE__, ":", __LINE__))
