/* Is there an NPU, and if not why not; opening one. libxrt says "No such device" of all of it, so the device files and the
 * limit of locked memory are looked at here. */
#include <xrt/detail/version-slim.h>
#include <xrt/experimental/xrt_ini.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "shim.h"

namespace sotto {

int32_t stale(error_sink error, const char *what) {
  return fail(error, SOTTO_XRT_INVALID_HANDLE, "Not a handle of %s, or destroyed already", what);
}

namespace {

/* What failed, where the status says it. */
const char *subject(int32_t status) {
  switch (status) {
  case SOTTO_XRT_XCLBIN: return "The xclbin was refused: ";
  case SOTTO_XRT_CONTEXT_REFUSED: return "A hardware context was refused: ";
  case SOTTO_XRT_BUFFER_REFUSED: return "A buffer was refused: ";
  case SOTTO_XRT_SUBMIT_REFUSED: return "A command was refused: ";
  default: return "";
  }
}

}  // namespace

int32_t failure(error_sink error, int32_t otherwise, device *npu) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc &) {
    return fail(error, SOTTO_XRT_OUT_OF_MEMORY, "libxrt had no memory");
  } catch (const std::system_error &failed) {
    const int code = std::abs(failed.code().value());
    if (code == ENODEV && npu != nullptr) {
      npu->is_lost = true;
      return fail(error, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: libxrt says \"%s\"", failed.what());
    }
    return fail(error, otherwise, "%slibxrt says \"%s\"", subject(otherwise), failed.what());
  } catch (const std::exception &failed) {
    return fail(error, otherwise, "%slibxrt says \"%s\"", subject(otherwise), failed.what());
  } catch (...) {
    return fail(error, otherwise, "libxrt threw something that is no exception");
  }
}

namespace {

constexpr int MOST_DEVICES = 16;

/* 0 if there is a device file that may be opened; else ENOENT or the reason that one may not. */
int look_for_files() {
  int reason = ENOENT;
  for (int i = 0; i < MOST_DEVICES; i++) {
    char path[32];
    std::snprintf(path, sizeof path, "/dev/accel/accel%d", i);
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file >= 0) {
      close(file);
      return 0;
    }
    if (errno != ENOENT) reason = errno;
  }
  return reason;
}

int32_t explain_files(int reason, error_sink error) {
  if (reason == EACCES || reason == EPERM)
    return fail(error, SOTTO_XRT_PERMISSION, "/dev/accel/accel* may not be opened by this user: %s",
                std::strerror(reason));
  if (reason == ENOENT) return fail(error, SOTTO_XRT_ABSENT, "There is no NPU: no /dev/accel/accel*");
  return fail(error, SOTTO_XRT_ABSENT, "There is no NPU that can be used: /dev/accel/accel*: %s",
              std::strerror(reason));
}

/* The driver library locks its heap in memory when a device is opened. */
bool is_memory_limit(const char *text) {
  return std::strstr(text, "mmap") != nullptr || std::strstr(text, "Resource temporarily unavailable") != nullptr;
}

/* How much memory this process may lock. */
std::string memory_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return "not known";
  return limit.rlim_cur == RLIM_INFINITY ? "none" : std::to_string(limit.rlim_cur / 1024) + " KiB";
}

/* libxrt writes some failures to stderr beside throwing them, unless its log goes nowhere. An xrt.ini that was read already
 * wins: then set() throws. */
void silence_libxrt() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      xrt::ini::set("Runtime.runtime_log", "null");
    } catch (const std::exception &) {}
  });
}

/* Opens a device, or answers with status and text of why not. */
int32_t open_device(uint32_t index, xrt::device *opened, error_sink error) noexcept {
  const int reason = look_for_files();
  if (reason != 0) return explain_files(reason, error);
  try {
    silence_libxrt();
    *opened = xrt::device(index);
    return SOTTO_XRT_OK;
  } catch (const std::exception &failed) {
    if (is_memory_limit(failed.what()))
      return fail(error, SOTTO_XRT_MEMLOCK,
                  "The NPU's heap of 64 MiB cannot be locked in memory (the limit is %s): libxrt says \"%s\"",
                  memory_limit().c_str(), failed.what());
    return fail(error, SOTTO_XRT_ABSENT, "libxrt finds no NPU %u: it says \"%s\"", index, failed.what());
  } catch (...) {
    return failure(error, SOTTO_XRT_ABSENT, nullptr);
  }
}

/* A name goes into JSON as it is, less what would end it. */
std::string plain(const std::string &name) {
  std::string kept;
  for (const char c : name)
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') kept += c;
  return kept;
}

