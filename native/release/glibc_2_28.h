/* Included before every file of a library that is built to be given away (native/build.ts, `release`).
 *
 * A library that is linked against a new glibc asks for the newest version of each function, and does not load where
 * glibc is older, although nothing in it needs what is new. Three functions of ours got new versions since glibc 2.28:
 * those of threads moved into libc with 2.34, and fstat became a function of its own with 2.33. Ask for the old ones.
 *
 * Includes nothing, because the files that follow say which features of the headers they want.
 */
#ifndef SOTTO_GLIBC_2_28_H
#define SOTTO_GLIBC_2_28_H

#if defined(__x86_64__)
#define SOTTO_OLDEST_GLIBC "GLIBC_2.2.5"
#define SOTTO_STAT_VERSION 1
#elif defined(__aarch64__)
#define SOTTO_OLDEST_GLIBC "GLIBC_2.17"
#define SOTTO_STAT_VERSION 0
#endif

#ifdef SOTTO_OLDEST_GLIBC
__asm__(".symver pthread_create,pthread_create@" SOTTO_OLDEST_GLIBC);
__asm__(".symver pthread_join,pthread_join@" SOTTO_OLDEST_GLIBC);
__asm__(".symver __fxstat,__fxstat@" SOTTO_OLDEST_GLIBC);

#ifdef __cplusplus
extern "C" {
#endif

struct stat;
extern int __fxstat(int version, int descriptor, struct stat *out);

/* What fstat() was before 2.33: one call of this function, which every later glibc keeps. Weak: one for all files. */
__attribute__((weak, visibility("hidden"))) int sotto_fstat(int descriptor, struct stat *out);
__attribute__((weak, visibility("hidden"))) int sotto_fstat(int descriptor, struct stat *out) {
  return __fxstat(SOTTO_STAT_VERSION, descriptor, out);
}

#ifdef __cplusplus
}
#endif
#define fstat sotto_fstat
#endif

#endif
