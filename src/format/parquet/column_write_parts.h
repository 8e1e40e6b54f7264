/* Inside of the column writer: its state, and what its files give each other.
 *
 *   column_write.c         life, options, memory, the end of a chunk
 *   column_write_append.c  vectors into the page in progress; where pages end
 *   column_write_nested.c  the same with levels
 *   column_write_page.c    the page in progress
 *   column_write_end.c     how it becomes a body; when the dictionary is given up
 *   column_write_park.c    state to a spill file and back
 *   column_write_bloom.c   hashes of values for the bloom filter
 *   column_write_value.c   values as they are stored */
#ifndef PARQUET_COLUMN_WRITE_PARTS_H
#define PARQUET_COLUMN_WRITE_PARTS_H

#include "format/parquet/column_write.h"
#include "format/parquet/column_write_value.h"
#include "format/parquet/dict_build.h"
#include "format/parquet/enc_page.h"
#include "format/parquet/stats_build.h"

/* Growing array of 32-bit words or runs. */
typedef struct pq_words {
    uint32_t *at;
    size_t cap; /* words */
} pq_words;

/* The page in progress. Its values are either entries of the dictionary, as `runs` or, once single
 * rows came, as `index`; or in `body`, PLAIN but for texts whose lengths are to stand in front of
 * all of them: those lie in `lens`. */
typedef struct pq_draft {
    uint32_t rows, nulls;     /* nested: values, and those of them that are not there */
    uint32_t records;         /* nested */
    uint32_t n_index, n_runs; /* one of them is 0 */
    uint64_t plain;           /* PLAIN bytes of its values */
    pq_words valid;           /* a bit a row, nested: its definition level, a byte; holds nothing
                                 while nulls is 0 */
    pq_words rep;             /* bytes: repetition levels, where there are any */
    pq_words index, runs;
    pq_words lens;
    uint32_t n_lens;
    buffer *body;
    size_t head;    /* bytes at the body's start kept free for what stands in front of values */
    bool any_text;  /* the two below are set */
    bytes min, max; /* of text in `body`; other bounds are found at the page's end */
} pq_draft;

/* Which own entry an entry of the incoming dictionary is. */
typedef struct pq_remap {
    bool known; /* id is set */
    uint64_t id;
    uint64_t rows; /* of this dictionary that came so far */
    pq_words own;
    uint32_t n;    /* 0: no table (yet) */
    uint32_t left; /* entries that the table does not know */
    /* Entry e is own entry e + below, from `split` on e + above: dictionaries that this writer or
     * another made of the same values in the same order, wherever in them a row group begins. */
    bool shifts;
    uint32_t split, below, above;
} pq_remap;

#define PQ_REMAP_NONE PQ_DICT_NONE
#define PQ_PAGE_MAX   INT32_MAX /* page sizes are i32 */

typedef struct pq_parked pq_parked;

struct pq_column_writer {
    mem *m;
    const char *name;
    pq_value_type t;
    bool nullable, v2, statistics, bloom;
    bool nested; /* has levels; values come with pq_column_append_levels */
    uint8_t max_def, max_rep;
    uint16_t rep_counts, def_counts; /* levels that are counted by page */
    bool want_dict, force_dict;
    pq_encoding encoding; /* without a dictionary */
    bool may_split;       /* each chunk chooses between delta packing and byte streams */
    bool weigh;           /* this one has not yet */
    uint32_t page_limit;  /* rows */
    uint32_t index_limit; /* rows of a page of indices, once the dictionary is known to pay */
    uint64_t page_bytes, dict_bytes, row_group_rows;
    uint64_t remap_most; /* entries of incoming dictionaries that get a table */
    size_t keep_bound;   /* bytes of long bounds that are handed out */

    /* the chunk */
    int64_t rows, nulls;
    uint64_t finished; /* bytes of page bodies that were handed out */
    bool has_bounds;
    bytes min, max;
    bool indexing;   /* values go to the dictionary */
    bool judged;     /* the first page with values had its end */
    bool dict_used;  /* a page refers to it */
    uint32_t known;  /* entries that the rows so far have named; dict.n may be ahead by a block */
    uint32_t hashed; /* entries whose hashes were handed out */
    pq_dict dict;
    pq_remap remap;
    pq_draft page;
    size_t front;   /* bytes in front of the last page's values, and a few more */
    size_t filled;  /* bytes of values of the last page that was full */
    bool was_full;  /* some page ended before its chunk did */
    uint32_t ahead; /* rows of the vector in hand that are still to come */
    pq_parked *parked;
};

/* ---- page ---- */
nrw_status pq_words_room(mem *m, pq_words *w, size_t words, size_t most, nrw_error *err);
void pq_words_release(mem *m, pq_words *w);

/* The validity of the next rows; validity NULL: all alike (nulls is 0 or n). */
nrw_status pq_page_levels(pq_column_writer *w, const uint8_t *validity, size_t off, uint32_t n,
                          uint32_t nulls, nrw_error *err);
