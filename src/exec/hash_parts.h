/* Rows that memory has no room for, in the spill file, cut into parts by the upper bits of their
 * hashes: rows of equal keys lie in one part. Within a part rows stand in no order. */
#ifndef EXEC_HASH_PARTS_H
#define EXEC_HASH_PARTS_H

#include "exec/cancel.h"
#include "exec/rows_spill.h"
#include "io/spill_chain.h"

#include <pthread.h>

#define HASH_PARTS_BITS  9u /* at most */
#define HASH_PARTS_SPLIT 4u /* so many bits more at a cut */
#define HASH_PART_BLOCK  (16u << 10)

typedef struct hash_part {
    spill_chain blocks; /* of whole rows */
    uint64_t bytes;     /* of these */
    uint64_t rows;
} hash_part;

typedef struct hash_parts {
    mem *m;
    spill *spill;
    const row_layout *layout;
    pthread_mutex_t lock;
    uint32_t bits; /* 1 << bits parts */
    hash_part *at; /* NULL: not open */
    const cancel_flag *cancel;
} hash_parts;

/* A block under construction, and what packing it takes. */
typedef struct hash_out {
    bytes rows, scratch;
} hash_out;
hash_out hash_out_of(mem *m);
void hash_out_release(hash_out *o);

/* Bits of so many parts that `memory` bytes of rows make blocks of about HASH_PART_BLOCK. */
uint32_t hash_parts_bits(uint64_t memory);
nrw_status hash_parts_open(hash_parts *p, const row_layout *l, mem *m, spill *s, uint64_t memory,
                           const cancel_flag *cancel, nrw_error *err);
void hash_parts_close(hash_parts *p);
/* Writes n rows, whose pointers are put in another order meanwhile. Thread-safe. */
nrw_status hash_parts_add(hash_parts *p, uint8_t **rows, uint64_t n, hash_out *out, nrw_error *err);

/* The row at *at of a block, as rows_read gives it; *at moves on. */
nrw_status hash_part_row(span block, size_t *at, uint8_t **row, nrw_error *err);
void hash_part_free(const hash_parts *p, hash_part *part);
/* Cuts `part`, whose rows have their first `bits` bits in common, by the next HASH_PARTS_SPLIT ones
 * into `out` (1 << HASH_PARTS_SPLIT of them, all zero). Its blocks are gone then. */
nrw_status hash_part_split(hash_parts *p, hash_part *part, uint32_t bits, mem *m, hash_part *out,
                           nrw_error *err);

#endif
