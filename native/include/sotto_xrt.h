/* The C interface to an NPU, as libxrt sees one: devices, overlays (xclbins), contexts, kernels, buffers, runs.
 *
 * Two libraries have it: libsotto_xrt drives AMD's libxrt; libsotto_npu_emulated drives the model of native/npu_model,
 * needs nothing but libc, and says "modelled" of everything it answers with.
 *
 * Every function that can fail returns a status (0 = done) and writes one line of text into `error`, a buffer of the
 * same call; nothing is kept in thread-locals. Objects are named by handles, which stay safe when stale. An object
 * keeps what it was made from: destroying a device while a run of it is under way takes effect when the run ends.
 * The library never prints, exits, or throws. Text answered as JSON is cut at its capacity and always terminated.
 *
 * ffi/bindgen.ts reads this file: one declaration of SOTTO_API at a time, one parameter after another.
 */
#ifndef SOTTO_XRT_H
#define SOTTO_XRT_H

#include <stddef.h>
#include <stdint.h>

#if !defined(SOTTO_API)
#if defined(_WIN32)
#define SOTTO_API __declspec(dllexport)
#else
#define SOTTO_API __attribute__((visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a declaration below changes. */
#define SOTTO_XRT_ABI 1

enum sotto_xrt_status {
  SOTTO_XRT_OK = 0,
  SOTTO_XRT_INVALID_ARGUMENT = 1,
  SOTTO_XRT_INVALID_HANDLE = 2,
  SOTTO_XRT_OUT_OF_MEMORY = 3,
  SOTTO_XRT_UNSUPPORTED = 4,
  SOTTO_XRT_BUSY = 5,             /* the run is under way */
  SOTTO_XRT_ABSENT = 6,           /* no NPU, no driver, no libxrt that knows one */
  SOTTO_XRT_PERMISSION = 7,       /* there is an NPU, this user may not open it */
  SOTTO_XRT_MEMLOCK = 8,          /* the limit of locked memory is too low for the NPU's heap */
  SOTTO_XRT_XCLBIN = 9,           /* not an xclbin, damaged, or for another NPU */
  SOTTO_XRT_CONTEXT_REFUSED = 10, /* the driver refused a hardware context: too many, or no columns */
  SOTTO_XRT_BUFFER_REFUSED = 11,  /* the driver refused a buffer */
  SOTTO_XRT_SUBMIT_REFUSED = 12,  /* the driver refused a command */
  SOTTO_XRT_DEVICE_LOST = 13,     /* the NPU went away; nothing made from this device works any more */
  SOTTO_XRT_TIMEOUT = 14,         /* the wait ran out of time; the command is still under way */
  SOTTO_XRT_COMMAND_ERROR = 15,   /* the command ended in an error (state 5) or was aborted (6) */
  SOTTO_XRT_COMMAND_HUNG = 16,    /* the driver's watchdog ended the command (state 8) */
  SOTTO_XRT_FAILED = 17           /* any other failure of libxrt, in its own words */
};

/* What a buffer is for. */
enum sotto_xrt_buffer_kind {
  SOTTO_XRT_HOST = 1,        /* host memory the NPU reads and writes: xrt::bo::flags::host_only */
  SOTTO_XRT_INSTRUCTIONS = 2 /* instruction words, cached: xrt::bo::flags::cacheable */
};

/* States of a run: those of libxrt's commands. */
enum sotto_xrt_run_state {
  SOTTO_XRT_RUN_NEW = 1,
  SOTTO_XRT_RUN_QUEUED = 2,
  SOTTO_XRT_RUN_RUNNING = 3,
  SOTTO_XRT_RUN_COMPLETED = 4,
  SOTTO_XRT_RUN_ERROR = 5,
  SOTTO_XRT_RUN_ABORTED = 6,
  SOTTO_XRT_RUN_SUBMITTED = 7,
  SOTTO_XRT_RUN_TIMEOUT = 8
};

