/* Calls fail in children of this process.
 *
 * A run forks at each call that can fail and is wanted: in the child the call fails, and the child
 * goes on from there to its end; the parent waits for it and then makes the call. So all points of
 * a run cost one run and what comes behind each failure. The run must have no other thread.
 *
 * What parent and child share are open files. Before a child changes what a file without a name
 * holds, it takes a copy of its own; positions in files are set back behind it. Names cannot be
 * copied: from the first one that the run makes, moves or removes, no call is forked any more, and
 * those that are wanted are listed instead. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "base/fault.h"

#include <stddef.h>

/* The n-th call of a kind. */
typedef struct call {
    fault_kind kind;
    uint64_t n;
} call;

typedef struct children {
    /* Shall the call at hand fail? */
    bool (*wanted)(void *ctx, fault_kind kind);
    /* Of each child, behind its end: what it did wrong, or NULL. */
    void (*ended)(void *ctx, fault_kind kind, uint64_t n, const char *what);
    void *ctx;
    const char
        *folder;     /* where copies of files are made: on the file system of all that is written */
    fault_kind kind; /* in a child: what failed */
    bool names;      /* the run has changed names */
    call *later;     /* what was wanted behind that, malloc'ed */
    size_t n_later;
} children;

/* Once, before anything else. */
void children_init(void);
/* From now on calls are forked, until children_stop. */
void children_start(children *c);
/* True in a child, which then ends with child_end. */
bool children_stop(void);
/* NULL: all is well. */
_Noreturn void child_end(const char *what);
/* Runs `body` in a child, which may end with child_end; what it did wrong, or NULL. The text lasts
 * until the next child. */
const char *child_run(void (*body)(void *ctx), void *ctx);
/* Tells the parent a number; it is the last child's. */
void child_note(uint64_t number);
uint64_t child_noted(void);

/* What this process holds beside the accounts' books. */
typedef struct holding {
    uint64_t bytes; /* of the heap */
    int files;
} holding;

void holding_now(holding *h);
/* What is there beyond `before`, as a sentence, or NULL. */
const char *holding_left(const holding *before);

#endif
