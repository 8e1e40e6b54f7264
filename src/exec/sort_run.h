/* Sorted rows: in memory, or as blocks of the spill file. Column 0 of a row is its key, as bytes.
 */
#ifndef EXEC_SORT_RUN_H
#define EXEC_SORT_RUN_H

#include "exec/cancel.h"
#include "exec/rows_spill.h"
#include "io/spill_chain.h"

typedef struct sort_entry {
    uint64_t high,
        low; /* the key's first 130 bits without the 6 highest, which are zero (it
                begins with a mark, sort_key.h), and the 2 lowest; zeros behind its end */
    uint8_t *row;
} sort_entry;

typedef struct sort_run {
    sort_entry *entries; /* in memory; NULL: it is spilled */
    uint64_t n;
    spill_block blocks; /* all its blocks as a folded chain, the first one to be taken first */
} sort_run;

sort_entry sort_entry_of(const row_layout *l, uint8_t *row);
int sort_compare(const row_layout *l, const sort_entry *a, const sort_entry *b);
/* In any order once it is cancelled. */
void sort_entries(const row_layout *l, sort_entry *e, uint64_t n, const cancel_flag *cancel);

/* What writes spilled runs, one after the other: all of m, an account. */
typedef struct run_writer {
    const row_layout *layout;
    mem *m;
    spill *spill;
    bool again;   /* keys have texts, which are like those near to them: LZ4 finds that */
    size_t block; /* bytes of a block's rows, about */
    bytes rows, scratch;
    spill_chain blocks; /* of the run so far */
} run_writer;
run_writer run_writer_of(const row_layout *l, bool again, size_t block, mem *m, spill *s);
/* Gives the memory back, and blocks of a run that was not ended. */
void run_writer_release(run_writer *w);
nrw_status run_writer_put(run_writer *w, const uint8_t *row, nrw_error *err);
/* The rows since the last end are a run, of which nothing stays in memory. */
nrw_status run_writer_end(run_writer *w, sort_run *out, nrw_error *err);
void sort_run_free(sort_run *r, spill *s);

/* Opens runs[0..n) for merging, whose blocks it takes over, and takes the least row of all, again
 * and again. A row stays valid until sort_merge_next is called again. */
typedef struct run_reader run_reader;
typedef struct sort_merge {
    const row_layout *layout;
    mem *m;
    spill *spill;
    run_reader *runs;
    uint32_t n;
    uint32_t *tree; /* losers; tree[0] is the winner */
    bytes scratch;
} sort_merge;
nrw_status sort_merge_open(sort_merge *g, const row_layout *l, mem *m, spill *s, sort_run *runs,
                           uint32_t n, nrw_error *err);
/* NRW_END after the last. */
nrw_status sort_merge_next(sort_merge *g, uint8_t **row, nrw_error *err);
/* Also after a failed open. */
void sort_merge_close(sort_merge *g);

#endif
