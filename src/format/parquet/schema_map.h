/* Schema elements as the footer has them, and what they become. Pure functions. */
#ifndef PARQUET_SCHEMA_MAP_H
#define PARQUET_SCHEMA_MAP_H

#include "format/parquet/meta.h"

/* Field numbers of the LogicalType union. */
typedef enum pq_logical {
    PQ_LOGICAL_NONE = 0,
    PQ_LOGICAL_STRING = 1,
    PQ_LOGICAL_MAP = 2,
    PQ_LOGICAL_LIST = 3,
    PQ_LOGICAL_ENUM = 4,
    PQ_LOGICAL_DECIMAL = 5,
    PQ_LOGICAL_DATE = 6,
    PQ_LOGICAL_TIME = 7,
    PQ_LOGICAL_TIMESTAMP = 8,
    PQ_LOGICAL_INTEGER = 10,
    PQ_LOGICAL_NULL = 11,
    PQ_LOGICAL_JSON = 12,
    PQ_LOGICAL_BSON = 13,
    PQ_LOGICAL_UUID = 14,
    PQ_LOGICAL_FLOAT16 = 15,
    PQ_LOGICAL_VARIANT = 16,
    PQ_LOGICAL_GEOMETRY = 17,
    PQ_LOGICAL_GEOGRAPHY = 18,
    PQ_LOGICAL_INTERVAL = 100 /* a converted type only */
} pq_logical;

typedef enum pq_repetition { PQ_REQUIRED = 0, PQ_OPTIONAL = 1, PQ_REPEATED = 2 } pq_repetition;

typedef struct pq_element {
    const char *name;
    int32_t physical; /* -1: a group */
    int32_t type_length, repetition, n_children;
    int32_t converted; /* -1: none */
    int32_t scale, precision, field_id;
    /* LogicalType; an unknown one has its number here and no more */
    int16_t logical;
    uint8_t unit; /* time_unit */
    uint8_t bits;
    bool utc, is_signed;
    bool converted_only; /* the logical type was made from the converted one */
    /* parameters of GEOMETRY, GEOGRAPHY and VARIANT; NULL, -1: not said */
    const char *crs;
    int32_t edges, variant_version;
} pq_element;

/* How bounds in statistics compare. */
typedef enum pq_order { PQ_ORDER_NONE, PQ_ORDER_SIGNED, PQ_ORDER_UNSIGNED } pq_order;

/* The converted type in terms of a logical one, where the element has no logical type. */
void pq_element_convert(pq_element *e);
/* Type of a leaf's vectors. Annotations that are unknown, or do not fit the physical type, leave
 * the physical type; *known is then false unless there was none. */
type pq_element_type(const pq_element *e, bool int96_us, bool *known);
/* Whether the annotation is one that the format does not allow for the physical type. */
bool pq_element_wrong(const pq_element *e);
pq_order pq_element_order(const pq_element *e, const type *t, bool known);
/* "STRING", "DECIMAL(12,2)", "TIMESTAMP_MILLIS"; empty without annotation. As snprintf. */
size_t pq_logical_print(const pq_element *e, char *out, size_t cap);

#endif
