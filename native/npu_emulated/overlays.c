/* Overlays, hardware contexts and kernels. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

static void free_overlay(handle_object *object) {
  overlay_object *overlay = (overlay_object *)object;
  object_release(&overlay->device->object);
  free(overlay->bytes);
  free(overlay);
}

/* Reads the container and its PDI, and holds them against the NPU. */
static int32_t read_overlay(overlay_object *overlay, size_t size, error_sink error) {
  const npu_kind *kind = npu_device_settings(overlay->device->npu)->kind;
  if (axlf_read(&overlay->file, overlay->bytes, size, error) != SOTTO_OK) return SOTTO_XRT_XCLBIN;
  if (npu_overlay_read(&overlay->overlay, overlay->file.pdi, overlay->file.pdi_size, error) != SOTTO_OK)
    return SOTTO_XRT_XCLBIN;
  const int generation = overlay->overlay.generation;
  if (generation != 0 && generation != kind->generation)
    return fail(error, SOTTO_XRT_XCLBIN, "Cannot use the xclbin: it is built for npu%d, the NPU is npu%d (%s)",
                generation, kind->generation, kind->name);
  if (overlay->overlay.columns > overlay->file.columns)
    return fail(error, SOTTO_XRT_XCLBIN,
                "Cannot use the xclbin: its partition has %d columns, its tile programs need %d", overlay->file.columns,
                overlay->overlay.columns);
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_overlay_register(uint64_t device, const uint8_t *xclbin, size_t xclbin_length, uint64_t *overlay,
                                   char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  device_object *owner = (device_object *)handle_acquire(device, HANDLE_NPU_DEVICE);
  if (owner == NULL) return fail_handle(sink, "a device");
  overlay_object *object = object_create(sizeof *object, HANDLE_NPU_OVERLAY, free_overlay);
  if (object != NULL) object->bytes = malloc(xclbin_length == 0 ? 1 : xclbin_length);
  if (object == NULL || object->bytes == NULL) {
    free(object);
    object_release(&owner->object);
    return fail_memory(sink, "the xclbin");
  }
  object->device = owner; /* its use goes over to the overlay */
  if (xclbin_length > 0) memcpy(object->bytes, xclbin, xclbin_length);
  const int32_t status = read_overlay(object, xclbin_length, sink);
  if (status == SOTTO_XRT_OK) return object_enter(&object->object, overlay, sink);
  free_overlay(&object->object);
  return status;
}

int32_t sotto_xrt_overlay_describe(uint64_t overlay, char *json, size_t json_capacity, char *error,
                                   size_t error_capacity) {
  overlay_object *object = (overlay_object *)handle_acquire(overlay, HANDLE_NPU_OVERLAY);
  if (object == NULL) return fail_handle((error_sink){error, error_capacity}, "an overlay");
  char kernels[AXLF_KERNELS * (AXLF_NAME + 4) + 1] = "";
  for (int i = 0; i < object->file.kernel_count; i++) {
    const size_t length = strlen(kernels);
    snprintf(kernels + length, sizeof kernels - length, "%s\"%s\"", i == 0 ? "" : ", ", object->file.kernels[i].name);
  }
  snprintf(json, json_capacity, "{\"uuid\": \"%s\", \"kernels\": [%s], \"columns\": %d}", object->file.uuid, kernels,
           object->file.columns);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

static void free_context(handle_object *object) {
  context_object *context = (context_object *)object;
  npu_device_return_context(device_of(context)->npu);
  object_release(&context->overlay->object);
  free(context);
}

int32_t sotto_xrt_context_create(uint64_t overlay, uint64_t *context, char *error, size_t error_capacity) {
  static atomic_ullong last_id;
  const error_sink sink = {error, error_capacity};
  overlay_object *owner = (overlay_object *)handle_acquire(overlay, HANDLE_NPU_OVERLAY);
  if (owner == NULL) return fail_handle(sink, "an overlay");
  npu_device *npu = owner->device->npu;
  const npu_kind *kind = npu_device_settings(npu)->kind;
  const int refusal = owner->file.columns > kind->columns ? EINVAL : npu_device_take_context(npu);
  context_object *object = refusal != 0 ? NULL : object_create(sizeof *object, HANDLE_NPU_CONTEXT, free_context);
  if (object == NULL) {
    object_release(&owner->object);
    if (refusal == ENODEV)
      return fail(sink, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no context can be made (modelled)");
    if (refusal != 0)
      return fail(sink, SOTTO_XRT_CONTEXT_REFUSED,
                  "The driver refused a context of %d columns (err=-%d): %s has %d columns and %d contexts (modelled)",
                  owner->file.columns, refusal, kind->name, kind->columns, kind->contexts);
    npu_device_return_context(npu);
    return fail_memory(sink, "a context");
  }
  object->overlay = owner;
  object->id = atomic_fetch_add(&last_id, 1) + 1;
  atomic_fetch_add(&owner->device->contexts, 1);
  return object_enter(&object->object, context, sink);
}

static void free_kernel(handle_object *object) {
  object_release(&((kernel_object *)object)->context->object);
  free(object);
}

int32_t sotto_xrt_kernel_open(uint64_t context, const char *name, size_t name_length, uint64_t *kernel, char *error,
                              size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  context_object *owner = (context_object *)handle_acquire(context, HANDLE_NPU_CONTEXT);
  if (owner == NULL) return fail_handle(sink, "a context");
  const xclbin_file *file = &owner->overlay->file;
  const axlf_kernel *found = NULL;
  for (int i = 0; i < file->kernel_count; i++)
    if (strlen(file->kernels[i].name) == name_length && memcmp(file->kernels[i].name, name, name_length) == 0)
      found = &file->kernels[i];
  kernel_object *object = found == NULL ? NULL : object_create(sizeof *object, HANDLE_NPU_KERNEL, free_kernel);
  if (object == NULL) {
    object_release(&owner->object);
    if (found != NULL) return fail_memory(sink, "a kernel");
    return fail(sink, SOTTO_XRT_XCLBIN, "The xclbin has no kernel \"%.*s\": its first is \"%s\"",
                (int)(name_length > 64 ? 64 : name_length), name, file->kernels[0].name);
  }
  object->context = owner;
  object->kernel = found;
  return object_enter(&object->object, kernel, sink);
}

int32_t sotto_xrt_kernel_describe(uint64_t kernel, char *json, size_t json_capacity, char *error,
                                  size_t error_capacity) {
  kernel_object *object = (kernel_object *)handle_acquire(kernel, HANDLE_NPU_KERNEL);
  if (object == NULL) return fail_handle((error_sink){error, error_capacity}, "a kernel");
  char list[AXLF_ARGUMENTS * (AXLF_NAME + 64)] = "";
  for (int i = 0; i < object->kernel->argument_count; i++) {
    const axlf_argument *argument = &object->kernel->arguments[i];
    const size_t length = strlen(list);
    snprintf(list + length, sizeof list - length, "%s{\"name\": \"%s\", \"kind\": \"%s\", \"size\": %u}",
             i == 0 ? "" : ", ", argument->name, argument->is_buffer ? "buffer" : "scalar", argument->size);
  }
  snprintf(json, json_capacity, "{\"name\": \"%s\", \"arguments\": [%s]}", object->kernel->name, list);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}
