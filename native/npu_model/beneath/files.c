/* What the process sees instead of libc's file functions: the NPU's device file, and a tree of sysfs files that lies in a
 * folder of its own. Every other path and file goes to libc unchanged. */
#define _GNU_SOURCE /* RTLD_NEXT, memfd_create, statx */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver.h"

#define FUNCTION "0000:c5:00.1"
#define DEVICE "/sys/devices/pci0000:00/" FUNCTION
#define DEVICE_FILE "/dev/accel/accel0"

enum { FILES = 4096, PATH_BYTES = 4096 };

/* Room for the device's memory; pages exist once touched. */
#define MEMORY_SPACE (1ll << 42)

static char root[PATH_BYTES / 4]; /* "" until the tree stands */
static unsigned char is_device[FILES];

/* The functions of this file stand before libc's: they must be seen. */
#pragma GCC visibility push(default)

/* libc's function behind ours. */
#define REAL(result, name, ...)       \
  static result (*real)(__VA_ARGS__); \
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, name)

/* ---- the tree ---- */

static void make_parents(char *path) {
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    mkdir(path, 0755);
    *slash = '/';
  }
}

static void put(const char *name, const char *text) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s%s", root, name);
  make_parents(path);
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return;
  if (write(file, text, strlen(text)) < 0) root[0] = '\0';
  close(file);
}

static void put_number(const char *name, uint32_t number) {
  char text[16];
  snprintf(text, sizeof text, "0x%02x\n", number);
  put(name, text);
}

static void put_link(const char *name) {
  char path[PATH_BYTES], target[PATH_BYTES];
  snprintf(path, sizeof path, "%s%s", root, name);
  snprintf(target, sizeof target, "%s" DEVICE, root);
  make_parents(path);
  if (symlink(target, path) != 0) root[0] = '\0';
}

static void build_tree(const npu_kind *kind) {
  char vbnv[64];
  put("/sys/bus/pci/drivers/amdxdna/module", "");
  if (kind == NULL) return;
  put_link("/sys/bus/pci/drivers/amdxdna/" FUNCTION);
  put_link("/sys/bus/pci/devices/" FUNCTION);
  snprintf(vbnv, sizeof vbnv, "%s\n", kind->name);
  put(DEVICE "/vbnv", vbnv);
  put(DEVICE "/device_type", "0\n");
  put_number(DEVICE "/vendor", 0x1022);
  put_number(DEVICE "/subsystem_vendor", 0x1022);
  put_number(DEVICE "/device", kind->pci_device);
  put_number(DEVICE "/subsystem_device", kind->pci_device);
  put_number(DEVICE "/revision", kind->pci_revision);
  put(DEVICE "/fw_version", "1.5.5.391\n");
  put(DEVICE "/accel/accel0/dev", "261:0\n");
  put(DEVICE_FILE, "");
}

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("SOTTO_NPU_MODEL"), *logs = getenv("SOTTO_NPU_LOG"), *folder = getenv("TMPDIR");
  char error[256] = "";
  if (text == NULL) text = "";
  driver_logs = logs != NULL && strcmp(logs, "1") == 0;
  if (npu_settings_read(&driver_settings, text, strlen(text), (error_sink){error, sizeof error}) != SOTTO_OK) {
    fprintf(stderr, "sotto_npu: %s\n", error);
    _exit(64);
  }
  char name[sizeof root];
  snprintf(name, sizeof name, "%s/sotto_npu.XXXXXX", folder != NULL && *folder == '/' ? folder : "/tmp");
  if (mkdtemp(name) == NULL) return;
  memcpy(root, name, sizeof root);
  build_tree(driver_settings.kind);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

__attribute__((destructor)) static void end(void) {
  char name[sizeof root];
  memcpy(name, root, sizeof name);
  root[0] = '\0'; /* what follows means real paths */
  if (name[0] != '\0') nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path to use in place of `given`, in `room` where it differs. Programs pass NULL on purpose (Rust's library, to learn whether
 * the system knows statx), which libc's declarations forbid: volatile keeps the compiler from dropping the check. */
static const char *seen(const char *given, char room[PATH_BYTES]) {
  const char *const volatile kept = given;
  const char *const path = kept;
  static const char *const ours[] = {"/sys/bus/pci/", DEVICE, "/sys/module/amdxdna", "/dev/accel"};
  if (path == NULL || root[0] == '\0') return path;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    if (strncmp(path, ours[i], strlen(ours[i])) != 0) continue;
    snprintf(room, PATH_BYTES, "%s%s", root, path);
    return room;
  }
  return path;
}

/* ---- the device file ---- */

/* A file descriptor, -1 with errno, or -2 where the path is not the NPU's. */
static int open_device(const char *given) {
  const char *const volatile kept = given;
  const char *const path = kept;
  if (path == NULL || strcmp(path, DEVICE_FILE) != 0) return -2;
  int failure = driver_settings.kind == NULL ? ENOENT : driver_settings.is_forbidden ? EACCES : 0;
  const int fd = failure != 0 ? -1 : memfd_create("accel0", MFD_CLOEXEC);
  if (failure == 0 && (fd < 0 || fd >= FILES || ftruncate(fd, MEMORY_SPACE) != 0)) failure = ENFILE;
  if (failure == 0) {
    pthread_mutex_lock(&driver_lock);
    failure = driver_open(fd);
    pthread_mutex_unlock(&driver_lock);
  }
  if (failure == 0) {
    is_device[fd] = 1;
    return fd;
  }
  if (fd >= 0) close(fd);
  errno = failure;
  return -1;
}