/* Places of sotto_xrt_counters. Those from MODELLED_NANOSECONDS on are 0 where nothing is modelled. */
enum sotto_xrt_counter {
  SOTTO_XRT_COUNT_LAUNCHES = 0,
  SOTTO_XRT_COUNT_BYTES_WRITTEN = 1,  /* by the host into buffers, through sotto_xrt_buffer_write */
  SOTTO_XRT_COUNT_BYTES_READ = 2,     /* by the host out of buffers */
  SOTTO_XRT_COUNT_BYTES_SYNCED = 3,   /* cache lines flushed or dropped, either way */
  SOTTO_XRT_COUNT_CONTEXTS = 4,       /* contexts made */
  SOTTO_XRT_COUNT_FAILURES = 5,       /* commands that ended other than completed */
  SOTTO_XRT_COUNT_MODELLED_NANOSECONDS = 6,
  SOTTO_XRT_COUNT_MODELLED_SWITCHES = 7,      /* commands of another context than the one before */
  SOTTO_XRT_COUNT_MODELLED_BYTES_IN = 8,      /* read by the shim tiles' DMA */
  SOTTO_XRT_COUNT_MODELLED_BYTES_OUT = 9,     /* written by it */
  SOTTO_XRT_COUNT_MODELLED_OPERATIONS = 10,   /* multiplications and additions of the tiles */
  SOTTO_XRT_COUNT_MODELLED_INSTRUCTIONS = 11, /* operations of instruction streams */
  SOTTO_XRT_COUNT_MODELLED_DMA_TASKS = 12     /* pushes to DMA queues */
};

#define SOTTO_XRT_COUNTERS 13

/* SOTTO_XRT_ABI as compiled in; to be asked before anything else. */
SOTTO_API uint32_t sotto_xrt_abi(void);

/* What this library is: {"library": "libsotto_xrt", "modelled": false, "xrt": "2.25.0"}; for the model "xrt" is null. */
SOTTO_API int32_t sotto_xrt_describe(char *json, size_t json_capacity);

/* Counts the NPUs: `devices` and, as JSON, [{"index": 0, "name": "NPU Phoenix", "modelled": true}, …].
 * Opens each once, so that an answer of 0 means that device 0 can be used; else the status and text say why not. */
SOTTO_API int32_t sotto_xrt_probe(uint32_t *devices, char *json, size_t json_capacity, char *error,
                                  size_t error_capacity);

/* Says how the model behaves from the next device that is opened on: the text of the variable SOTTO_NPU_MODEL, as
 * native/npu_model/README.md defines it ("device=phoenix,hang@3"). "" is the plain model.
 * SOTTO_XRT_UNSUPPORTED from libsotto_xrt. */
SOTTO_API int32_t sotto_xrt_model_configure(const char *text, size_t text_length, char *error,
                                            size_t error_capacity);

SOTTO_API int32_t sotto_xrt_device_open(uint32_t index, uint64_t *device, char *error, size_t error_capacity);

/* {"name": "NPU Phoenix", "generation": "npu1", "columns": 4, "rows": 4, "contexts": 6, "modelled": true,
 *  "clock": {…}}: generation npu1 is XDNA1 (Phoenix, Hawk Point), npu2 XDNA2 (Strix, Krackan); `columns` and `rows`
 * are the compute tiles a design can use; "contexts" is null where the driver does not say; "clock" holds the model's
 * constants (native/npu_model/README.md), null for libsotto_xrt. */
SOTTO_API int32_t sotto_xrt_device_describe(uint64_t device, char *json, size_t json_capacity, char *error,
                                            size_t error_capacity);

/* Checks an xclbin (libxrt itself crashes on bad ones) and registers it. The bytes are copied. */
SOTTO_API int32_t sotto_xrt_overlay_register(uint64_t device, const uint8_t *xclbin, size_t xclbin_length,
                                             uint64_t *overlay, char *error, size_t error_capacity);

/* {"uuid": "…", "kernels": ["MLIR_AIE"], "columns": 4}. */
SOTTO_API int32_t sotto_xrt_overlay_describe(uint64_t overlay, char *json, size_t json_capacity, char *error,
                                             size_t error_capacity);

/* A hardware context: the overlay configured on columns of the NPU. XDNA1 allows six at a time. */
SOTTO_API int32_t sotto_xrt_context_create(uint64_t overlay, uint64_t *context, char *error,
                                           size_t error_capacity);

/* A kernel of the context's overlay by its name, such as MLIR_AIE. */
SOTTO_API int32_t sotto_xrt_kernel_open(uint64_t context, const char *name, size_t name_length, uint64_t *kernel,
                                        char *error, size_t error_capacity);

/* {"name": "MLIR_AIE", "arguments": [{"name": "opcode", "kind": "scalar", "size": 8}, …]}; kinds are scalar and
 * buffer, sizes bytes. */
SOTTO_API int32_t sotto_xrt_kernel_describe(uint64_t kernel, char *json, size_t json_capacity, char *error,
                                            size_t error_capacity);

