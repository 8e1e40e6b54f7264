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

/* NRW_E_MEMLIMIT, with the bytes that would do, where `limit` is too little. */
nrw_status pq_shares_plan(const schema *s, const pq_write_options *opts, uint32_t workers,
                          uint64_t limit, pq_shares *out, nrw_error *err);

#endif
