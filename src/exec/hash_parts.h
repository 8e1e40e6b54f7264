/* Rows that memory has no room for, in the spill file, cut into parts by the upper bits of their
 * hashes: rows of equal keys lie in one part. Within a part rows stand in no order. */
#ifndef EXEC_HASH_PARTS_H
#define EXEC_HASH_PARTS_H

#include "base/buffer.h"
#include "exec/cancel.h"
#include "exec/rows.h"
#include "io/spill.h"

#include <pthread.h>

#define HASH_PARTS_BITS  8u /* at most */
#define HASH_PARTS_SPLIT 4u /* so many bits more at a cut */
#define HASH_PART_BLOCK  (64u << 10)

typedef struct hash_part {
    spill_block *blocks; /* of whole rows */
    uint32_t n, cap;
    uint64_t bytes, rows;
} hash_part;

typedef struct hash_parts {
    mem *m; /* lists of blocks */
    spill *spill;
    pthread_mutex_t lock;
    uint32_t bits; /* 1 << bits parts */
    hash_part *at; /* NULL: not open */
    const cancel_flag *cancel;
} hash_parts;

/* So many parts that `memory` bytes of rows make blocks of about HASH_PART_BLOCK. */
nrw_status hash_parts_open(hash_parts *p, mem *m, spill *s, uint64_t memory,
                           const cancel_flag *cancel, nrw_error *err);
void hash_parts_close(hash_parts *p);
/* Writes n rows, whose pointers are put in another order meanwhile; blocks are built in `out`.
 * Thread-safe. */
nrw_status hash_parts_add(hash_parts *p, uint8_t **rows, uint64_t n, bytes *out, nrw_error *err);

/* Reads block i into memory of r, which keeps it. What comes back are whole rows, one behind the
 * other. */
nrw_status hash_part_read(const hash_parts *p, const hash_part *part, uint32_t i, rows *r,
                          span *out, nrw_error *err);
/* The row at *at of a block, which moves on. */
nrw_status hash_part_row(span block, size_t *at, uint8_t **row, nrw_error *err);
/* Space of block i is given back. */
void hash_part_forget(const hash_parts *p, hash_part *part, uint32_t i);
void hash_part_free(const hash_parts *p, hash_part *part);
/* Cuts `part`, whose rows have their first `bits` bits in common, by the next HASH_PARTS_SPLIT ones
 * into `out` (1 << HASH_PARTS_SPLIT of them, all zero). Its blocks are gone then. */
nrw_status hash_part_split(hash_parts *p, hash_part *part, uint32_t bits, mem *m, hash_part *out,
                           nrw_error *err);

#endif
