/* Runs and lists of runs. */
#include <chrono>
#include <cstring>

#include "shim.h"

using namespace sotto;

namespace {

constexpr uint32_t ARGUMENT_INSTRUCTIONS = 1;

/* Longer than any watchdog of the driver: what is dropped in progress is waited for. */
constexpr uint32_t DROP_WAIT_MS = 10000;

bool is_final(int state) {
  return state == SOTTO_XRT_RUN_COMPLETED || state == SOTTO_XRT_RUN_ERROR || state == SOTTO_XRT_RUN_ABORTED ||
         state >= SOTTO_XRT_RUN_TIMEOUT;
}

/* Counts the end of a run once. Its lock is held. */
void count_end(run &one, int state) {
  one.is_under_way = false;
  if (one.is_counted) return;
  one.is_counted = true;
  if (state != SOTTO_XRT_RUN_COMPLETED) one.owner.parent->npu().count(SOTTO_XRT_COUNT_FAILURES, 1);
}

/* Whether the run's arguments are in use. Its lock is held. */
bool is_busy(run &one) {
  if (one.lists > 0) return true;
  if (one.is_under_way && is_final(one.xrt.state())) count_end(one, one.xrt.state());
  return one.is_under_way;
}

}  // namespace

namespace sotto {

int32_t state_status(int state, error_sink error) {
  if (state == SOTTO_XRT_RUN_COMPLETED) return SOTTO_XRT_OK;
  if (state == SOTTO_XRT_RUN_TIMEOUT)
    return fail(error, SOTTO_XRT_COMMAND_HUNG, "The driver's watchdog ended the command (state 8)");
  return fail(error, SOTTO_XRT_COMMAND_ERROR, "The command ended in state %d", state);
}

int wait_state(const xrt::run &waited, uint32_t timeout_ms) {
  try {
    return static_cast<int>(waited.wait(std::chrono::milliseconds(timeout_ms)));
  } catch (const std::runtime_error &) {
    /* The driver library takes a wait that ran out of time for one that ended. */
    const int state = static_cast<int>(waited.state());
    if (timeout_ms == 0 || is_final(state)) throw;
    return state;
  }
}

run::~run() {
  try {
    if (is_under_way) wait_state(xrt, DROP_WAIT_MS);
  } catch (...) {}
  xrt = xrt::run();
  for (buffer *one : buffers)
    if (one != nullptr) object_release(&one->object);
}

runlist::~runlist() {
  try {
    if (is_under_way) xrt.wait(std::chrono::milliseconds(DROP_WAIT_MS));
  } catch (...) {}
  xrt = xrt::runlist();
  for (run *one : runs) {
    if (is_under_way) one->lists--;
    object_release(&one->object);
  }
}

}  // namespace sotto

int32_t sotto_xrt_run_create(uint64_t handle, uint64_t *made, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<kernel> one(handle, HANDLE_NPU_KERNEL);
  if (!one) return stale(sink, "a kernel");
  return guarded(sink, SOTTO_XRT_BUFFER_REFUSED, /* its command packet is one */ &one->npu(), [&] {
    auto *created = new run(one.get(), xrt::run(one->xrt));
    created->is_counted = false;
    return enter(created, made, sink);
  });
}

namespace {

/* Status and text unless argument `index` is of this kind. */
int32_t check_argument(const axlf_kernel &description, uint32_t index, bool is_buffer, error_sink error) {
  if (index >= static_cast<uint32_t>(description.argument_count))
    return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: kernel %s has %d", index, description.name,
                description.argument_count);
  if ((description.arguments[index].is_buffer != 0) != is_buffer)
    return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: %s is a %s", index,
                description.arguments[index].name, is_buffer ? "scalar" : "buffer");
  return SOTTO_XRT_OK;
}

}  // namespace

