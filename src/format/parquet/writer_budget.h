/* How a writer's grant is shared out. See writer_room.c. */
#ifndef PARQUET_WRITER_BUDGET_H
#define PARQUET_WRITER_BUDGET_H

#include "format/parquet/parquet.h"

typedef struct pq_shares {
    uint64_t pool;       /* for actors and held pages */
    uint64_t reserve;    /* of it: kept free of pages, for actors in use to grow */
    uint64_t queue_max;  /* bytes of bodies that may wait to be compressed */
    size_t piece_bytes;  /* read and appended at a time */
    size_t usual_body;   /* of a page; larger ones share one place to be compressed */
    size_t big_body;     /* of these */
    size_t bloom_window; /* bytes of a bloom filter that are set at a time; 0: none is written */
    uint32_t tail_max, file_tail;
} pq_shares;

/* What writers of one room share. */
typedef struct pq_room_shares {
    pq_shares each;   /* the pool is that of all; queue_max of a writer at work */
    uint32_t writers; /* that may be open */
    uint64_t held;    /* for finished pages of all */
} pq_room_shares;

/* As below, for at most `most` writers. */
nrw_status pq_room_shares_plan(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint64_t limit, uint32_t most, pq_room_shares *out, nrw_error *err);

/* NRW_E_MEMLIMIT, with the bytes that would do, where `limit` is too little. */
nrw_status pq_shares_plan(const schema *s, const pq_write_options *opts, uint32_t workers,
                          uint64_t limit, pq_shares *out, nrw_error *err);

#endif
