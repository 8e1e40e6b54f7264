/* An append-only run of bytes whose memory is bounded: finished pages, page records, metadata that
 * must wait for the footer. Small pieces gather in a tail; full tails and large pieces become
 * parts, held in memory while the account for held parts has room, else spilled. The list of
 * spilled parts is itself spilled in groups of eight, level by level, so that what a log keeps in
 * memory beside held parts grows with the logarithm of its length.
 *
 * A piece that was appended whole lies whole in one part, so records never straddle parts.
 * One thread at a time; the owner's lock sees to it. */
#ifndef PARQUET_WRITER_LOG_H
#define PARQUET_WRITER_LOG_H

#include "io/spill.h"
#include "io/target.h"

/* What all logs of a writer share. */
typedef struct pq_log_env {
    mem *m;    /* tails and lists: bounded */
    mem *held; /* parts in memory; its limit may fall at any time */
    spill *spill;
    uint32_t tail_max; /* bytes of a tail */
} pq_log_env;

typedef struct pq_part {
    uint8_t *data; /* NULL: spilled */
    uint32_t len;
    uint32_t level; /* 0: bytes; n: eight parts of level n - 1 */
    spill_block block;
} pq_part;

typedef struct pq_log {
    pq_part *parts;
    uint32_t n, cap;
    uint8_t *tail;
    uint32_t tail_len, tail_cap;
    uint64_t len;
} pq_log;

/* Bytes of their own: held if there is room, else spilled. Any thread. */
nrw_status pq_part_new(const pq_log_env *e, span data, pq_part *out, nrw_error *err);
void pq_part_release(const pq_log_env *e, pq_part *p);
nrw_status pq_part_to_target(const pq_log_env *e, const pq_part *p, target *t, nrw_error *err);

nrw_status pq_log_append(const pq_log_env *e, pq_log *l, span data, nrw_error *err);
/* Takes the part over, also when it fails. */
nrw_status pq_log_adopt(const pq_log_env *e, pq_log *l, pq_part *p, nrw_error *err);
/* Spills held parts until `want` bytes are free or none is left; returns what is still wanted. */
nrw_status pq_log_evict(const pq_log_env *e, pq_log *l, uint64_t *want, nrw_error *err);
void pq_log_release(const pq_log_env *e, pq_log *l);

/* Whole content, front to back, in pieces that hold whole records. */
typedef nrw_status (*pq_log_visit)(void *self, span piece, nrw_error *err);
nrw_status pq_log_walk(const pq_log_env *e, const pq_log *l, pq_log_visit visit, void *self,
                       nrw_error *err);
/* The same into a target, spilled parts without a way through memory. */
nrw_status pq_log_to_target(const pq_log_env *e, const pq_log *l, target *t, nrw_error *err);

#endif
