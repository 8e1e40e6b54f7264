/* What of the machine this process may use. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/* CPUs by affinity and by the quotas of its control groups, at least 1. */
unsigned threads_usable(void);
/* Bytes of memory: the least of RAM and the limits of its control groups. */
uint64_t threads_memory(void);

/* Whether all threads that were asked for are to work, however little there is to do:
 * NARROWS_CREW=all. For tests, whose inputs are small. */
bool threads_all(void);

/* The two limits of the control groups alone, UINT64_MAX without any; `membership` is a file as
 * /proc/self/cgroup, `mount` a folder as /sys/fs/cgroup. For tests. */
uint64_t threads_group_cpus(const char *membership, const char *mount);
uint64_t threads_group_memory(const char *membership, const char *mount);

#endif
