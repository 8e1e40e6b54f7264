/* Memory that actors and benches share: of one writer, or of all writers that were opened in it.
 * See writer_room.c. */
#ifndef PARQUET_WRITER_ROOM_H
#define PARQUET_WRITER_ROOM_H

#include "format/parquet/column_write.h"
#include "format/parquet/page_compress.h"
#include "format/parquet/writer_budget.h"

#include <pthread.h>

typedef enum pq_actor_state {
    ACTOR_NONE,
    ACTOR_PARKED,
    ACTOR_IDLE, /* in memory, nobody at it */
    ACTOR_USED,
    ACTOR_PARKING
} pq_actor_state;

/* An actor with what the room knows of it. (T): of who holds the column's turn; (R): under the
 * room's lock. */
typedef struct pq_wactor pq_wactor;
struct pq_wactor {
    pq_column_writer *writer; /* (T), or with `state` PARKING its parker's */
    uint64_t most;            /* what it can hold */
    uint64_t held;            /* (R) what it held when last looked at */
    uint64_t charged;         /* (R) its share of `committed` */
    pq_wactor *above, *below; /* (R) in the stack of idle actors */
    pq_actor_state state;     /* (R) */
    uint64_t since;           /* the first row group that got a chunk when it was filled */
    uint64_t encoded;         /* (T) bytes of its chunk when it was last given back */
};

typedef struct pq_room {
    mem *m; /* of the benches */
    spill *spill;
    uint32_t workers;
    pq_shares shares;

    pthread_mutex_t lock;
    pthread_cond_t changed;       /* an actor or a bench is free */
    uint64_t committed, resident; /* (R), as all below */
    uint64_t parked;              /* bytes, since the heap was last settled */
    pq_wactor *idle_top;
    uint32_t waits;         /* threads */
    uint32_t used, parking; /* actors */
    pq_bench *benches;      /* free ones */
    uint32_t n_benches;     /* made so far */
    pq_bench *big;          /* NULL while in use */
    bool big_made;

    /* where writers share it */
    bool shared;
    mem *account, *held; /* of the writers; of their finished pages */
    const schema *schema;
    const pq_write_options *opts;
    uint32_t writers; /* that may be open at once */
    uint64_t back;    /* (R) of the pool: may have to be given back */
} pq_room;

void pq_room_init(pq_room *r, mem *m, spill *s, uint32_t workers);
/* Frees the benches; no actor is known any more. */
void pq_room_release(pq_room *r);
/* Wakes who waits for room, to see that its writer was stopped. */
void pq_room_wake(pq_room *r);
/* The table of n actors has moved from `old` to `new`. */
void pq_room_moved(pq_room *r, const pq_wactor *old, pq_wactor *new, uint32_t n);

nrw_status pq_bench_take(pq_room *r, size_t body, pq_bench **out, nrw_error *err);
void pq_bench_give(pq_room *r, pq_bench *b);

#endif
