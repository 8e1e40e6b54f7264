/* The chunk reader's inside: the walk over pages, the page at hand, vectors under construction. */
#ifndef PARQUET_CHUNK_PRIV_H
#define PARQUET_CHUNK_PRIV_H

#include "format/parquet/chunk_read.h"
#include "format/parquet/chunk_strip.h"
#include "format/parquet/dec_convert.h"
#include "format/parquet/dict_read.h"
#include "format/parquet/page_read.h"

#define HELD_INDICES 256

/* Where a page's levels lie in its body, and where its values begin. */
typedef struct level_places {
    size_t rep_from, rep_to, def_from, def_to;
    bool rep_unpacked, def_unpacked; /* BIT_PACKED */
    bool def_none;                   /* all values are there */
    size_t values;
} level_places;

/* What decoding the current page takes; made when first needed, freed by a park. */
typedef struct page_state {
    body body;
    level_places at;
    levels lev;
    decoder dec; /* other pages */
    rle index;   /* pages of dictionary indices */
    bool index_open;
    uint32_t held_at, held_n; /* indices read and not yet used: of dictionaries that do not fit */
    uint32_t held[HELD_INDICES + 16];
} page_state;

/* Where the walk over the pages stands. Of a leaf in lists "rows" here are slots: values, nulls,
 * and what stands for empty lists (nested_leaf.h makes rows of them). */
typedef struct page_walk {
    bool in_page; /* `head` is of the page at pages.at */
    bool counted; /* this page stands in the counts */
    pq_page head;
    uint64_t at;    /* pages.at, in saved copies */
    int64_t first;  /* row of the page; of the next page where !in_page */
    int64_t number; /* data pages before it */
    int64_t pos;    /* the row that the decoder would give next, while the page is loaded */
} page_walk;

struct pq_chunk_reader {
    mem *m;
    io_file *f;
    const pq_leaf *leaf;
    const pq_chunk *chunk;
    int32_t row_group;
    int64_t rows;       /* of the chunk; of a leaf in lists: slots */
    int64_t group_rows; /* of the row group */
    int64_t until;      /* rows from here on will hardly be asked for */
    pq_chunk_options opts;
    convert conv;
    page_reader pages;
    page_walk walk;
    bool loaded;   /* the page's body is in *page */
    bool asleep;   /* its windows are not */
    bool by_index; /* its values are dictionary indices */
    page_state *page;
    pq_dict dict;
    uint64_t dict_id;    /* of the shared dictionary, kept over parks */
    uint64_t dict_at;    /* of its page's header in the file; 0: none was seen */
    uint64_t dict_bytes; /* decompressed, once it was loaded */
    pq_strip strip;      /* rows decoded ahead */
    bool no_strip;       /* it was tried in vain */
    arena *places_arena;
    pq_page_place *places; /* the offset index, once a long jump asked for it */
    uint32_t n_places;
    bool no_places;
    bool must_jump; /* the header behind the lost rows cannot be read */
    reader_counts counts;
    int64_t lost_first, lost_n;
    uint32_t *runs; /* run ends and dictionary indices under construction: cap of each */
    uint32_t runs_cap;
};

/* ---- the walk (chunk_walk.c) ---- */

/* The next data page with rows, its header only. `hint`: bytes worth reading along with it;
 * `wanted`: it will be loaded, so that a dictionary before it is loaded, too. */
nrw_status chunk_next_page(pq_chunk_reader *r, size_t hint, bool wanted,
                           nrw_error *err) NRW_CHECKED;
/* Moves to before the page that holds row `row` of the row group, where the offset index tells it
 * and that lies ahead; *first: the page's first row. False: everything stays. */
bool chunk_jump_rows(pq_chunk_reader *r, int64_t row, int64_t *first);
/* The body of the page that the walk is in, opened for its values; levels of leaves in lists are
 * the caller's. */
