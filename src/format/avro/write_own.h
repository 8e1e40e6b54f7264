/* Inside of the writer: write.c takes rows and is the class, write_cut.c cuts blocks and writes
 * them, write_header.c is what stands before them. Internal to the Avro folder. */
#ifndef AVRO_WRITE_OWN_H
#define AVRO_WRITE_OWN_H

#include "format/avro/avro.h"
#include "format/avro/container.h"

#include "base/turn.h"
#include "column/lanes.h"

#include <pthread.h>

#define AV_ROWS_MAX 16384u /* of a worker's buffer */

/* Rows on their way. */
typedef struct rows {
    bytes data;
    uint32_t n;
} rows;

typedef struct block {
    span data;
    uint32_t rows;
} block;

/* What one thread needs. */
typedef struct task {
    struct task *next;
    lane *lanes;
    rows rows;
    size_t *ends; /* of each row in rows.data; ROWS_MAX */
    rows head;    /* the first block, which began as the tail */
    block *blocks;
    uint32_t n_blocks, cap_blocks;
    uint8_t *packed;
    size_t packed_cap;
    codec_ctx codec;
    batch *b;
} task;

typedef struct av_writer {
    writer base;
    mem *m;
    target *target;
    const schema *schema;
    const avro_write_options *opts;
    bool crc;
    uint32_t n, workers;
    size_t limit; /* of a worker's encoded rows */
    uint8_t sync[AV_SYNC];
    turn cut;  /* by morsels */
    rows tail; /* in that turn */
    uint64_t blocks;
    turn next;      /* by blocks */
    int64_t n_rows; /* in that turn: of the blocks written */
    _Atomic uint64_t encoded;
    pthread_mutex_t lock; /* free tasks */
    task *tasks;
} av_writer;

/* ---- write_cut.c ---- */

/* A task that nobody uses. */
nrw_status av_task_take(av_writer *w, task **out, nrw_error *err) NRW_CHECKED;
void av_task_give(av_writer *w, task *k);
void av_tasks_free(av_writer *w);
/* What was encoded so far is cut and written; `last`: nothing more comes of the morsel. */
nrw_status av_write_flush(av_writer *w, task *k, bool last, nrw_error *err) NRW_CHECKED;
/* What was left over by all morsels, as the last block. */
nrw_status av_write_tail(av_writer *w, nrw_error *err) NRW_CHECKED;

/* ---- write_header.c ---- */

/* The header of a new file; of one that rows are added to, checks that it is still the file that
 * was looked at. */
nrw_status av_write_begin(av_writer *w, nrw_error *err) NRW_CHECKED;

#endif
