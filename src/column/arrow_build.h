/* Vectors to arrays as Arrow lays them out: rows are appended, then nodes and buffers are there to
 * be written or handed on. The arrays depend on the rows alone, not on the form of vectors. */
#ifndef COLUMN_ARROW_BUILD_H
#define COLUMN_ARROW_BUILD_H

#include "base/buffer.h"
#include "column/arrow_layout.h"
#include "column/vector.h"

typedef struct arrow_indexer arrow_indexer;

typedef struct arrow_builder {
    const arrow_layout *layout;
    const field *f; /* what is appended: its type may be one that Arrow lacks */
    mem *m;
    uint64_t rows, nulls;
    bytes validity;
    bytes fixed; /* values, bits, offsets, views or indices */
    bytes more;  /* bytes that offsets and views point into; sizes of list views */
    uint32_t n_children;
    struct arrow_builder *children;
    arrow_indexer *indexer; /* of a dictionary: finds its entries; NULL: there is none */
} arrow_builder;

/* What finds or adds the entries of a dictionary: rows [first, first + n) of v, which is of any
 * form, become indices of 32 bits; those of nulls are 0. */
struct arrow_indexer {
    nrw_status (*index)(arrow_indexer *self, const vector *v, uint32_t first, uint32_t n,
                        uint32_t *out, nrw_error *err);
};

/* Empty. layout and f outlive it. Dictionaries get no indexer yet. */
nrw_status arrow_builder_init(arrow_builder *b, const arrow_layout *layout, const field *f, mem *m,
                              nrw_error *err) NRW_CHECKED;
void arrow_builder_release(arrow_builder *b);
/* Empty again, for about as many rows as it had: room that fits is kept, other is made anew. */
nrw_status arrow_builder_clear(arrow_builder *b, nrw_error *err) NRW_CHECKED;
/* Rows [first, first + n) of v. */
nrw_status arrow_build(arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                       nrw_error *err) NRW_CHECKED;
/* Bytes that rows [first, first + n) of v take, of any form, are added to sizes[0..n). */
nrw_status arrow_build_sizes(const arrow_builder *b, const vector *v, uint32_t first, uint32_t n,
                             uint64_t *sizes, nrw_error *err) NRW_CHECKED;
/* Its buffers in order, as many as the layout says; views have one more, of what they point into,
 * where that is not empty. */
#define ARROW_BUFFERS_MAX 4
uint32_t arrow_builder_buffers(const arrow_builder *b, span out[ARROW_BUFFERS_MAX]);

#endif