nrw_status chunk_load(pq_chunk_reader *r, nrw_error *err) NRW_CHECKED;
/* Passes over values of the loaded page. */
nrw_status chunk_skip_values(pq_chunk_reader *r, uint64_t there, nrw_error *err) NRW_CHECKED;
/* The page of `row`, its body at hand, its decoder at that row. */
nrw_status chunk_seek(pq_chunk_reader *r, int64_t row, nrw_error *err) NRW_CHECKED;
/* Forgets the decoded page; the walk stays where it is. */
void chunk_unload(pq_chunk_reader *r);
/* The loaded page takes next to no memory then, until chunk_seek wakes it: one that is not small
 * goes to the spill file. False: it cannot, or is made anew as fast. */
bool chunk_sleep(pq_chunk_reader *r);
/* Frees what decoders and cursors hold; they are then as if never opened. */
void chunk_close_windows(page_state *p);
nrw_status chunk_skip_rows(pq_chunk_reader *r, int64_t n, nrw_error *err) NRW_CHECKED;
/* All rows are read: no further values may follow. */
nrw_status chunk_check_end(pq_chunk_reader *r, nrw_error *err) NRW_CHECKED;
static inline int64_t chunk_page_end(const pq_chunk_reader *r)
{
    return r->walk.first + r->walk.head.n_values;
}
/* The first row behind `row` where reading can go on if the page there is damaged. */
int64_t chunk_resume(pq_chunk_reader *r, int64_t row);

/* ---- vectors under construction (chunk_build.c) ---- */

typedef enum build_form { BUILD_NONE, BUILD_RUNS, BUILD_INDEX, BUILD_FLAT } build_form;

typedef struct build {
    pq_chunk_reader *r;
    mem *m;
    build_form form;
    uint32_t cap, len; /* rows */
    uint32_t nulls;
    uint32_t n_runs;
    size_t max_bytes;
    bool full;    /* by bytes */
    bool cramped; /* no room for more runs */
    bool copy_text;
    vector v;   /* index, flat */
    dict *dict; /* runs, index: the reader's, which holds it */
    view_sink sink;
    convert_room room;
} build;

typedef struct build_mark {
    build_form form;
    uint32_t len, nulls, n_runs;
} build_mark;

void build_open(build *b, pq_chunk_reader *r, mem *m, uint32_t cap, size_t max_bytes,
                bool copy_text);
/* Whether rows of the current page can be put behind those that are there. */
bool build_accepts(const build *b);
/* Up to n rows of the current page from its position; fewer only where b is full then. */
nrw_status build_append(build *b, uint32_t n, nrw_error *err) NRW_CHECKED;
build_mark build_at(const build *b);
/* Forgets rows behind the mark. */
void build_cut(build *b, build_mark k);
/* Hands the vector out; b is then empty. */
nrw_status build_finish(build *b, vector *out, nrw_error *err) NRW_CHECKED;
void build_drop(build *b);
/* Bytes of a row as the page at hand promises: of text a little less, for it is a mean. */
size_t build_row_bytes(const pq_chunk_reader *r);

/* Dictionary indices (chunk_index.c). */
nrw_status build_runs(build *b, uint32_t n, nrw_error *err) NRW_CHECKED;
nrw_status build_indices(build *b, uint32_t n, nrw_error *err) NRW_CHECKED;
/* Runs that were gathered become indices: they turned out too short. */
nrw_status build_expand(build *b, nrw_error *err) NRW_CHECKED;
nrw_status build_finish_runs(build *b, vector *out, nrw_error *err) NRW_CHECKED;
/* n indices of the current page, checked, to dst (64 bytes of slack). */
nrw_status index_read(pq_chunk_reader *r, uint32_t n, uint32_t *dst, nrw_error *err) NRW_CHECKED;
nrw_status index_skip(pq_chunk_reader *r, uint64_t n, nrw_error *err) NRW_CHECKED;

/* Validity of the next rows, as the span says; b->len stays. */
nrw_status build_validity(build *b, const level_span *s, uint32_t rows, uint32_t there,
                          nrw_error *err) NRW_CHECKED;

#endif