static int is_npu(int fd) { return fd >= 0 && fd < FILES && is_device[fd]; }

int ioctl(int fd, unsigned long request, ...) {
  REAL(int, "ioctl", int, unsigned long, void *);
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (!is_npu(fd)) return real(fd, request, argument);
  pthread_mutex_lock(&driver_lock);
  const int failure = driver_ioctl(fd, request & 0xff, argument);
  pthread_mutex_unlock(&driver_lock);
  if (failure == 0) return 0;
  errno = failure;
  return -1;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
  if (!is_npu(fd)) return real(address, length, protection, flags, fd, offset);
  if (driver_settings.is_unlocked && (flags & MAP_LOCKED)) {
    errno = EAGAIN;
    return MAP_FAILED;
  }
  return real(address, length, protection, flags & ~MAP_LOCKED, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap(address, length, protection, flags, fd, offset);
}

int close(int fd) {
  REAL(int, "close", int);
  if (is_npu(fd)) is_device[fd] = 0;
  return real(fd);
}

#define MODE_OF(flags)                      \
  va_list rest;                             \
  va_start(rest, flags);                    \
  const mode_t mode = va_arg(rest, mode_t); \
  va_end(rest)

#define OPEN(name)                                              \
  int name(const char *path, int flags, ...) {                  \
    REAL(int, #name, const char *, int, ...);                   \
    char room[PATH_BYTES];                                      \
    MODE_OF(flags);                                             \
    const int fd = open_device(path);                           \
    return fd != -2 ? fd : real(seen(path, room), flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                   \
  int name(int folder, const char *path, int flags, ...) {              \
    REAL(int, #name, int, const char *, int, ...);                      \
    char room[PATH_BYTES];                                              \
    MODE_OF(flags);                                                     \
    const int fd = open_device(path);                                   \
    return fd != -2 ? fd : real(folder, seen(path, room), flags, mode); \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

/* What fortified programs call. */
#define CHECKED_OPEN(name)                                \
  int name(const char *path, int flags) {                 \
    REAL(int, #name, const char *, int);                  \
    char room[PATH_BYTES];                                \
    const int fd = open_device(path);                     \
    return fd != -2 ? fd : real(seen(path, room), flags); \
  }
CHECKED_OPEN(__open_2)
CHECKED_OPEN(__open64_2)

/* Functions that only take a path: the pretended one instead. */
#define BY_PATH(result, name, parameters, types, ...) \
  result name parameters {                            \
    REAL(result, #name, types);                       \
    char room[PATH_BYTES];                            \
    return real(__VA_ARGS__);                         \
  }
#define TYPES(...) __VA_ARGS__

BY_PATH(FILE *, fopen, (const char *path, const char *mode), TYPES(const char *, const char *), seen(path, room), mode)
BY_PATH(FILE *, fopen64, (const char *path, const char *mode), TYPES(const char *, const char *), seen(path, room),
        mode)
BY_PATH(int, stat, (const char *path, struct stat *status), TYPES(const char *, struct stat *), seen(path, room),
        status)
BY_PATH(int, lstat, (const char *path, struct stat *status), TYPES(const char *, struct stat *), seen(path, room),
        status)
BY_PATH(int, stat64, (const char *path, struct stat64 *status), TYPES(const char *, struct stat64 *), seen(path, room),
        status)
BY_PATH(int, lstat64, (const char *path, struct stat64 *status), TYPES(const char *, struct stat64 *), seen(path, room),
        status)
BY_PATH(int, fstatat, (int folder, const char *path, struct stat *status, int flags),
        TYPES(int, const char *, struct stat *, int), folder, seen(path, room), status, flags)
BY_PATH(int, statx, (int folder, const char *path, int flags, unsigned mask, struct statx *status),
        TYPES(int, const char *, int, unsigned, struct statx *), folder, seen(path, room), flags, mask, status)
BY_PATH(int, access, (const char *path, int mode), TYPES(const char *, int), seen(path, room), mode)
BY_PATH(ssize_t, readlink, (const char *path, char *target, size_t size), TYPES(const char *, char *, size_t),
        seen(path, room), target, size)
BY_PATH(DIR *, opendir, (const char *path), TYPES(const char *), seen(path, room))

/* A resolved path must not give the tree's own folder away: what links lead to is compared with /sys. */
char *realpath(const char *path, char *resolved) {
  REAL(char *, "realpath", const char *, char *);
  char room[PATH_BYTES];
  char *found = real(seen(path, room), resolved);
  const size_t length = strlen(root);
  if (found != NULL && length > 0 && strncmp(found, root, length) == 0)
    memmove(found, found + length, strlen(found + length) + 1);
  return found;
}

char *__realpath_chk(const char *path, char *resolved, size_t size);
char *__realpath_chk(const char *path, char *resolved, size_t size) {
  (void)size;
  return realpath(path, resolved);
}
