// Stream capture and graphs: see driver_double.h. A node keeps what its call was given; a replay runs the nodes in any
// order that their dependencies allow.
#include <algorithm>

#include "driver_state.h"

namespace ostrich::cuda::host {
namespace {

// True when every node comes before the end of the origin's part, or is it.
bool is_joined(const Graph& graph, const std::vector<size_t>& frontier) {
  std::vector<bool> seen(graph.nodes.size());
  std::vector<size_t> open = frontier;
  while (!open.empty()) {
    const size_t node = open.back();
    open.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    open.insert(open.end(), graph.nodes[node].after.begin(), graph.nodes[node].after.end());
  }
  return std::all_of(seen.begin(), seen.end(), [](bool is) { return is; });
}

void end_capture(const std::shared_ptr<Capture>& capture) {
  for (const auto& stream : state().streams) {
    if (stream->capture != capture) continue;
    stream->capture = nullptr;
    stream->frontier.clear();
  }
  auto& active = state().captures;
  active.erase(std::remove(active.begin(), active.end(), capture), active.end());
}

}  // namespace

CUresult cuStreamBeginCapture(CUstream handle, CUstreamCaptureMode mode) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuStreamBeginCapture", handle, result);
  if (stream == nullptr) return result;
  if (stream->capture != nullptr) {
    spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_ILLEGAL_STATE, "cuStreamBeginCapture: the stream is captured already");
  }
  stream->capture = std::make_shared<Capture>();
  stream->capture->graph->device = stream->device;
  stream->capture->origin = stream.get();
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  state().captures.push_back(stream->capture);
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  const Lock lock(state().mutex);
  *graph = nullptr;
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuStreamEndCapture", handle, result);
  if (stream == nullptr) return result;
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture == nullptr) return refuse_locked(CUDA_ERROR_ILLEGAL_STATE, "cuStreamEndCapture: no capture has begun");
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id()) {
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "cuStreamEndCapture: another thread began it");
  }
  if (capture->origin != stream.get()) {
    spoil(*capture);
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "cuStreamEndCapture: expected the stream that began it");
  }
  const bool joined = is_joined(*capture->graph, stream->frontier);
  end_capture(capture);
  if (capture->spoilt) {
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "cuStreamEndCapture: a call spoilt the capture");
  }
  if (!joined) {
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
                         "cuStreamEndCapture: another stream took part, and this one does not wait for its end");
  }
  *graph = state().graph_handles.add<CUgraph>(capture->graph);
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph handle, unsigned long long) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuGraphInstantiate")) return result;
  const auto graph = state().graph_handles.find(handle);
  if (graph == nullptr) return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuGraphInstantiate: expected a graph");
  *exec = state().exec_handles.add<CUgraphExec>(std::make_shared<Graph>(*graph));
  return CUDA_SUCCESS;
}

CUresult cuGraphUpload(CUgraphExec exec, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuGraphUpload", handle, result);
  if (stream == nullptr) return result;
  if (state().exec_handles.find(exec) != nullptr) return CUDA_SUCCESS;
  return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuGraphUpload: expected an instantiated graph");
}

// A graph replays once at a time: a second launch waits, in whatever stream.
CUresult cuGraphLaunch(CUgraphExec exec, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuGraphLaunch", handle, result);
  if (stream == nullptr) return result;
  const auto graph = state().exec_handles.find(exec);
  if (graph == nullptr || graph->device != stream->device) {
    return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuGraphLaunch: expected a graph of the stream's device");
  }
  if (stream->capture != nullptr) {
    spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_NOT_SUPPORTED, "cuGraphLaunch: a graph within a graph is not doubled");
  }
  if (graph->nodes.empty()) return CUDA_SUCCESS;
  stream->queue.push_back({"graph", nullptr, nullptr, nullptr, graph});
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
  const Lock lock(state().mutex);
  if (state().exec_handles.remove(exec)) return CUDA_SUCCESS;
  return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuGraphExecDestroy: expected an instantiated graph");
}

CUresult cuGraphDestroy(CUgraph graph) {
  const Lock lock(state().mutex);
  if (state().graph_handles.remove(graph)) return CUDA_SUCCESS;
  return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuGraphDestroy: expected a graph");
}

}  // namespace ostrich::cuda::host
