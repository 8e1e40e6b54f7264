/* What the sanitizers' runtime tells, as its own headers have it, which gcc lacks in part. NULL in
 * a build without them. */
#ifndef SANITIZERS_H
#define SANITIZERS_H

#include <stddef.h>

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
void __sanitizer_purge_allocator(void) __attribute__((weak));
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#endif
