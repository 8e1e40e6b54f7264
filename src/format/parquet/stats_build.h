/* Least and greatest of written values (parquet.thrift, ColumnOrder and Statistics): over arrays of
 * PLAIN values, over the entries of a dictionary that a page uses, and joined page by page. */
#ifndef PARQUET_STATS_BUILD_H
#define PARQUET_STATS_BUILD_H

#include "format/parquet/dict_build.h"
#include "format/parquet/written_type.h"

/* Least and greatest so far. Numbers lie in the struct itself, longer values where they came
 * from. */
typedef struct pq_bounds {
    bool any;
    pq_order order;
    span min, max;             /* numbers: unset, see pq_bounds_min */
    uint64_t min_key, max_key; /* the first bytes of min and max, as comparable numbers */
    uint8_t min_number[8], max_number[8];
} pq_bounds;

static inline pq_bounds pq_bounds_init(pq_order order)
{
    return (pq_bounds){.order = order};
}
/* `width` is that of numbers; other bounds know their length. */
span pq_bounds_min(const pq_bounds *b, uint32_t width);
span pq_bounds_max(const pq_bounds *b, uint32_t width);

/* n dense values of `width` bytes each (booleans: bytes 0 and 1). */
void pq_bounds_fixed(pq_bounds *b, const uint8_t *values, size_t width, size_t n);
/* Byte strings; all must stay where they are until the bounds are taken. 8 bytes behind each may
 * be read. */
void pq_bounds_spans(pq_bounds *b, const span *values, size_t n);
/* Entries whose mark is not 0; `marks` has `n` of them and 8 bytes of slack. */
void pq_bounds_marked(pq_bounds *b, const pq_dict *d, const uint8_t *marks, uint32_t n);

#endif
