/* Faults made on purpose, in test builds only (NARROWS_FAULTS). The n-th allocation or the n-th
 * input/output call after arming fails, once. NARROWS_FAULT=alloc:N, io:N or enospc:N in the
 * environment arms a whole command. Without NARROWS_FAULTS all of this is nothing. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fault_kind {
    FAULT_ALLOC,   /* the mem_alloc family: as if the system had no memory */
    FAULT_IO,      /* any system call on a file: EIO */
    FAULT_NOSPACE, /* a system call that may need room on disk: ENOSPC */
    FAULT_KINDS
} fault_kind;

#ifdef NARROWS_FAULTS

/* n = 1 fails the next one; 0 disarms. Sets the count of this kind back to zero. */
void fault_arm(fault_kind kind, uint64_t n);
/* How often this kind of call was made since it was armed (or since the start). */
uint64_t fault_count(fault_kind kind);
/* Counts one call; true when it is the one to fail. */
bool fault_hit(fault_kind kind);
/* For a system call: 0, or the errno it shall fail with. */
int fault_io(bool needs_room);

#else

static inline bool fault_hit(fault_kind kind)
{
    (void)kind;
    return false;
}

static inline int fault_io(bool needs_room)
{
    (void)needs_room;
    return 0;
}

#endif
#endif
