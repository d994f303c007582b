// See user_cache.h.
#include "cuda/user_cache.h"

#include <cstdlib>

namespace ostrich::cuda {

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::filesystem::path user_cache() {
  const std::string cache = environment("XDG_CACHE_HOME");
  if (!cache.empty()) return std::filesystem::path(cache) / "ostrich";
  const std::string home = environment("HOME");
  return home.empty() ? std::filesystem::path() : std::filesystem::path(home) / ".cache/ostrich";
}

}  // namespace ostrich::cuda