/* A buffer of `size` bytes (> 0), zeroed, where the kernel's argument `argument` wants it. */
SOTTO_API int32_t sotto_xrt_buffer_create(uint64_t kernel, uint32_t argument, int32_t kind, uint64_t size,
                                          uint64_t *buffer, char *error, size_t error_capacity);

/* Where the buffer is mapped in this process; valid until the buffer is destroyed. What is written there reaches the
 * NPU after sotto_xrt_buffer_sync_to_device, what the NPU wrote is there after sotto_xrt_buffer_sync_from_device. */
SOTTO_API int32_t sotto_xrt_buffer_map(uint64_t buffer, uint64_t *address, uint64_t *size, char *error,
                                       size_t error_capacity);

/* Copies bytes to `offset` and flushes that range. */
SOTTO_API int32_t sotto_xrt_buffer_write(uint64_t buffer, uint64_t offset, const uint8_t *bytes,
                                         size_t bytes_length, char *error, size_t error_capacity);

/* Drops the cached lines of a range and copies it out. */
SOTTO_API int32_t sotto_xrt_buffer_read(uint64_t buffer, uint64_t offset, uint8_t *bytes, size_t bytes_length,
                                        char *error, size_t error_capacity);

/* Flushes a range of the mapping to the NPU. */
SOTTO_API int32_t sotto_xrt_buffer_sync_to_device(uint64_t buffer, uint64_t offset, uint64_t length, char *error,
                                                  size_t error_capacity);

/* Drops a range of the mapping from the caches, after the NPU wrote it. */
SOTTO_API int32_t sotto_xrt_buffer_sync_from_device(uint64_t buffer, uint64_t offset, uint64_t length,
                                                    char *error, size_t error_capacity);

/* A run of a kernel; it may be started again once it has ended. */
SOTTO_API int32_t sotto_xrt_run_create(uint64_t kernel, uint64_t *run, char *error, size_t error_capacity);

/* Sets argument `index`, a scalar. */
SOTTO_API int32_t sotto_xrt_run_set_scalar(uint64_t run, uint32_t index, uint64_t value, char *error,
                                           size_t error_capacity);

/* Sets argument `index`, a buffer of the same device; the run keeps it. */
SOTTO_API int32_t sotto_xrt_run_set_buffer(uint64_t run, uint32_t index, uint64_t buffer, char *error,
                                           size_t error_capacity);

/* Submits the run. Every scalar and the instruction buffer must have been set; a buffer argument that never was is
 * null on the NPU (an instruction stream that uses it ends in an error). */
SOTTO_API int32_t sotto_xrt_run_start(uint64_t run, char *error, size_t error_capacity);

/* Waits up to `timeout_ms` (0 = without end) for the run to end. SOTTO_XRT_OK only if it completed; `state` always
 * receives its state. */
SOTTO_API int32_t sotto_xrt_run_wait(uint64_t run, uint32_t timeout_ms, int32_t *state, char *error,
                                     size_t error_capacity);

/* The state now, without waiting. */
SOTTO_API int32_t sotto_xrt_run_state(uint64_t run, int32_t *state, char *error, size_t error_capacity);

/* A list of runs that are submitted at once and carried out in order; the first that fails ends the list. */
SOTTO_API int32_t sotto_xrt_runlist_create(uint64_t context, uint64_t *runlist, char *error,
                                           size_t error_capacity);

/* Appends a run of the runlist's context, whose arguments are set; at most 24 fit one command of the driver. */
SOTTO_API int32_t sotto_xrt_runlist_add(uint64_t runlist, uint64_t run, char *error, size_t error_capacity);

SOTTO_API int32_t sotto_xrt_runlist_start(uint64_t runlist, char *error, size_t error_capacity);

/* Waits as sotto_xrt_run_wait does. `failed` receives the index of the run that failed, -1 if none is known to have. */
SOTTO_API int32_t sotto_xrt_runlist_wait(uint64_t runlist, uint32_t timeout_ms, int32_t *failed, char *error,
                                         size_t error_capacity);

/* Counts since a device was opened, or of the last start of a run: `counters` of SOTTO_XRT_COUNTERS places. */
SOTTO_API int32_t sotto_xrt_counters(uint64_t handle, uint64_t *counters, size_t counters_length, char *error,
                                     size_t error_capacity);

/* Frees an object of any kind. A run under way is waited for no longer than the driver's watchdog takes. */
SOTTO_API int32_t sotto_xrt_destroy(uint64_t handle);

#ifdef __cplusplus
}
#endif
#endif
