/* Inside the Arrow writer.
 *
 *   write_head.c     the headers of messages
 *   write_arrays.c   a record batch as arrays in memory instead
 *   write_pack.c     a record batch that is being filled, and how it becomes messages
 *   write_entries.c  the entries of dictionaries
 *   write_footer.c   what a file ends with
 *   writer.c         rows in order, packs in order */
#ifndef ARROW_WRITE_H
#define ARROW_WRITE_H

#include "base/turn.h"
#include "codec/codec.h"
#include "column/lanes.h"
#include "format/arrow/arrow.h"
#include "format/arrow/write_entries.h"
#include "format/arrow/write_head.h"

#include <pthread.h>

/* Entries that are to be written before a record batch. */
typedef struct ipc_news {
    arrow_builder values;
    bool wanted;
    bool adds; /* to those before */
} ipc_news;

/* A record batch: filled under the writer's turn, then encoded by one thread on its own. */
typedef struct ipc_pack {
    arrow_builder *columns;
    uint64_t rows, bytes; /* plain size so far */
    uint64_t number;
    ipc_news *news;          /* one each dictionary */
    bytes meta, body;        /* its message */
    bytes out;               /* messages of dictionaries, which come first */
    struct ArrowArray array; /* instead of all these, where the rows are taken */
    arrow_c_shared **shared; /* its dictionaries; NULL: none yet */
    struct ipc_pack *next;
} ipc_pack;

typedef struct ipc_block {
    uint64_t at, meta_len, body_len;
} ipc_block;

typedef struct ipc_writer {
    writer base;
    mem *m;
    spill *spill;
    target *target;
    arrow_taker *taker; /* instead of the target; NULL: the target */
    arena *a;
    const schema *s; /* of the columns that come */
    schema written;  /* as the file says */
    arrow_layout *layouts;
    arrow_places places;
    uint32_t n, workers;
    arrow_write_options o;
    uint64_t batch_bytes;
    bool stream;

    turn append; /* by morsels: guards what follows */
    ipc_pack *open;
    uint64_t packs;
    ipc_entries *entries; /* by the numbers of dictionaries */
    const arrow_layout **dictionaries;
    const field **dictionary_fields;
    uint32_t n_dictionaries;
    arrow_c_shared **shared; /* as they were given to the taker last */

    turn emit; /* by packs: guards the target and what follows */
    int64_t rows;
    uint64_t encoded;
    uint64_t batches;
    ipc_block *blocks; /* of the file, those not spilled yet */
    uint32_t n_blocks;
    bytes spilled; /* spill_block, each of BLOCKS blocks */

    pthread_mutex_t lock; /* free packs and lanes, contexts */
    ipc_pack *free;
    struct ipc_task *tasks;
} ipc_writer;

/* In write_pack.c. */
nrw_status ipc_pack_new(ipc_writer *w, ipc_pack **out, nrw_error *err);
void ipc_pack_free(ipc_writer *w, ipc_pack *p);
/* What it takes at most, beside rows that are larger than a batch. */
uint64_t ipc_pack_cost(const schema *s, const arrow_write_options *o);
uint64_t ipc_batch_bytes(const schema *s);
/* Empties it for another use. */
nrw_status ipc_pack_clear(ipc_writer *w, ipc_pack *p, nrw_error *err);
/* News of dictionaries, under the turn. */
nrw_status ipc_pack_close(ipc_writer *w, ipc_pack *p, nrw_error *err);
/* The record batch into p->meta and p->body, dictionaries into p->out. */
nrw_status ipc_pack_encode(ipc_writer *w, ipc_pack *p, codec_ctx *ctx, nrw_error *err);
/* A dictionary of all its entries into p->out, for the end of a file. */
nrw_status ipc_encode_dictionary(ipc_writer *w, uint32_t i, ipc_pack *p, codec_ctx *ctx,
                                 nrw_error *err);

/* Entries from the first on, to an empty builder. */
nrw_status ipc_values_of(ipc_writer *w, uint32_t i, uint32_t first, arrow_builder *out,
                         nrw_error *err);

/* In write_arrays.c: the same steps for a taker. */
nrw_status ipc_arrays_head(ipc_writer *w, span message, nrw_error *err);
nrw_status ipc_arrays_close(ipc_writer *w, ipc_pack *p, nrw_error *err);
nrw_status ipc_arrays_encode(ipc_writer *w, ipc_pack *p, nrw_error *err);
void ipc_arrays_drop(ipc_writer *w, ipc_pack *p);
void ipc_arrays_end(ipc_writer *w);

/* In write_footer.c. */
nrw_status ipc_block_add(ipc_writer *w, ipc_block b, nrw_error *err);
nrw_status ipc_write_head(ipc_writer *w, nrw_error *err);
nrw_status ipc_write_end(ipc_writer *w, nrw_error *err);
void ipc_blocks_release(ipc_writer *w);

#endif
