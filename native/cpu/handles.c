/* The table is a growing array of slots. A handle is (generation << 32 | slot + 1), so 0 names nothing, and a slot's
 * generation rises whenever its object leaves, so a stale handle finds another generation. */
#include "handles.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct {
  handle_object *object; /* NULL where the slot is free */
  uint32_t generation;
} handle_slot;

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static handle_slot *slots;
static uint32_t slot_count;

/* The slot a handle names, or NULL. The lock is held. */
static handle_slot *find_slot(uint64_t handle) {
  uint32_t index = (uint32_t)handle;
  if (index == 0 || index > slot_count) return NULL;
  handle_slot *slot = &slots[index - 1];
  return slot->object != NULL && slot->generation == (uint32_t)(handle >> 32) ? slot : NULL;
}

static handle_slot *free_slot(void) {
  for (uint32_t i = 0; i < slot_count; i++)
    if (slots[i].object == NULL) return &slots[i];
  uint32_t count = slot_count == 0 ? 16 : 2 * slot_count;
  handle_slot *grown = realloc(slots, count * sizeof *grown);
  if (grown == NULL) return NULL;
  for (uint32_t i = slot_count; i < count; i++) grown[i] = (handle_slot){.object = NULL, .generation = 1};
  handle_slot *first = &grown[slot_count];
  slots = grown;
  slot_count = count;
  return first;
}

uint64_t handle_enter(handle_object *object) {
  pthread_mutex_lock(&table_lock);
  handle_slot *slot = free_slot();
  uint64_t handle = 0;
  if (slot != NULL) {
    object->uses = 1;
    slot->object = object;
    handle = (uint64_t)slot->generation << 32 | (uint64_t)(slot - slots + 1);
  }
  pthread_mutex_unlock(&table_lock);
  return handle;
}

handle_object *handle_acquire(uint64_t handle, handle_kind kind) {
  pthread_mutex_lock(&table_lock);
  handle_slot *slot = find_slot(handle);
  handle_object *object = slot != NULL && slot->object->kind == kind ? slot->object : NULL;
  if (object != NULL) object->uses++;
  pthread_mutex_unlock(&table_lock);
  return object;
}

void object_retain(handle_object *object) {
  pthread_mutex_lock(&table_lock);
  object->uses++;
  pthread_mutex_unlock(&table_lock);
}

void object_release(handle_object *object) {
  pthread_mutex_lock(&table_lock);
  int is_last = --object->uses == 0;
  pthread_mutex_unlock(&table_lock);
  /* Outside the lock: freeing an object releases those it holds. */
  if (is_last) object->free_object(object);
}

int handle_destroy(uint64_t handle) {
  pthread_mutex_lock(&table_lock);
  handle_slot *slot = find_slot(handle);
  handle_object *object = NULL;
  if (slot != NULL) {
    object = slot->object;
    slot->object = NULL;
    slot->generation++;
  }
  pthread_mutex_unlock(&table_lock);
  if (object == NULL) return 0;
  object_release(object);
  return 1;
}
