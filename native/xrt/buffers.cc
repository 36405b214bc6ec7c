/* Buffers. Copies flush, or drop, exactly the range they touch: a flush costs by the cache line. */
#include <cstring>

#include "shim.h"

using namespace sotto;

namespace sotto {

buffer::buffer(device *held, int32_t what, xrt::bo made)
    : owner(held), kind(what), xrt(std::move(made)), bytes(xrt.map<uint8_t *>()), size(xrt.size()) {}

}  // namespace sotto

namespace {

/* Status and text unless the buffer has the range. */
int32_t check(const buffer &one, uint64_t offset, uint64_t length, error_sink error) {
  if (offset <= one.size && length <= one.size - offset) return SOTTO_XRT_OK;
  return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot reach %llu bytes at %llu: the buffer has %llu",
              static_cast<unsigned long long>(length), static_cast<unsigned long long>(offset),
              static_cast<unsigned long long>(one.size));
}

/* Runs `work` on a range of a buffer; an empty range is none. */
template <class Work>
int32_t on_range(uint64_t handle, uint64_t offset, uint64_t length, error_sink error, Work work) {
  const held<buffer> one(handle, HANDLE_NPU_BUFFER);
  if (!one) return stale(error, "a buffer");
  const int32_t status = check(*one.get(), offset, length, error);
  if (status != SOTTO_XRT_OK || length == 0) return status;
  return guarded(error, SOTTO_XRT_FAILED, one->owner.parent, [&] {
    work(*one.get());
    one->owner.parent->count(SOTTO_XRT_COUNT_BYTES_SYNCED, length);
    return static_cast<int32_t>(SOTTO_XRT_OK);
  });
}

}  // namespace

int32_t sotto_xrt_buffer_create(uint64_t handle, uint32_t argument, int32_t kind, uint64_t size, uint64_t *made,
                                char *error, size_t error_capacity) {
  const error_sink sink{error, error_capacity};
  const held<kernel> one(handle, HANDLE_NPU_KERNEL);
  if (!one) return stale(sink, "a kernel");
  const axlf_kernel &description = *one->description;
  if (argument >= static_cast<uint32_t>(description.argument_count) || !description.arguments[argument].is_buffer)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT,
                "Cannot make a buffer for argument %u: kernel %s has no buffer there (it has %d arguments)", argument,
                description.name, description.argument_count);
  if (kind != SOTTO_XRT_HOST && kind != SOTTO_XRT_INSTRUCTIONS)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot make a buffer of kind %d: 1 (host) or 2 (instructions)",
                kind);
  if (size == 0) return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot make a buffer of 0 bytes");
  device &npu = one->npu();
  if (npu.is_lost) return fail(sink, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no buffer can be made");
  return guarded(sink, SOTTO_XRT_BUFFER_REFUSED, &npu, [&] {
    const auto flags = kind == SOTTO_XRT_HOST ? xrt::bo::flags::host_only : xrt::bo::flags::cacheable;
    auto *created = new buffer(&npu, kind,
                               xrt::bo(npu.xrt, size, flags, one->xrt.group_id(static_cast<int>(argument))));
    /* The kernel gives host memory zeroed; instructions are a part of the heap that others may have used. */
    if (kind == SOTTO_XRT_INSTRUCTIONS) std::memset(created->bytes, 0, created->size);
    return enter(created, made, sink);
  });
}

int32_t sotto_xrt_buffer_map(uint64_t handle, uint64_t *address, uint64_t *size, char *error, size_t error_capacity) {
  const held<buffer> one(handle, HANDLE_NPU_BUFFER);
  if (!one) return stale({error, error_capacity}, "a buffer");
  *address = reinterpret_cast<uintptr_t>(one->bytes);
  *size = one->size;
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_buffer_write(uint64_t handle, uint64_t offset, const uint8_t *bytes, size_t bytes_length, char *error,
                               size_t error_capacity) {
  return on_range(handle, offset, bytes_length, {error, error_capacity}, [&](buffer &one) {
    std::memcpy(one.bytes + offset, bytes, bytes_length);
    one.xrt.sync(XCL_BO_SYNC_BO_TO_DEVICE, bytes_length, offset);
    one.owner.parent->count(SOTTO_XRT_COUNT_BYTES_WRITTEN, bytes_length);
  });
}

int32_t sotto_xrt_buffer_read(uint64_t handle, uint64_t offset, uint8_t *bytes, size_t bytes_length, char *error,
                              size_t error_capacity) {
  return on_range(handle, offset, bytes_length, {error, error_capacity}, [&](buffer &one) {
    one.xrt.sync(XCL_BO_SYNC_BO_FROM_DEVICE, bytes_length, offset);
    std::memcpy(bytes, one.bytes + offset, bytes_length);
    one.owner.parent->count(SOTTO_XRT_COUNT_BYTES_READ, bytes_length);
  });
}

int32_t sotto_xrt_buffer_sync_to_device(uint64_t handle, uint64_t offset, uint64_t length, char *error,
                                        size_t error_capacity) {
  return on_range(handle, offset, length, {error, error_capacity},
                  [&](buffer &one) { one.xrt.sync(XCL_BO_SYNC_BO_TO_DEVICE, length, offset); });
}

int32_t sotto_xrt_buffer_sync_from_device(uint64_t handle, uint64_t offset, uint64_t length, char *error,
                                          size_t error_capacity) {
  return on_range(handle, offset, length, {error, error_capacity},
                  [&](buffer &one) { one.xrt.sync(XCL_BO_SYNC_BO_FROM_DEVICE, length, offset); });
}
