// A CUDA driver without a device, by which cuDNN plans all its engines: those that it compiles at run time want every
// function to be there, and to "load" what they compiled. plans.mjs adds the functions that are not here; each answers
// CUDA_ERROR_NO_DEVICE.
#include <dlfcn.h>

extern "C" {

int cuInit(unsigned) { return 0; }
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}
int cuGetErrorName(int, const char** text) {
  *text = "CUDA_ERROR_NO_DEVICE";
  return 0;
}
int cuGetErrorString(int, const char** text) {
  *text = "no device";
  return 0;
}

// Handles that nothing can be launched by.
int cuLibraryLoadData(void** handle) {
  *handle = handle;
  return 0;
}
int cuLibraryUnload() { return 0; }
int cuLibraryGetKernel(void** handle) { return cuLibraryLoadData(handle); }
int cuKernelGetFunction(void** handle) { return cuLibraryLoadData(handle); }
int cuKernelSetAttribute() { return 0; }
int cuKernelGetAttribute(int* value) {
  *value = 0;
  return 0;
}
int cuModuleLoadData(void** handle) { return cuLibraryLoadData(handle); }
int cuModuleLoadDataEx(void** handle) { return cuLibraryLoadData(handle); }
int cuModuleUnload() { return 0; }
int cuModuleGetFunction(void** handle) { return cuLibraryLoadData(handle); }
int cuFuncSetAttribute() { return 0; }

int cuGetProcAddress(const char* name, void** function, int, unsigned long long) {
  *function = dlsym(RTLD_DEFAULT, name);
  return *function != nullptr ? 0 : 500;
}
int cuGetProcAddress_v2(const char* name, void** function, int version, unsigned long long flags, int* state) {
  const int result = cuGetProcAddress(name, function, version, flags);
  if (state != nullptr) *state = result == 0 ? 0 : 1;
  return result;
}

}  // extern "C"