int32_t sotto_xrt_run_set_scalar(uint64_t handle, uint32_t index, uint64_t value, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a run");
  const axlf_kernel &description = *one->owner.parent->description;
  const int32_t status = check_argument(description, index, false, sink);
  if (status != SOTTO_XRT_OK) return status;
  const axlf_argument &argument = description.arguments[index];
  if (argument.size < 8 && value >> 8 * argument.size != 0)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: %s has %u bytes, %llu needs more", index,
                argument.name, argument.size, static_cast<unsigned long long>(value));
  return guarded(sink, SOTTO_XRT_FAILED, &one->owner.parent->npu(), [&] {
    const std::lock_guard<std::mutex> guard(one->lock);
    if (is_busy(*one.get())) return fail(sink, SOTTO_XRT_BUSY, "Cannot set argument %u: the run is under way", index);
    if (argument.size == 8) one->xrt.set_arg(static_cast<int>(index), value);
    else one->xrt.set_arg(static_cast<int>(index), static_cast<uint32_t>(value));
    one->is_set |= 1ull << index;
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

int32_t sotto_xrt_run_set_buffer(uint64_t handle, uint32_t index, uint64_t given, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<buffer> argument(given, HANDLE_NPU_BUFFER);
  if (!argument) return stale(sink, "a buffer");
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a run");
  device &npu = one->owner.parent->npu();
  const int32_t status = check_argument(*one->owner.parent->description, index, true, sink);
  if (status != SOTTO_XRT_OK) return status;
  if (argument->owner.parent != &npu)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: the buffer is of another device", index);
  if (index == ARGUMENT_INSTRUCTIONS && argument->kind != SOTTO_XRT_INSTRUCTIONS)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: instructions need a buffer of kind 2",
                index);
  return guarded(sink, SOTTO_XRT_FAILED, &npu, [&] {
    const std::lock_guard<std::mutex> guard(one->lock);
    if (is_busy(*one.get())) return fail(sink, SOTTO_XRT_BUSY, "Cannot set argument %u: the run is under way", index);
    one->xrt.set_arg(static_cast<int>(index), argument->xrt);
    object_retain(&argument->object);
    if (one->buffers[index] != nullptr) object_release(&one->buffers[index]->object);
    one->buffers[index] = argument.get();
    one->is_set |= 1ull << index;
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

namespace {

/* Everything needed is set; what is not is null, instead of what an earlier run left in the packet. The lock is held. */
int32_t prepare(run &one, error_sink error) {
  const axlf_kernel &description = *one.owner.parent->description;
  for (int i = 0; i < description.argument_count; i++) {
    if (one.is_set >> i & 1) continue;
    if (!description.arguments[i].is_buffer || i == static_cast<int>(ARGUMENT_INSTRUCTIONS))
      return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot start the run: argument %d (%s) is not set", i,
                  description.arguments[i].name);
    one.xrt.set_arg(i, uint64_t{0});
  }
  return SOTTO_XRT_OK;
}

}  // namespace

int32_t sotto_xrt_run_start(uint64_t handle, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a run");
  device &npu = one->owner.parent->npu();
  if (npu.is_lost) return fail(sink, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no command can be submitted");
  return guarded(sink, SOTTO_XRT_SUBMIT_REFUSED, &npu, [&] {
    const std::lock_guard<std::mutex> guard(one->lock);
    if (is_busy(*one.get())) return fail(sink, SOTTO_XRT_BUSY, "Cannot start the run: it is under way");
    const int32_t status = prepare(*one.get(), sink);
    if (status != SOTTO_XRT_OK) return status;
    one->xrt.start();
    one->is_under_way = true;
    one->is_counted = false;
    npu.count(SOTTO_XRT_COUNT_LAUNCHES, 1);
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

int32_t sotto_xrt_run_wait(uint64_t handle, uint32_t timeout_ms, int32_t *state, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  *state = SOTTO_XRT_RUN_NEW;
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a run");
  {
    const std::lock_guard<std::mutex> guard(one->lock);
    if (!one->is_under_way && !one->is_counted)
      return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot wait for a run that was not started");
  }
  return guarded(sink, SOTTO_XRT_FAILED, &one->owner.parent->npu(), [&] {
    const int now = static_cast<int>(one->xrt.state());
    *state = is_final(now) && !one->is_under_way ? now : wait_state(one->xrt, timeout_ms);
    if (!is_final(*state)) return fail(sink, SOTTO_XRT_TIMEOUT, "The command was not over after %u ms", timeout_ms);
    const std::lock_guard<std::mutex> guard(one->lock);
    count_end(*one.get(), *state);
    return state_status(*state, sink);
  });
}

int32_t sotto_xrt_run_state(uint64_t handle, int32_t *state, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a run");
  return guarded(sink, SOTTO_XRT_FAILED, &one->owner.parent->npu(), [&] {
    *state = static_cast<int32_t>(one->xrt.state());
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

/* ---- lists of runs ---- */

int32_t sotto_xrt_runlist_create(uint64_t handle, uint64_t *made, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<context> one(handle, HANDLE_NPU_CONTEXT);
  if (!one) return stale(sink, "a context");
  return guarded(sink, SOTTO_XRT_BUFFER_REFUSED, &one->npu(),
                 [&] { return enter(new runlist(one.get(), xrt::runlist(one->xrt)), made, sink); });
}

int32_t sotto_xrt_runlist_add(uint64_t handle, uint64_t given, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<run> added(given, HANDLE_NPU_RUN);
  if (!added) return stale(sink, "a run");
  const held<runlist> list(handle, HANDLE_NPU_RUNLIST);
  if (!list) return stale(sink, "a runlist");
  return guarded(sink, SOTTO_XRT_FAILED, &list->owner.parent->npu(), [&] {
    const std::lock_guard<std::mutex> guard(list->lock);
    if (added->owner.parent->owner.parent != list->owner.parent)
      return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot add the run: it is of another context than the list");
    if (list->is_under_way) return fail(sink, SOTTO_XRT_BUSY, "Cannot add a run: the list is under way");
    if (list->runs.size() == LIST_RUNS)
      return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot add a run: a list holds at most %zu", LIST_RUNS);
    {
      const std::lock_guard<std::mutex> other(added->lock);
      const int32_t status = prepare(*added.get(), sink);
      if (status != SOTTO_XRT_OK) return status;
    }
    list->runs.reserve(LIST_RUNS);
    list->xrt.add(added->xrt);
    object_retain(&added->object);
    list->runs.push_back(added.get());
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

int32_t sotto_xrt_runlist_start(uint64_t handle, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<runlist> list(handle, HANDLE_NPU_RUNLIST);
  if (!list) return stale(sink, "a runlist");
  device &npu = list->owner.parent->npu();
  if (npu.is_lost) return fail(sink, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no command can be submitted");
  return guarded(sink, SOTTO_XRT_SUBMIT_REFUSED, &npu, [&] {
    const std::lock_guard<std::mutex> guard(list->lock);
    if (list->is_under_way) return fail(sink, SOTTO_XRT_BUSY, "Cannot start the list: it is under way");
    if (list->runs.empty()) return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot start the list: it has no run");
    list->xrt.execute();
    list->is_under_way = true;
    for (run *one : list->runs) one->lists++;
    npu.count(SOTTO_XRT_COUNT_LAUNCHES, list->runs.size());
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

namespace {

/* The list is over. Its lock is held. */
void end_list(runlist &list) {
  list.is_under_way = false;
  for (run *one : list.runs) one->lists--;
}

/* Index of the first run that did not complete. */
int32_t first_failed(const runlist &list) {
  for (size_t i = 0; i < list.runs.size(); i++)
    if (list.runs[i]->xrt.state() != ERT_CMD_STATE_COMPLETED) return static_cast<int32_t>(i);
  return -1;
}

}  // namespace

int32_t sotto_xrt_runlist_wait(uint64_t handle, uint32_t timeout_ms, int32_t *failed, char *error,
                               size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  *failed = -1;
  const held<runlist> list(handle, HANDLE_NPU_RUNLIST);
  if (!list) return stale(sink, "a runlist");
  device &npu = list->owner.parent->npu();
  return guarded(sink, SOTTO_XRT_FAILED, &npu, [&] {
    const std::lock_guard<std::mutex> guard(list->lock);
    if (!list->is_under_way)
      return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot wait for a list that was not started");
    try {
      if (list->xrt.wait(std::chrono::milliseconds(timeout_ms)) == std::cv_status::timeout)
        return fail(sink, SOTTO_XRT_TIMEOUT, "The list was not over after %u ms", timeout_ms);
    } catch (const xrt::runlist::command_error &ended) {
      *failed = first_failed(*list.get());
      end_list(*list.get());
      npu.count(SOTTO_XRT_COUNT_FAILURES, 1);
      return state_status(static_cast<int>(ended.get_command_state()), sink);
    } catch (const std::runtime_error &) {
      if (timeout_ms == 0 || is_final(static_cast<int>(list->xrt.state()))) throw;
      return fail(sink, SOTTO_XRT_TIMEOUT, "The list was not over after %u ms", timeout_ms);
    }
    end_list(*list.get());
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}
