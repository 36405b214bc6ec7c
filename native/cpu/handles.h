/* Handles: numbers that name objects across the interface, and stay safe when stale.
 *
 * A handle holds a slot and the slot's generation. Acquiring counts a use; destroying takes the object out of the
 * table at once and frees it when its last use ends. Objects that need each other (a plan its context, a session its
 * decoder) hold a use of it. */
#ifndef SOTTO_HANDLES_H
#define SOTTO_HANDLES_H

#include <stdint.h>

typedef enum {
  HANDLE_CONTEXT = 1,
  HANDLE_FILE,
  HANDLE_PLAN,
  HANDLE_DECODER,
  HANDLE_SESSION,
  /* Of the library that emulates an NPU, which has a table of its own. */
  HANDLE_NPU_DEVICE,
  HANDLE_NPU_OVERLAY,
  HANDLE_NPU_CONTEXT,
  HANDLE_NPU_KERNEL,
  HANDLE_NPU_BUFFER,
  HANDLE_NPU_RUN,
  HANDLE_NPU_RUNLIST
} handle_kind;

/* Every object that has a handle begins with this. */
typedef struct handle_object {
  handle_kind kind;
  int32_t uses;                                /* guarded by the table's lock; 1 for the table itself */
  void (*free_object)(struct handle_object *); /* called once, when uses reaches 0 */
} handle_object;

/* Enters an object (whose kind and free_object are set) and answers its handle; 0 where memory is refused. */
uint64_t handle_enter(handle_object *object);

/* The object, with one more use; NULL for a stale handle or one of another kind. */
handle_object *handle_acquire(uint64_t handle, handle_kind kind);

/* One more use of an object that is held already. */
void object_retain(handle_object *object);

/* Ends a use. */
void object_release(handle_object *object);

/* Takes the handle out of the table and ends the table's use. 0 if it was stale. */
int handle_destroy(uint64_t handle);

#endif
