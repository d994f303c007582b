// Has the real cuDNN plan convolutions for a GPU that is not here, and accept descriptions of recurrent layers, for which it
// does not ask what the GPU is.
//   plan_convs GPU.json KEYS      (a key of ConvSpec or RnnSpec on each line; ../../native/cuda/dnn.h, rnn.h)
// Prints each key, a tab, and the engine that was chosen ("apart from the bias: ..." where cuDNN does not fuse it, which
// the backend then does itself) or "REFUSED: " and the reason. Exit status: 1 if one is refused, 2 if
// nothing could be tried. The libraries are found as the backend finds them; where there is no driver,
// OSTRICH_CUDA_DRIVER names a stand-in whose soname is libcuda.so.1: some of cuDNN's libraries are linked with it.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "cuda/dnn_cudnn.h"
#include "cuda/find_library.h"
#include "cuda/rnn_cudnn.h"

namespace {

using namespace ostrich;

struct Planned {
  bool refused;
  std::string text;
};

Planned plan(void* cudnn, cuda::ConvSpec spec, const std::string& device) {
  std::string reason;
  try {
    return {false, cuda::plan_without_device(cudnn, spec, device)};
  } catch (const core::Error& error) {
    reason = error.what();
  }
  if (!spec.bias) return {true, "REFUSED: " + reason};
  spec.bias = false;
  Planned apart = plan(cudnn, spec, device);
  if (!apart.refused) apart.text = "apart from the bias: " + apart.text;
  return apart;
}

Planned plan(void* cudnn, const std::string& key, const std::string& device) {
  // Of a convolution the first word is a pass.
  if (key.find(" t") != key.find(' ')) return plan(cudnn, cuda::ConvSpec::parse(key), device);
  try {
    return {false, cuda::describe_rnn_without_device(cudnn, cuda::RnnSpec::parse(key))};
  } catch (const core::Error& error) {
    return {true, "REFUSED: " + std::string(error.what())};
  }
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

int check(const char* device_file, const char* keys_file) {
  std::ifstream device_text(device_file), keys(keys_file);
  const std::string device((std::istreambuf_iterator<char>(device_text)), {});
  if (device.empty() || !keys) core::fail("ERR_ARGUMENT", "cannot read ", device.empty() ? device_file : keys_file);
  const cuda::FoundLibrary driver = cuda::find_library(cuda::driver_library());
  const cuda::FoundLibrary cudnn = cuda::find_library(cuda::cudnn_library(13000));
  if (driver.handle == nullptr) core::fail("ERR_NO_DEVICE", "no driver or stand-in: ", driver.reasons());
  if (cudnn.handle == nullptr) core::fail("ERR_NO_DEVICE", "no cuDNN: ", cudnn.reasons());
  const std::string missing = cuda::open_cudnn_parts(cudnn);
  if (!missing.empty()) core::fail("ERR_NO_DEVICE", "cuDNN is not whole: ", missing);
  int count = 0, refused = 0;
  for (std::string key; std::getline(keys, key);) {
    if (key.empty()) continue;
    const Planned planned = plan(cudnn.handle, key, device);
    std::cout << key << "\t" << one_line(planned.text) << std::endl;
    ++count;
    if (planned.refused) ++refused;
  }
  std::cerr << count << " planned, " << refused << " refused (" << cudnn.file << ")\n";
  if (count == 0) core::fail("ERR_ARGUMENT", "no key in ", keys_file);
  return refused > 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: plan_convs GPU.json KEYS\n";
    return 2;
  }
  try {
    return check(arguments[1], arguments[2]);
  } catch (const std::exception& error) {
    std::cerr << "plan_convs: " << error.what() << "\n";
    return 2;
  }
}
