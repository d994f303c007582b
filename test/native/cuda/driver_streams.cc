// Streams: see driver_double.h. A stream is a queue that nothing empties until somebody waits; then the
// streams of the device take turns at random, some of the time the awaited one first, some of the time last.
#include <algorithm>

#include "driver_state.h"

namespace ostrich::cuda::host {
namespace {

void fail_device(int device, CUresult code, const std::string& text) {
  state().devices[device].fault = code;
  refuse_locked(code, text);
  for (const auto& stream : state().streams) {
    if (stream->device == device) stream->queue.clear();
  }
}

// False after a failure, which empties every queue.
bool run_work(int device, const std::string& label, const Work& work) {
  state().devices[device].ms += 0.001 * double(1 + state().draw() % 1000);
  if (state().idle) return true;
  const std::string failed = work();
  if (!failed.empty()) {
    fail_device(device, CUDA_ERROR_LAUNCH_FAILED, label + ": " + failed);
    return false;
  }
  const std::string beside = overrun();
  if (!beside.empty()) fail_device(device, CUDA_ERROR_ILLEGAL_ADDRESS, label + ": " + beside);
  return beside.empty();
}

bool is_blocked(const Operation& operation) {
  if (operation.wait != nullptr) return !operation.wait->reached;
  return operation.replay != nullptr && operation.done.empty() && operation.replay->busy;
}

// One node, of those that may run. False after a failure.
bool step_replay(int device, Operation& operation) {
  const std::vector<Node>& nodes = operation.replay->nodes;
  if (operation.done.empty()) {
    operation.done.resize(nodes.size());
    operation.left = nodes.size();
    operation.replay->busy = true;
  }
  std::vector<size_t> open;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto is_done = [&](size_t before) { return bool(operation.done[before]); };
    if (!operation.done[i] && std::all_of(nodes[i].after.begin(), nodes[i].after.end(), is_done)) open.push_back(i);
    if (open.size() == 8) break;  // enough to choose from: a long graph is not searched to its end each time
  }
  if (!open.empty()) {
    const size_t chosen = open[state().draw() % open.size()];
    operation.done[chosen] = true;
    --operation.left;
    const std::shared_ptr<Graph> graph = operation.replay;  // a failure takes the operation away
    if (!run_work(device, nodes[chosen].label, nodes[chosen].work)) {
      graph->busy = false;
      return false;
    }
  }
  if (operation.left == 0) operation.replay->busy = false;
  return true;
}

void step(Stream& stream) {
  Operation& operation = stream.queue.front();
  if (operation.replay != nullptr) {
    if (!step_replay(stream.device, operation) || operation.left > 0) return;
  } else if (operation.record != nullptr) {
    operation.record->reached = true;
    operation.record->ms = state().devices[stream.device].ms;
  } else if (operation.wait == nullptr) {
    const Operation own = std::move(operation);
    stream.queue.pop_front();
    run_work(stream.device, own.label, own.work);
    return;
  }
  stream.queue.pop_front();
}

enum class Turn { any, target_first, target_last };

// Lets one stream take a step; false when none can.
bool advance(int device, const Stream* target, Turn turn) {
  std::vector<Stream*> open;
  Stream* awaited = nullptr;
  for (const auto& stream : state().streams) {
    if (stream->device != device || stream->queue.empty() || is_blocked(stream->queue.front())) continue;
    if (stream.get() == target && turn != Turn::any) {
      awaited = stream.get();
    } else {
      open.push_back(stream.get());
    }
  }
  if (awaited != nullptr && (turn == Turn::target_first || open.empty())) {
    step(*awaited);
  } else if (!open.empty()) {
    step(*open[state().draw() % open.size()]);
  } else {
    return false;
  }
  return true;
}

void forget_ended_streams() {
  auto& all = state().streams;
  const auto ended = [](const auto& stream) { return stream.use_count() == 1 && stream->queue.empty(); };
  all.erase(std::remove_if(all.begin(), all.end(), ended), all.end());
}

}  // namespace

std::shared_ptr<Stream> stream_of(const char* call, CUstream handle, CUresult& result) {
  if ((result = ready(call))) return nullptr;
  const auto stream = state().stream_handles.find(handle);
  if (stream == nullptr || stream->device != current_device()) {
    result = refuse_locked(CUDA_ERROR_INVALID_HANDLE, std::string(call) +
                                                          ": expected a stream of the current context, got " +
                                                          (stream != nullptr   ? "one of another device"
                                                           : handle == nullptr ? "the default stream"
                                                                               : "a destroyed one"));
    return nullptr;
  }
  return stream;
}

CUresult append(Stream& stream, const std::string& label, Work work) {
  if (stream.capture == nullptr) {
    stream.queue.push_back({label, std::move(work), nullptr, nullptr, nullptr});
    return CUDA_SUCCESS;
  }
  if (stream.capture->spoilt) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  std::vector<Node>& nodes = stream.capture->graph->nodes;
  nodes.push_back({label, std::move(work), stream.frontier});
  stream.frontier = {nodes.size() - 1};
  return CUDA_SUCCESS;
}

CUresult enqueue(CUstream handle, const std::string& label, Work work) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of(label.c_str(), handle, result);
  return stream == nullptr ? result : append(*stream, label, std::move(work));
}

CUresult drain(int device, const Stream* target, const std::function<bool()>& condition) {
  const Turn turn = Turn(state().draw() % 3);
  // Work that nobody waits for may run too, or not.
  if (turn == Turn::target_last) {
    while (state().devices[device].fault == CUDA_SUCCESS && advance(device, target, turn)) {
    }
  }
  while (state().devices[device].fault == CUDA_SUCCESS && !condition()) {
    if (!advance(device, target, turn)) {
      fail_device(device, CUDA_ERROR_LAUNCH_TIMEOUT, "streams wait for each other, or for an event that never comes");
    }
  }
  forget_ended_streams();
  return state().devices[device].fault;
}

CUresult drain_stream(const Stream& stream) {
  return drain(stream.device, &stream, [&] { return stream.queue.empty(); });
}

CUresult drain_device(int device) {
  return drain(device, nullptr, [device] {
    const auto& all = state().streams;
    return std::all_of(all.begin(), all.end(),
                       [=](const auto& stream) { return stream->device != device || stream->queue.empty(); });
  });
}

CUresult cuStreamCreate(CUstream* handle, unsigned flags) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuStreamCreate")) return result;
  if (flags != CU_STREAM_NON_BLOCKING) {
    return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuStreamCreate: expected a stream of its own (NON_BLOCKING)");
  }
  auto stream = std::make_shared<Stream>();
  stream->device = current_device();
  state().streams.push_back(stream);
  *handle = state().stream_handles.add<CUstream>(stream);
  return CUDA_SUCCESS;
}

// What it still holds runs all the same.
CUresult cuStreamDestroy(CUstream handle) {
  const Lock lock(state().mutex);
  const auto stream = state().stream_handles.find(handle);
  if (stream == nullptr || stream->capture != nullptr) {
    return refuse_locked(CUDA_ERROR_INVALID_HANDLE, stream == nullptr ? "cuStreamDestroy: expected a stream"
                                                                      : "cuStreamDestroy: the stream is captured");
  }
  state().stream_handles.remove(handle);
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuStreamSynchronize", handle, result);
  if (stream == nullptr) return result;
  if (stream->capture != nullptr) {
    spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuStreamSynchronize: the stream is captured");
  }
  return drain_stream(*stream);
}

}  // namespace ostrich::cuda::host
