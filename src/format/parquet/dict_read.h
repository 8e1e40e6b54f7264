/* The dictionary of a chunk. Where it fits it becomes one flat vector that all vectors of the chunk
 * share; else its page stays in a spill region (or wherever its body lies), entries are found by an
 * index of offsets and fetched through a cache of blocks, and vectors come out flat. */
#ifndef PARQUET_DICT_READ_H
#define PARQUET_DICT_READ_H

#include "format/parquet/dec_convert.h"
#include "format/parquet/page_read.h"

/* Some blocks of a body, by position. */
typedef struct block_cache {
    const body *b;
    mem *m;
    uint32_t n;  /* blocks; 0: the body is in memory */
    size_t *tag; /* block number + 1 that each holds */
    uint8_t *blocks;
    size_t bytes; /* allocated, tags included */
} block_cache;

typedef struct pq_dict {
    bool loaded;
    uint32_t n;   /* entries */
    dict *shared; /* NULL: gathered one by one */
    mem *m;
    uint64_t headroom; /* stays free in the account */
    const pq_leaf *leaf;
    body page, index; /* index: uint32 offset of each entry of a BYTE_ARRAY's length */
    block_cache page_blocks, index_blocks;
} pq_dict;

/* Reads the dictionary page h at p->at. `id` 0: a new one, else the id that the same dictionary
 * had before it was parked. */
nrw_status dict_load(pq_dict *d, page_reader *p, const pq_page *h, const pq_leaf *leaf,
                     const convert *c, uint64_t id, nrw_error *err);
void dict_close(pq_dict *d);
/* Frees what lies in memory: all of it, or where the page does not its blocks alone, and an index
 * goes to the page. */
void dict_sleep(pq_dict *d);
nrw_status dict_wake(pq_dict *d, nrw_error *err) NRW_CHECKED; /* of one that is loaded */

/* Values of entries index[0..n), all in range, to dst; of dictionaries that are not shared. Fixed
 * width: n values. *bad as dec_typed. */
nrw_status dict_gather(pq_dict *d, const convert *c, convert_room *room, const uint32_t *index,
                       uint32_t n, uint8_t *dst, uint32_t *bad, nrw_error *err) NRW_CHECKED;
/* Views: up to n, at least one, until the sink is full. */
nrw_status dict_views(pq_dict *d, const uint32_t *index, uint32_t n, view_sink *s, view *dst,
                      uint32_t *got, nrw_error *err) NRW_CHECKED;

#endif
