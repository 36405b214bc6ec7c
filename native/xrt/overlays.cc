/* xclbins, hardware contexts, kernels. */
#include <cstdio>
#include <cstring>
#include <string>

#include "shim.h"

using namespace sotto;

int32_t sotto_xrt_overlay_register(uint64_t handle, const uint8_t *xclbin, size_t xclbin_length, uint64_t *made,
                                   char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<device> npu(handle, HANDLE_NPU_DEVICE);
  if (!npu) return stale(sink, "a device");
  return guarded(sink, SOTTO_XRT_XCLBIN, npu.get(), [&] {
    std::vector<char> bytes(reinterpret_cast<const char *>(xclbin),
                            reinterpret_cast<const char *>(xclbin) + xclbin_length);
    xclbin_file file;
    if (axlf_read(&file, reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), sink) != SOTTO_OK)
      return static_cast<int32_t>(SOTTO_XRT_XCLBIN);
    file.pdi = nullptr; /* the bytes end with this call */
    xrt::xclbin read(bytes);
    npu->xrt.register_xclbin(read);
    return enter(new overlay(npu.get(), file, std::move(read)), made, sink);
  });
}

int32_t sotto_xrt_overlay_describe(uint64_t handle, char *json, size_t json_capacity, char *error,
                                   size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<overlay> one(handle, HANDLE_NPU_OVERLAY);
  if (!one) return stale(sink, "an overlay");
  return guarded(sink, SOTTO_XRT_FAILED, nullptr, [&] {
    std::string kernels;
    for (int i = 0; i < one->file.kernel_count; i++)
      kernels += (i == 0 ? "\"" : ", \"") + std::string(one->file.kernels[i].name) + "\"";
    std::snprintf(json, json_capacity, "{\"uuid\": \"%s\", \"kernels\": [%s], \"columns\": %d}", one->file.uuid,
                  kernels.c_str(), one->file.columns);
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

int32_t sotto_xrt_context_create(uint64_t handle, uint64_t *made, char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<overlay> one(handle, HANDLE_NPU_OVERLAY);
  if (!one) return stale(sink, "an overlay");
  device *npu = one->owner.parent;
  return guarded(sink, SOTTO_XRT_CONTEXT_REFUSED, npu, [&] {
    xrt::hw_context configured(npu->xrt, one->xrt.get_uuid());
    npu->count(SOTTO_XRT_COUNT_CONTEXTS, 1);
    return enter(new context(one.get(), std::move(configured)), made, sink);
  });
}

int32_t sotto_xrt_kernel_open(uint64_t handle, const char *name, size_t name_length, uint64_t *made, char *error,
                              size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<context> one(handle, HANDLE_NPU_CONTEXT);
  if (!one) return stale(sink, "a context");
  const xclbin_file &file = one->owner.parent->file;
  const axlf_kernel *found = nullptr;
  for (int i = 0; i < file.kernel_count; i++)
    if (std::strlen(file.kernels[i].name) == name_length && std::memcmp(file.kernels[i].name, name, name_length) == 0)
      found = &file.kernels[i];
  if (found == nullptr)
    return fail(sink, SOTTO_XRT_XCLBIN, "The xclbin has no kernel \"%.*s\": its first is \"%s\"",
                static_cast<int>(name_length > 64 ? 64 : name_length), name, file.kernels[0].name);
  return guarded(sink, SOTTO_XRT_CONTEXT_REFUSED, &one->npu(),
                 [&] { return enter(new kernel(one.get(), found, xrt::kernel(one->xrt, found->name)), made, sink); });
}

int32_t sotto_xrt_kernel_describe(uint64_t handle, char *json, size_t json_capacity, char *error,
                                  size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<kernel> one(handle, HANDLE_NPU_KERNEL);
  if (!one) return stale(sink, "a kernel");
  return guarded(sink, SOTTO_XRT_FAILED, nullptr, [&] {
    std::string list;
    for (int i = 0; i < one->description->argument_count; i++) {
      const axlf_argument &argument = one->description->arguments[i];
      list += (i == 0 ? "" : ", ") + std::string("{\"name\": \"") + argument.name + "\", \"kind\": \"" +
              (argument.is_buffer ? "buffer" : "scalar") + "\", \"size\": " + std::to_string(argument.size) + "}";
    }
    std::snprintf(json, json_capacity, "{\"name\": \"%s\", \"arguments\": [%s]}", one->description->name, list.c_str());
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}