/* Room for n more indices; those that came as runs are written out. */
nrw_status pq_page_index_room(pq_column_writer *w, uint32_t n, uint32_t **at, nrw_error *err);
nrw_status pq_page_index_run(pq_column_writer *w, uint32_t entry, uint32_t count, nrw_error *err);
/* Room for so many bytes of values in the body. */
nrw_status pq_page_body_room(pq_column_writer *w, size_t more, nrw_error *err);
/* The first n values of a block. */
nrw_status pq_page_values(pq_column_writer *w, const pq_block *b, uint32_t n, nrw_error *err);
/* Rows of a dict vector of numbers that are not null and stored as they lie there. */
nrw_status pq_page_gather(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                          nrw_error *err);
/* Value i of a block, count times. */
nrw_status pq_page_repeat(pq_column_writer *w, const pq_block *b, uint32_t i, uint32_t count,
                          nrw_error *err);
/* Ends the page (which has rows) and begins the next. May end the dictionary. */
nrw_status pq_page_end(pq_column_writer *w, pq_page_list *out, nrw_error *err);
void pq_page_release(pq_column_writer *w);
/* Values of the page, which are entries, once more in its body. */
nrw_status pq_values_of_indices(pq_column_writer *w, nrw_error *err);
/* Whether the page in progress, the first one with values, can only end without the dictionary. */
bool pq_dictionary_hopeless(const pq_column_writer *w);
/* Then it goes on without, from here. */
nrw_status pq_page_give_up(pq_column_writer *w, nrw_error *err);
/* No entries come any more. */
void pq_dictionary_end(pq_column_writer *w);
nrw_status pq_page_list_push(pq_page_list *l, mem *m, pq_page_out *p, nrw_error *err);
nrw_status pq_bound_set(bytes *b, mem *m, span value, nrw_error *err);

/* PLAIN size of a value. */
static inline uint64_t pq_plain_size(const pq_column_writer *w, size_t len)
{
    return w->t.width ? w->t.width : 4 + (uint64_t)len;
}
static inline bool pq_is_text(const pq_column_writer *w)
{
    return w->t.class == PQ_VALUES_BYTES && !w->t.width;
}
/* Whether the body has bytes of texts alone. */
static inline bool pq_texts_apart(const pq_column_writer *w)
{
    return pq_is_text(w) && w->encoding == PQ_DELTA_LENGTH_BYTE_ARRAY;
}
/* Whether the body becomes the page's where it lies. */
static inline bool pq_body_stays(const pq_column_writer *w)
{
    return w->t.class != PQ_VALUES_BOOL && (w->encoding == PQ_PLAIN || pq_texts_apart(w));
}

/* Pages of indices are small whatever their rows hold: they end by rows alone, and later. The first
 * page with values, which decides about the dictionary, ends as one without. */
static inline bool pq_long_pages(const pq_column_writer *w)
{
    return w->indexing && (w->judged || w->force_dict);
}
static inline uint32_t pq_page_rows(const pq_column_writer *w)
{
    return pq_long_pages(w) ? w->index_limit : w->page_limit;
}
static inline bool pq_ends_by_bytes(const pq_column_writer *w)
{
    return pq_is_text(w) && !pq_long_pages(w);
}

static inline bool pq_page_is_full(const pq_column_writer *w)
{
    return w->page.rows >= pq_page_rows(w) ||
           (pq_ends_by_bytes(w) && w->page.plain >= w->page_bytes);
}

/* ---- append ---- */
nrw_status pq_end_full(pq_column_writer *w, pq_page_list *out, nrw_error *err);
/* A table for the dictionary of v, `rows` of which come, once as many have as pay for it. Without
 * memory for it, or where it holds more entries than could be kept anyway, values are looked up one
 * by one. */
void pq_remap_for(pq_column_writer *w, const vector *v, uint32_t rows, pq_block *b);
/* Entries of the `there` values of rows [first, first + n). *took < there: value *took is new and
 * the dictionary full. */
nrw_status pq_entries_of(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                         uint32_t there, pq_block *b, uint32_t *own, size_t *took, nrw_error *err);
/* Entries stand in order of first appearance: the highest one tells how many the rows know. */
void pq_know_entries(pq_column_writer *w, const uint32_t *own, uint32_t n);
/* How many of the first n values the page still takes: the one that reaches page_bytes is its last.
 * PLAIN bytes of entries are added to the page, those of a block are not. */
uint32_t pq_cut_entries(pq_column_writer *w, const uint32_t *own, uint32_t n);
uint32_t pq_cut_spans(const pq_column_writer *w, const pq_block *b);

/* ---- bloom ---- */
/* Hashes of the values that the page in progress holds PLAIN in its body, or of the entries that it
 * is the first to name; none where no filter is written. Before the body is encoded. */
nrw_status pq_page_hashes(pq_column_writer *w, pq_page_out *out, nrw_error *err);
/* The most that these take. */
uint64_t pq_hashes_most(uint64_t rows);

/* ---- park ---- */
void pq_parked_release(pq_column_writer *w);
uint64_t pq_parked_memory(const pq_column_writer *w);

#endif
