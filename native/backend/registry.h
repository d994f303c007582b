// Which backends are present, and why one is not. Each is a shared object beside this one, opened on first use and
// never closed: a Node.js worker that ends must not unmap code under live threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace ostrich::backend {

struct Presence {
  std::string name;
  bool available;
  std::string reason;  // why not
};

// Every backend that Ostrich knows, opened if it can be.
std::vector<Presence> backends();

// Versions of the libraries of all backends that are there.
Facts versions();

// Throws ERR_NO_DEVICE with the reason when the backend is unknown or not available.
std::unique_ptr<Backend> open(const std::string& name, const DeviceOptions& options);

}  // namespace ostrich::backend
