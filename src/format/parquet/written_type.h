/* How a type of vectors lies in the Parquet files that are written: one answer for the column
 * writers, the footer and the page index. */
#ifndef PARQUET_WRITTEN_TYPE_H
#define PARQUET_WRITTEN_TYPE_H

#include "column/note.h"
#include "format/parquet/meta.h"

typedef struct pq_written_type {
    pq_physical physical;
    uint32_t length; /* bytes of FIXED_LEN_BYTE_ARRAY, else 0 */
    /* Values are multiplied by this before they are stored: Parquet has no unit of seconds, so
     * these are written as milliseconds. 1 else. */
    int32_t factor;
} pq_written_type;

/* Integers of 128 bits are decimals of so many digits, which hold all of them. */
#define PQ_WIDE_DIGITS 39

/* Decimals: INT32 to precision 9, INT64 to 18, else big-endian bytes, as few as the precision
 * needs. Null columns are INT32 of which no value is ever stored. */
pq_written_type pq_written_type_of(const type *t);
/* May values of this type be written in that encoding (Encodings.md)? -1: with a dictionary. */
bool pq_encoding_fits(int32_t encoding, const type *t);

/* What the field is said to stand for, where it has the type for that. */
note_meaning pq_meaning_written(const field *f);

/* Orders that the format defines for bounds (LogicalTypes and ColumnOrder). */
typedef enum pq_order {
    PQ_ORDER_NONE, /* no bounds are written: intervals, nulls */
    PQ_ORDER_BOOL,
    PQ_ORDER_SIGNED,   /* little-endian INT32, INT64 */
    PQ_ORDER_UNSIGNED, /* the same, unsigned */
    PQ_ORDER_FLOAT16,
    PQ_ORDER_FLOAT,
    PQ_ORDER_DOUBLE,
    PQ_ORDER_DECIMAL, /* two's complement, big-endian */
    PQ_ORDER_BYTES    /* byte-wise unsigned */
} pq_order;

pq_order pq_order_of(const type *t);
/* Compares PLAIN bytes without a length, as bounds hold them: < 0, 0, > 0. Neither is a NaN. */
int pq_order_compare(pq_order o, span a, span b);

#endif
