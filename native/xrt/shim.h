/* Objects behind the handles of sotto_xrt.h, and how an exception becomes a status. */
#ifndef SOTTO_XRT_SHIM_H
#define SOTTO_XRT_SHIM_H

#include <xrt/experimental/xrt_kernel.h>
#include <xrt/experimental/xrt_xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <vector>

extern "C" {
#include "../axlf/axlf.h"
#include "../cpu/handles.h"
#include "../include/sotto_xrt.h"
}

namespace sotto {

/* A handle's object that keeps what it was made from. Members are destroyed in the reverse order of their declaration:
 * libxrt's own object first, then the use of the parent. */
template <class Parent>
struct uses {
  Parent *parent;
  explicit uses(Parent *held) : parent(held) { object_retain(&held->object); }
  ~uses() { object_release(&parent->object); }
  uses(const uses &) = delete;
  uses &operator=(const uses &) = delete;
};

template <class T>
void free_as(handle_object *object) {
  delete reinterpret_cast<T *>(object);
}

struct device {
  handle_object object{HANDLE_NPU_DEVICE, 0, free_as<device>};
  xrt::device xrt;
  std::atomic<bool> is_lost{false};
  std::atomic<uint64_t> counters[SOTTO_XRT_COUNTERS]{};
  explicit device(xrt::device opened) : xrt(std::move(opened)) {}
  void count(int what, uint64_t amount) { counters[what] += amount; }
};

struct overlay {
  handle_object object{HANDLE_NPU_OVERLAY, 0, free_as<overlay>};
  uses<device> owner;
  xclbin_file file;
  xrt::xclbin xrt;
  overlay(device *held, const xclbin_file &read, xrt::xclbin made) : owner(held), file(read), xrt(std::move(made)) {}
};

struct context {
  handle_object object{HANDLE_NPU_CONTEXT, 0, free_as<context>};
  uses<overlay> owner;
  xrt::hw_context xrt;
  context(overlay *held, xrt::hw_context made) : owner(held), xrt(std::move(made)) {}
  device &npu() const { return *owner.parent->owner.parent; }
};

struct kernel {
  handle_object object{HANDLE_NPU_KERNEL, 0, free_as<kernel>};
  uses<context> owner;
  const axlf_kernel *description;
  xrt::kernel xrt;
  kernel(context *held, const axlf_kernel *found, xrt::kernel made)
      : owner(held), description(found), xrt(std::move(made)) {}
  device &npu() const { return owner.parent->npu(); }
};

struct buffer {
  handle_object object{HANDLE_NPU_BUFFER, 0, free_as<buffer>};
  uses<device> owner;
  int32_t kind;
  xrt::bo xrt;
  uint8_t *bytes;
  uint64_t size;
  buffer(device *held, int32_t what, xrt::bo made);
};

struct run {
  handle_object object{HANDLE_NPU_RUN, 0, free_as<run>};
  uses<kernel> owner;
  std::mutex lock; /* guards what follows */
  uint64_t is_set = 0;
  bool is_under_way = false, is_counted = true;
  std::atomic<int> lists{0}; /* under way that hold the run */
  buffer *buffers[AXLF_ARGUMENTS] = {};
  xrt::run xrt;
  run(kernel *held, xrt::run made) : owner(held), xrt(std::move(made)) {}
  ~run();
};

/* A driver's command chains at most this many. */
constexpr size_t LIST_RUNS = 24;

struct runlist {
  handle_object object{HANDLE_NPU_RUNLIST, 0, free_as<runlist>};
  uses<context> owner;
  std::mutex lock;
  bool is_under_way = false;
  std::vector<run *> runs;
  xrt::runlist xrt;
  runlist(context *held, xrt::runlist made) : owner(held), xrt(std::move(made)) {}
  ~runlist();
};

/* A handle's object in use during a call; converts to false where the handle is stale or of another kind. */
template <class T>
class held {
  T *object_;

 public:
  held(uint64_t handle, handle_kind kind) : object_(reinterpret_cast<T *>(handle_acquire(handle, kind))) {}
  ~held() {
    if (object_ != nullptr) object_release(&object_->object);
  }
  held(const held &) = delete;
  held &operator=(const held &) = delete;
  explicit operator bool() const { return object_ != nullptr; }
  T *operator->() const { return object_; }
  T *get() const { return object_; }
};

int32_t stale(error_sink error, const char *what);

/* Status and text of the exception in flight; `otherwise` where it does not say what it is. `npu` may be null. */
int32_t failure(error_sink error, int32_t otherwise, device *npu) noexcept;

/* Calls `work`, which answers with a status; an exception becomes one. */
template <class Work>
int32_t guarded(error_sink error, int32_t otherwise, device *npu, Work work) noexcept {
  try {
    return work();
  } catch (...) {
    return failure(error, otherwise, npu);
  }
}

/* Enters a new object; deletes it where the table has no room. */
template <class T>
int32_t enter(T *made, uint64_t *handle, error_sink error) {
  *handle = handle_enter(&made->object);
  if (*handle != 0) return SOTTO_XRT_OK;
  delete made;
  return fail(error, SOTTO_XRT_OUT_OF_MEMORY, "There is no memory for a handle");
}

/* Status and text of a state that a command ended in. */
int32_t state_status(int state, error_sink error);

/* Waits: the state at the end, or one below COMPLETED where time ran out. */
int wait_state(const xrt::run &run, uint32_t timeout_ms);

}  // namespace sotto

#endif