/* 1 = XDNA1, 2 = XDNA2, 0 = not known. */
int generation_of(const std::string &name) {
  for (const char *one : {"Phoenix", "Hawk", "npu1"})
    if (name.find(one) != std::string::npos) return 1;
  for (const char *two : {"Strix", "Krackan", "Gorgon", "npu4", "npu5", "npu6"})
    if (name.find(two) != std::string::npos) return 2;
  return 0;
}

}  // namespace
}  // namespace sotto

using namespace sotto;

uint32_t sotto_xrt_abi(void) { return SOTTO_XRT_ABI; }

int32_t sotto_xrt_describe(char *json, size_t json_capacity) {
  std::snprintf(json, json_capacity, "{\"library\": \"libsotto_xrt\", \"modelled\": false, \"xrt\": \"%d.%d\"}",
                XRT_MAJOR(XRT_VERSION_CODE), XRT_MINOR(XRT_VERSION_CODE));
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_model_configure(const char *, size_t, char *error, size_t error_capacity) {
  return fail({error, error_capacity}, SOTTO_XRT_UNSUPPORTED,
              "libsotto_xrt drives real NPUs: there is no model to configure");
}

int32_t sotto_xrt_probe(uint32_t *devices, char *json, size_t json_capacity, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  *devices = 0;
  std::snprintf(json, json_capacity, "[]");
  return guarded(sink, SOTTO_XRT_ABSENT, nullptr, [&] {
    std::string list;
    int32_t first = SOTTO_XRT_OK;
    for (uint32_t i = 0; i < MOST_DEVICES; i++) {
      xrt::device opened;
      char ignored[8];
      const int32_t status = open_device(i, &opened, i == 0 ? sink : error_sink{ignored, sizeof ignored});
      if (i == 0) first = status;
      if (status != SOTTO_XRT_OK) break;
      const std::string name = plain(opened.get_info<xrt::info::device::name>());
      list += (i == 0 ? "" : ", ") + std::string("{\"index\": ") + std::to_string(i) + ", \"name\": \"" + name +
              "\", \"modelled\": false}";
      *devices = i + 1;
    }
    std::snprintf(json, json_capacity, "[%s]", list.c_str());
    return first;
  });
}

int32_t sotto_xrt_device_open(uint32_t index, uint64_t *handle, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  return guarded(sink, SOTTO_XRT_FAILED, nullptr, [&] {
    xrt::device opened;
    const int32_t status = open_device(index, &opened, sink);
    return status != SOTTO_XRT_OK ? status : enter(new device(std::move(opened)), handle, sink);
  });
}

int32_t sotto_xrt_device_describe(uint64_t handle, char *json, size_t json_capacity, char *error,
                                  size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<device> npu(handle, HANDLE_NPU_DEVICE);
  if (!npu) return stale(sink, "a device");
  return guarded(sink, SOTTO_XRT_FAILED, npu.get(), [&] {
    const std::string name = plain(npu->xrt.get_info<xrt::info::device::name>());
    const int generation = generation_of(name);
    if (generation == 0)
      return fail(sink, SOTTO_XRT_UNSUPPORTED, "The NPU \"%s\" is of an unknown generation", name.c_str());
    const char *contexts = generation == 1 ? "6" : "null";
    std::snprintf(json, json_capacity,
                  "{\"name\": \"%s\", \"generation\": \"npu%d\", \"columns\": %d, \"rows\": 4, \"contexts\": %s, "
                  "\"modelled\": false, \"clock\": null}",
                  name.c_str(), generation, generation == 1 ? 4 : 8, contexts);
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

int32_t sotto_xrt_counters(uint64_t handle, uint64_t *counters, size_t counters_length, char *error,
                           size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  if (counters_length != SOTTO_XRT_COUNTERS)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot count: %d places are needed, got %zu", SOTTO_XRT_COUNTERS,
                counters_length);
  std::memset(counters, 0, SOTTO_XRT_COUNTERS * sizeof *counters);
  if (const held<device> npu(handle, HANDLE_NPU_DEVICE); npu) {
    for (int i = 0; i < SOTTO_XRT_COUNTERS; i++) counters[i] = npu->counters[i];
    return SOTTO_XRT_OK;
  }
  const held<run> one(handle, HANDLE_NPU_RUN);
  if (!one) return stale(sink, "a device or a run");
  counters[SOTTO_XRT_COUNT_LAUNCHES] = one->is_counted ? 1 : 0;
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_destroy(uint64_t handle) { return handle_destroy(handle) ? SOTTO_XRT_OK : SOTTO_XRT_INVALID_HANDLE; }
