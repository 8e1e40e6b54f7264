/* The leaves of a schema that is written: where values lie in the file. A column of numbers or text
 * is its own leaf; a nested one has a leaf for everything in it that is not nested.
 *
 * Shapes are those of LogicalTypes.md: a list is `name (LIST) { repeated list { element } }`, a map
 * `name (MAP) { repeated key_value { required key; value } }`, whatever the fields in between were
 * called. */
#ifndef PARQUET_LEAF_WRITE_H
#define PARQUET_LEAF_WRITE_H

#include "base/arena.h"
#include "column/type.h"

#define PQ_LIST_NAME    "list"
#define PQ_ELEMENT_NAME "element"
#define PQ_ENTRY_NAME   "key_value"
#define PQ_KEY_NAME     "key"
#define PQ_VALUE_NAME   "value"

typedef struct pq_wleaf {
    const field *field;       /* the column, or what lies deepest in it */
    uint32_t column;          /* of the schema */
    uint8_t max_def, max_rep; /* levels that stand for a value */
    uint8_t n_path;           /* 0: only the column's name */
    uint8_t n_route;
    const char *const *path; /* names from the root to the leaf */
    const uint32_t *route;   /* which child, from each nested type on the way to the next */
    const char *name;        /* the path with dots between */
} pq_wleaf;

/* A column that is not nested, as its own leaf. */
static inline pq_wleaf pq_flat_leaf(const field *f)
{
    return (pq_wleaf){.field = f, .max_def = f->nullable, .name = f->name};
}
/* Of a nested column: values come with levels, whatever these can be. */
static inline bool pq_leaf_has_levels(const pq_wleaf *l)
{
    return l->n_path > 0;
}

typedef struct pq_leaves {
    uint32_t n;
    pq_wleaf *at;
    uint32_t *first; /* the first leaf of each column; behind the last: n */
} pq_leaves;

/* Calls `visit` for each leaf, in the file's order; path and route last no longer than the call,
 * and there is no name yet. NRW_E_UNSUPPORTED where a column has no form in Parquet: a struct
 * without fields, too many levels. */
typedef nrw_status (*pq_leaf_visit)(void *self, const pq_wleaf *leaf, nrw_error *err);
nrw_status pq_leaves_walk(const schema *s, pq_leaf_visit visit, void *self, nrw_error *err);
/* Bytes that pq_leaves_of takes for names and route of a leaf at most. */
size_t pq_leaf_names(const pq_wleaf *leaf);
nrw_status pq_leaves_of(const schema *s, arena *a, pq_leaves *out, nrw_error *err);

#endif
