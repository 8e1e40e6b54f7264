/* A program of somebody else's, started by the shell, with a pipe at each end. It and all that it
 * starts make a process group, so that they can be ended together. */
#ifndef IO_PROGRAM_H
#define IO_PROGRAM_H

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef struct program {
    mem *m;
    char *command; /* as typed */
    pid_t pid;     /* its group's, too; 0: not running */
    int out;       /* the reading end of its standard output; -1: taken */
    pthread_mutex_t lock;
    bool killed;
    int exit;        /* once it was reaped: its code, or 128 + the signal that ended it */
    uint64_t memory; /* most resident bytes of one of its processes, or what this process held
                        when it was started, where that is more */
} program;

/* Starts `sh -c command` over the reading end `in`, which is taken, also on failure; -1: of a new
 * pipe, whose writing end *feed is the caller's. Its standard error is this process's. */
nrw_status program_start(mem *m, const char *command, int in, int *feed, program **out,
                         nrw_error *err) NRW_CHECKED;
/* Ends it and its group at once. Any thread; nothing happens once it was reaped. */
void program_kill(program *p);
/* Waits for its end, until `stop` (NULL: nobody does) says to kill it. NRW_E_IO: it failed, and was
 * not killed. Once by one thread; again it only tells. */
nrw_status program_wait(program *p, const _Atomic uint32_t *stop, nrw_error *err);
/* Kills and reaps it where it is still there. NULL is fine. */
void program_close(program *p);

#endif
