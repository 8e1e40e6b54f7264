/* How many threads carry morsels: all, or one alone.
 *
 * A morsel that is handled in some microseconds is not worth handing on: each turn that another
 * thread waits for costs as much, and what the first one left in its cache. So one thread begins
 * alone, and stays so while its morsels come quickly. As soon as they do not the others join; now
 * and then, unless morsels are clearly heavy, one is left alone again to see.
 *
 * Only when rows are handled depends on this, never what becomes of them. */
#ifndef EXEC_CREW_H
#define EXEC_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct crew {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint32_t workers;
    bool alone, over;
    uint64_t since; /* ns: when the count began */
    uint32_t taken; /* morsels since then */
} crew;

void crew_init(crew *c, uint32_t workers);
void crew_release(crew *c);
/* Worker `i` (0 ... workers - 1) wants the next morsel. Returns at once for worker 0, for others
 * when they are needed or the work is over. */
void crew_enter(crew *c, uint32_t i);
/* No more morsels come, or the job has failed: nobody waits any more. */
void crew_end(crew *c);

#endif
