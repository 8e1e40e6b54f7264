/* Faults made on purpose, in test builds only (NARROWS_FAULTS). The n-th allocation or the n-th
 * input/output call after arming fails, once. NARROWS_FAULT=alloc:N, io:N or enospc:N in the
 * environment arms a whole command; kill:N kills it before its n-th input/output call. Without
 * NARROWS_FAULTS all of this is nothing. */
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

/* What a system may lack; NARROWS_LACK names such things in the environment, with blanks between.
 */
typedef enum fault_lack {
    LACK_EXCHANGE,  /* "exchange": renameat2(RENAME_EXCHANGE) */
    LACK_NOREPLACE, /* "noreplace": renameat2(RENAME_NOREPLACE) */
    LACK_SIBLING,   /* "sibling": a folder beside a dataset on the same file system */
    FAULT_LACKS
} fault_lack;

#ifdef NARROWS_FAULTS

/* n = 1 fails the next one; 0 disarms. Sets the count of this kind back to zero. */
void fault_arm(fault_kind kind, uint64_t n);
/* How often this kind of call was made since it was armed (or since the start). */
uint64_t fault_count(fault_kind kind);
/* Counts one call; true when it is the one to fail. */
bool fault_hit(fault_kind kind);
/* For a system call: 0, or the errno it shall fail with. */
int fault_io(bool needs_room);
/* The n-th system call from now on is not made: the process is killed (SIGKILL) instead. */
void fault_kill(uint64_t n);
void fault_set_lack(fault_lack what, bool lacks);
bool fault_lacks(fault_lack what);

/* Who makes calls fail in children of this process (tests/faults/children.c). `ask` is called at
 * each call that can fail; true: it fails. `change` is told before what a file holds changes, or,
 * with -1, what names there are. Both run where the call is made, and may fork. NULL: nobody. */
typedef struct fault_watcher {
    bool (*ask)(fault_kind kind);
    void (*change)(int fd);
} fault_watcher;

void fault_watch(const fault_watcher *watcher);
/* Called before a file is written, cut or linked to a name, or before (-1) a name is made, moved
 * or removed. */
void fault_change(int fd);

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

static inline bool fault_lacks(fault_lack what)
{
    (void)what;
    return false;
}

static inline void fault_change(int fd)
{
    (void)fd;
}

#endif
#endif
