// See registry.h.
#include "backend/registry.h"

#include <dlfcn.h>
#include <unistd.h>

#include "core/error.h"

namespace ostrich::backend {
namespace {

struct Loaded {
  const Plugin* plugin = nullptr;
  std::string reason;
};

std::string own_folder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return ".";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Loaded load(const std::string& name) {
  const std::string path = own_folder() + "/ostrich_" + name + ".so";
  if (access(path.c_str(), F_OK) != 0) {
    return {nullptr, "ostrich_" + name + ".so is not part of this build (in a clone, `node native/setup.mjs" +
                         (name == "cpu" ? "" : " --" + name) + "` makes it)"};
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return {nullptr, dlerror()};
  void* symbol = dlsym(handle, "ostrich_backend_plugin");
  if (symbol == nullptr) return {nullptr, dlerror()};
  const Plugin* plugin = reinterpret_cast<PluginEntry>(symbol)();
  if (plugin->abi != kPluginAbi) {
    return {nullptr, path + ": expected plugin interface " + std::to_string(kPluginAbi) + ", got " +
                         std::to_string(plugin->abi) + " (built from another version)"};
  }
  const std::string unavailable = plugin->unavailable();
  if (!unavailable.empty()) return {nullptr, unavailable};
  return {plugin, ""};
}

struct Known {
  std::string name;
  Loaded loaded;
};

// Loaded once a process and constant from then on, so that all environments may share it.
const std::vector<Known>& known() {
  static const std::vector<Known> table = {{"cpu", load("cpu")}, {"cuda", load("cuda")}};
  return table;
}

}  // namespace

std::vector<Presence> backends() {
  std::vector<Presence> list;
  for (const Known& entry : known()) {
    list.push_back({entry.name, entry.loaded.plugin != nullptr, entry.loaded.reason});
  }
  return list;
}

Facts versions() {
  Facts facts;
  for (const Known& entry : known()) {
    if (entry.loaded.plugin == nullptr) continue;
    for (auto& fact : entry.loaded.plugin->versions()) facts.push_back(std::move(fact));
  }
  return facts;
}

std::unique_ptr<Backend> open(const std::string& name, const DeviceOptions& options) {
  for (const Known& entry : known()) {
    if (entry.name != name) continue;
    if (entry.loaded.plugin == nullptr) core::fail("ERR_NO_DEVICE", name, ": ", entry.loaded.reason);
    return entry.loaded.plugin->open(options);
  }
  core::fail("ERR_NO_DEVICE", "device: expected cpu or cuda, got ", name);
}

}  // namespace ostrich::backend
