/* Inside of joins: op_build.c keeps the right side, op_probe.c meets it. */
#ifndef EXEC_JOIN_OWN_H
#define EXEC_JOIN_OWN_H

#include "exec/op_join.h"
#include "exec/rows.h"

/* What a kept row has in its extra: the next one of its slot, its place in the input. */
typedef struct build_link {
    uint8_t *next;
    uint64_t ordinal;
} build_link;

typedef struct build_worker {
    mem *m;
    rows rows;
    uint8_t **at; /* in the order they came */
    uint64_t n, cap;
} build_worker;

typedef struct op_build {
    op base;
    source rest;
    mem *m;
    join_spec spec;
    row_layout layout; /* keys, then all right columns */
    build_worker *workers;
    uint8_t **order; /* all rows, in the order of the input */
    uint64_t n;
    uint8_t **slots;
    uint64_t n_slots; /* a power of two */
    bool null_key;    /* a key that is null and not null_equal was there: it meets nobody */
    uint64_t rest_at, rest_morsel;
} op_build;

static inline build_link *build_link_of(uint8_t *row)
{
    return (build_link *)(void *)row_extra(row);
}
/* Whether anybody met the row: the row's free word. */
static inline void build_meet(uint8_t *row)
{
    __atomic_store_n((uint32_t *)(void *)(row + 4), 1, __ATOMIC_RELAXED);
}
static inline bool build_was_met(const uint8_t *row)
{
    return load_u32(row + 4) != 0;
}

#endif
