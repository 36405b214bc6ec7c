/* The structures of the amdxdna driver's ioctls and of DRM's that its users need, by the layouts of Linux's uapi headers. */
#ifndef SOTTO_NPU_INTERFACE_H
#define SOTTO_NPU_INTERFACE_H

#include <stdint.h>

/* Numbers of the ioctls (the lowest byte of the request). */
enum {
  IOCTL_GEM_CLOSE = 0x09,
  IOCTL_CREATE_CONTEXT = 0x40,
  IOCTL_DESTROY_CONTEXT = 0x41,
  IOCTL_CONFIGURE_CONTEXT = 0x42,
  IOCTL_CREATE_BUFFER = 0x43,
  IOCTL_BUFFER_INFO = 0x44,
  IOCTL_SYNC_BUFFER = 0x45,
  IOCTL_EXECUTE = 0x46,
  IOCTL_GET_INFO = 0x47,
  IOCTL_SET_STATE = 0x48,
  IOCTL_WAIT_COMMAND = 0x49,
  IOCTL_GET_ARRAY = 0x4a,
  IOCTL_SYNCOBJ_CREATE = 0xbf,
  IOCTL_SYNCOBJ_DESTROY = 0xc0,
  IOCTL_TIMELINE_WAIT = 0xca
};

typedef struct {
  uint64_t extension, extension_flags, quality;
  uint32_t queue_buffer, log_buffer, most_operations, tiles, memory, doorbell, handle, sync_object;
} create_context_request;

typedef struct {
  uint32_t handle, padding;
} handle_request; /* destroy context, close a buffer */

typedef struct {
  uint32_t handle, parameter;
  uint64_t value;
  uint32_t value_size, padding;
} configure_context_request;

enum { CONFIGURE_UNITS = 0 };

typedef struct {
  uint16_t count, padding[3];
  struct {
    uint32_t buffer;
    uint8_t function, padding[3];
  } units[];
} unit_configuration;

enum { BUFFER_SHARED = 1, BUFFER_HEAP = 2, BUFFER_DEVICE = 3, BUFFER_COMMAND = 4 };

typedef struct {
  uint64_t flags, user_table, size;
  uint32_t type, handle;
} create_buffer_request;

typedef struct {
  int32_t dmabuf;
  uint32_t count;
  struct {
    uint64_t address, length;
  } entries[];
} user_memory;

typedef struct {
  uint64_t extension, extension_flags;
  uint32_t handle, padding;
  uint64_t map_offset, address, device_address;
} buffer_info_request;

typedef struct {
  uint64_t extension, extension_flags;
  uint32_t context, type;
  uint64_t commands, arguments; /* one handle; the address of handles */
  uint32_t command_count, argument_count;
  uint64_t sequence;
} execute_request;

typedef struct {
  uint32_t context, timeout_ms;
  uint64_t sequence;
} wait_command_request;

typedef struct {
  uint64_t handles, points; /* addresses of u32, u64 */
  int64_t until;            /* ns of the monotonic clock */
  uint32_t count, flags, first_signaled, padding;
  uint64_t deadline;
} timeline_wait_request;

typedef struct {
  uint32_t parameter, size;
  uint64_t buffer;
} get_info_request;

enum {
  INFO_METADATA = 1,
  INFO_VERSION = 2,
  INFO_CLOCKS = 3,
  INFO_FIRMWARE = 8,
  INFO_POWER_MODE = 9,
  INFO_RESOURCES = 12
};

typedef struct {
  uint16_t rows, first_row, dma_channels, locks, event_registers, padding[3];
} tile_metadata;

typedef struct {
  uint32_t column_size;
  uint16_t columns, rows;
  uint32_t major, minor;
  tile_metadata core, memory, shim;
} array_metadata;

typedef struct {
  struct {
    uint8_t name[16];
    uint32_t megahertz, padding;
  } npu, array;
} clock_metadata;

_Static_assert(sizeof(create_context_request) == 56 && sizeof(configure_context_request) == 24 &&
                   sizeof(create_buffer_request) == 32,
               "as uapi");
_Static_assert(sizeof(buffer_info_request) == 48 && sizeof(execute_request) == 56 && sizeof(get_info_request) == 16,
               "as uapi");
_Static_assert(sizeof(wait_command_request) == 16 && sizeof(timeline_wait_request) == 48 && sizeof(handle_request) == 8,
               "as uapi");

/* A command packet: word 0, then a mask for each group of compute units, then the kernel's arguments. */
enum { PACKET_STATE_MASK = 15, PACKET_START = 0, PACKET_CHAIN = 19 };

#endif
