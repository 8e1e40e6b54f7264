/* A query as it will be answered, before it is known how: a tree of relations. Every column has a
 * number in its relation; expressions look at columns of the relation below by that number (of
 * joins: left ones first). Plans are const once bound; everything lies in one arena. */
#ifndef SQL_PLAN_H
#define SQL_PLAN_H

#include "exec/aggregate.h"
#include "exec/op_join.h"
#include "exec/sort_key.h"
#include "exec/window.h"
#include "sql/catalog.h"

typedef enum plan_kind {
    PLAN_SCAN,    /* columns of a table */
    PLAN_VALUES,  /* constant rows; one row without columns: SELECT without FROM */
    PLAN_RANGE,   /* range(from, to, step) */
    PLAN_PROJECT, /* exprs over left */
    PLAN_FILTER,  /* rows of left for which exprs[0] is true */
    PLAN_GROUP,   /* keys, then aggregates, over left; both look at columns of left alone */
    PLAN_SORT,    /* left, ordered; only the first `limit` rows where that is set */
    PLAN_LIMIT,   /* left, rows [offset, offset + limit) */
    PLAN_JOIN,
    PLAN_UNION,  /* rows of left, then rows of right, of equal types */
    PLAN_WINDOW, /* columns of left, then one for each window function */
    PLAN_FIRST   /* rows of left whose arrival_rank is at most `limit` */
} plan_kind;

typedef struct plan_column {
    span name;
    type type;
} plan_column;

typedef struct plan plan;
struct plan {
    plan_kind kind;
    uint32_t n;
    plan_column *columns;
    plan *left, *right;
    /* PROJECT: n of them; FILTER: one; VALUES: n * n_rows */
    const expr **exprs;
    uint64_t n_rows; /* VALUES */
    /* SCAN */
    sql_table *table;        /* VALUES: whose footers gave its row; NULL: the query did */
    uint32_t *table_columns; /* n of them, of the table */
    const expr **pushed;     /* conjuncts over this scan's columns that were pushed down */
    uint32_t n_pushed;
    /* RANGE */
    int64_t from, to, step;
    /* GROUP: the first n_keys columns of left are the keys */
    uint32_t n_keys, n_aggregates;
    aggregate *aggregates;
    uint32_t marked_key;    /* which of the keys has marks */
    const key_marks *marks; /* NULL: none has */
    /* SORT */
    uint32_t n_orders;
    sort_order *orders;
    uint64_t limit, offset; /* LIMIT; SORT: limit; UINT64_MAX: all */
    /* JOIN: keys are columns of the sides */
    join_kind join;
    uint32_t n_join_keys;
    uint32_t *left_keys, *right_keys;
    bool *null_equal, in_nulls;
    bool ordered; /* its place among other joins is settled */
    const expr *condition;
    /* WINDOW */
    uint32_t n_windows;
    window_call *windows;
    /* FIRST */
    uint32_t n_of, n_per, *of, *per;
};

nrw_status plan_new(arena *a, plan_kind kind, uint32_t n, plan *left, plan *right, plan **out,
                    nrw_error *err);

/* ---- rules (one file each) ---- */
/* Conditions to where they cost least, joins with keys. */
nrw_status plan_push_down(arena *a, plan **p, nrw_error *err);
/* Without the sorts whose order nobody sees; for plans that are pruned behind it. */
void plan_drop_sorts(plan **p);
/* Scans of parts of nested columns, where no more of them is looked at; for plans that were pruned,
 * which is to be done again. */
nrw_status plan_split_parts(arena *a, plan **p, nrw_error *err);
/* Only columns that somebody looks at. */
nrw_status plan_prune(arena *a, plan **p, nrw_error *err);
/* Groups without keys that footers answer become rows. */
nrw_status plan_take_footers(arena *a, const sql_catalog *c, plan **p, nrw_error *err);
/* Groups whose rows come from one table that is clustered by a key get its marks, by metadata. */
nrw_status plan_mark(arena *a, const sql_catalog *c, plan *p, nrw_error *err);
/* Joins whose left side is the smaller one are turned round, since it is the right one that is
 * kept. For plans that are pruned and have their marks. */
nrw_status plan_choose_sides(arena *a, const sql_catalog *c, plan **p, nrw_error *err);

/* e with every column c replaced by number(self, c). */
nrw_status expr_renumber(arena *a, const expr *e, uint32_t (*number)(void *self, uint32_t c),
                         void *self, const expr **out, nrw_error *err);

#endif
