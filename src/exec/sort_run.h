/* Sorted rows: in memory, or as blocks of the spill file. Column 0 of a row is its key, as bytes.
 */
#ifndef EXEC_SORT_RUN_H
#define EXEC_SORT_RUN_H

#include "base/buffer.h"
#include "exec/cancel.h"
#include "exec/rows_pack.h"
#include "io/spill.h"

#define RUN_BLOCK       (64u << 10)
#define RUN_SMALL_BLOCK (32u << 10) /* so that many runs can be open with little memory */

typedef struct sort_entry {
    uint64_t high,
        low; /* the key's first 130 bits without the 6 highest, which are zero (it
                begins with a mark, sort_key.h), and the 2 lowest; zeros behind its end */
    uint8_t *row;
} sort_entry;

typedef struct run_block {
    spill_block at;
    uint64_t rows; /* bytes of its rows; 0: they are not packed */
} run_block;

typedef struct sort_run {
    /* in memory */
    sort_entry *entries;
    uint64_t n;
    /* spilled: blocks of rows, in order; lists of them are in the spill file, too */
    uint32_t block;    /* bytes of their rows, about */
    run_block *blocks; /* of the list at hand; NULL: none is */
    uint32_t n_blocks;
    spill_block *lists;
    uint32_t n_lists, cap_lists;
    /* while it is merged */
    uint64_t at; /* next entry, or byte in `data` */
    uint32_t next_block, next_list;
    uint8_t *data; /* the open block */
    size_t len, cap;
    sort_entry head; /* the next row; row NULL: at the end */
} sort_run;

sort_entry sort_entry_of(const row_layout *l, uint8_t *row);
int sort_compare(const row_layout *l, const sort_entry *a, const sort_entry *b);
/* In any order once it is cancelled. */
void sort_entries(const row_layout *l, sort_entry *e, uint64_t n, const cancel_flag *cancel);

/* What writes spilled runs: all of m, an account. */
typedef struct run_writer {
    const row_layout *layout;
    mem *m;
    spill *spill;
    bool again;         /* keys have texts, which stand in the columns, too: LZ4 finds those */
    bytes rows, packed; /* the block under construction */
} run_writer;
run_writer run_writer_of(const row_layout *l, bool again, mem *m, spill *s);
void run_writer_release(run_writer *w);

/* Writing a spilled run row by row. sort_run_end ends the run; nothing of it stays in memory then
 * but a few bytes for every megabytes of rows. After an error the run is only to be freed. */
nrw_status sort_run_put(sort_run *r, run_writer *w, const uint8_t *row, nrw_error *err);
nrw_status sort_run_end(sort_run *r, run_writer *w, nrw_error *err);

/* Opens runs[0..n) for merging and takes the least row of all, again and again. A row stays valid
 * until sort_merge_next is called again. */
typedef struct sort_merge {
    const row_layout *layout;
    mem *m;
    spill *spill;
    sort_run *runs;
    uint32_t n;
    uint32_t *tree; /* losers; tree[0] is the winner */
    bytes packed;   /* the block that is being opened */
} sort_merge;
nrw_status sort_merge_open(sort_merge *g, const row_layout *l, mem *m, spill *s, sort_run *runs,
                           uint32_t n, nrw_error *err);
/* NRW_END after the last. */
nrw_status sort_merge_next(sort_merge *g, uint8_t **row, nrw_error *err);
void sort_merge_close(sort_merge *g);
void sort_run_free(sort_run *r, mem *m, spill *s);

#endif
