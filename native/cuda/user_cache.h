// The user's cache of Ostrich: timed choices, and NVIDIA's libraries where `ostrich cuda get` fetched them.
#pragma once

#include <filesystem>
#include <string>

namespace ostrich::cuda {

// As for data; empty without a home.
std::filesystem::path user_cache();

// A variable of the environment; empty without one.
std::string environment(const std::string& name);

}  // namespace ostrich::cuda
