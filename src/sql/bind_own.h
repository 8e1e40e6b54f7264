/* Inside of the binder:
 *
 *   bind.c         queries: set operations, ORDER BY, LIMIT, WITH
 *   bind_select.c  one SELECT from FROM to its list
 *                  bind_lambda.c lambdas
 *   bind_group.c   GROUP BY
 *   bind_from.c    tables; bind_join.c joins
 *   bind_files.c   tables that are files: options, and which files WHERE leaves
 *   bind_star.c    *; bind_columns.c COLUMNS
 *   bind_expr.c    expressions; bind_call.c functions, aggregates, windows
 *   bind_sub.c     subqueries as joins. What they look at outside of themselves: bind_pull.c where
 *                  that is conditions alone, unnest.c and unnest_join.c elsewhere
 *   plan.c         plans one by one; plan_group.c those of GROUP BY
 *   conjuncts.c    conditions taken apart; push_down.c where they go, join_order.c with the joins
 *   bind_order.c   ORDER BY; bind_limit.c LIMIT
 *   bind_arrival.c arrival_rank; describe.c DESCRIBE and SUMMARIZE
 *
 * While a SELECT is bound its expressions look at columns by numbers of several kinds: a column of
 * the rows (below any base), a group's key, or a number above one of the bases. They get their
 * final numbers when all of the SELECT is known. */
#ifndef SQL_BIND_OWN_H
#define SQL_BIND_OWN_H

#include "sql/bind.h"
#include "sql/estimate.h"
#include "sql/own.h"

#define AGGREGATE_BASE (1u << 24) /* + number of the aggregate */
#define ATTACHED_BASE  (2u << 24) /* + number of a column that a subquery added to the groups */
#define WINDOW_BASE    (3u << 24) /* + number of the window call */
#define OUTER_BASE     (4u << 24) /* + number among the outer columns that a subquery looks at */
#define RIGHT_BASE     (5u << 24) /* + column of the subquery that is being attached */
#define LAMBDA_BASE    (6u << 24) /* + number of a lambda's parameter */

typedef struct scope_column {
    span table, name;
    type type;
    uint32_t column; /* of the plan below */
    bool hidden;     /* stands for another one of USING: only with its table's name */
} scope_column;

typedef struct scope {
    scope_column *at;
    uint32_t n, cap;
} scope;

/* One subquery, with all queries in it that are not subqueries of expressions themselves: where it
 * looks up columns that it does not have, and those that it has found there. Column OUTER_BASE + i
 * of its plan is refs[i], which is over what `outer` looks at. */
typedef struct frame {
    struct selecting *outer;
    const expr **refs;
    uint32_t n, cap;
} frame;

typedef struct cte {
    const sql_with *with;
    frame *frame;             /* of the query that has it; NULL: in no subquery */
    const struct cte *before; /* those that this one sees */
} cte;

/* A column of a side of a set operation, as it is called there, for ORDER BY behind it. */
typedef struct set_output {
    span table, name, text; /* text: the expression, printed */
    uint32_t column;
} set_output;

typedef struct set_outputs {
    set_output *at;
    uint32_t n, cap;
} set_outputs;

typedef struct binder {
    const sql_bind_input *in;
    arena *a;
    const cte *ctes;
    set_outputs *outputs; /* of the set operation that this is a side of; NULL: of none */
    uint32_t depth;
} binder;

/* A list that grows in the arena. */
#define LIST_ADD(a, list, n, cap, value, err)                                                      \
    do {                                                                                           \
        void *at_ = (list);                                                                        \
        size_t cap_ = (cap);                                                                       \
        TRY(arena_grow((a), &at_, (n), &cap_, sizeof *(list), (err)));                             \
        (list) = at_;                                                                              \
        (cap) = (uint32_t)cap_;                                                                    \
        (list)[(n)++] = (value);                                                                   \
    } while (0)

typedef enum select_stage {
    STAGE_ROWS,  /* over the rows of FROM */
    STAGE_GROUPS /* over keys and aggregates */
} select_stage;

/* A subquery that was joined to the groups, where one column more stands for its answer. */
typedef struct attachment {
    plan *right;
    join_kind kind;
    bool in_nulls;
    const expr *on;    /* over numbers of the groups, and above RIGHT_BASE columns of right */
    const frame *refs; /* right looks at these yet; NULL: at nothing */
} attachment;

typedef struct selecting {
    binder *b;
    frame *frame; /* of the subquery that this is in; NULL: in none */
    const sql_query *q;
    scope from;
    plan *below;
    select_stage stage;
    bool in_aggregate, in_window, no_aggregates;
    bool unfiltered;    /* rows of the tables that are being bound may be taken in spite of WHERE */
    bool as_filter;     /* the next expression is a conjunct of WHERE: null is as good as false */
    const char *clause; /* where no aggregate may stand: "WHERE" */
    /* GROUP BY */
    const expr **keys;
    uint32_t n_keys, cap_keys;
    uint32_t *key_places; /* of each expression of GROUP BY: its key */
    aggregate *aggregates;
    uint32_t n_aggregates, cap_aggregates;
    /* what subqueries added to the groups */
    struct attachment *attached;
    uint32_t n_attached, cap_attached;
    /* windows */
    window_call *windows; /* over window_inputs, by their places there */
    uint32_t n_windows, cap_windows;
    const expr **window_inputs;
    uint32_t n_window_inputs, cap_window_inputs;
    /* the select list, for aliases */
    sql_item *items;
    uint32_t n_items, cap_items;
    const expr **bound;  /* of items; NULL: not yet */
    bool arrival;        /* QUALIFY was arrival_rank, which is done with */
    uint32_t n_on;       /* expressions of DISTINCT ON */
    uint32_t *on_at;     /* their places in the list */
    uint32_t windows_at; /* where the windows' columns begin in the plan */
    bool aliases;        /* names that no column has may be aliases */
    uint32_t alias_depth;
    const struct lambda_scope *lambdas; /* whose bodies are being bound */
} selecting;

nrw_status query_fail(const binder *b, size_t at, nrw_error *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Puts the place before an error that a lower layer set; one that has a place keeps it. */
nrw_status bind_at(const binder *b, size_t at, nrw_status st, nrw_error *err);

nrw_status bind_query(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err);
nrw_status bind_select(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err);
nrw_status bind_values(binder *b, const sql_exprs *rows, uint32_t n_rows, frame *in, plan **out,
                       nrw_error *err);
/* Conditions that were pulled out of a subquery, over the columns of its plan and, above
 * OUTER_BASE, over outer ones. */
typedef struct conjuncts {
    const expr **at;
    uint32_t n, cap;
} conjuncts;
/* Adds what e, taken apart at its ANDs, comes to; what all branches of an OR ask for comes out. */
nrw_status conjuncts_split(arena *a, const expr *e, conjuncts *out, nrw_error *err);
/* The inner joins of *p in the order of their sizes, where equalities connect them (*done); c, over
 * the columns of *p, then has their conditions, too. */
nrw_status plan_order_joins(arena *a, plan **p, conjuncts *c, bool *done, nrw_error *err);
/* The part of the rows that a condition keeps: a guess by its form. */
double expr_kept(const expr *e);
/* The part of a scan's rows that its conditions keep. */
typedef struct part_kept {
    double told;    /* by those whose columns have bounds, as if values lay evenly between them */
    double guessed; /* by the others */
    double named;   /* of guessed: by equalities with columns whose number of values is known */
} part_kept;
/* What is told and named by conditions on one column also makes columns[] less; NULL: it is not
 * asked for. */
nrw_status scan_kept(arena *a, const sql_catalog *c, const plan_estimate *e, part_kept *out,
                     double *columns, nrw_error *err);
/* As `named` of that: what a condition over e's columns leaves. *column: the one that it looks at
 * alone, UINT32_MAX: there is none. */
double expr_named(const plan_estimate *e, const expr *on, uint32_t *column);
/* Whether the order of rows of p's right or left side is seen, where that of p's rows is as `seen`
 * says. */
bool plan_sees(const plan *p, bool right, bool seen);
/* NRW_E_ARG: it is not that simple. `lone`: what counts the rows of nothing is seen to. */
nrw_status plan_pull(arena *a, plan **p, bool lone, conjuncts *up, nrw_error *err);
bool expr_looks_out(const expr *e);
bool plan_looks_out(const plan *p);
/* Calls see() for every expression of a plan that may look outside. */
void plan_see(const plan *p, void (*see)(void *self, const expr *e), void *self);
/* *p once more, the columns of its expressions replaced by number(self, c); and as it is, for its
 * rows to be made twice. */
nrw_status plan_renumbered(arena *a, const plan *p, uint32_t (*number)(void *self, uint32_t c),
                           void *self, plan **out, nrw_error *err);
nrw_status plan_copy(arena *a, const plan *p, plan **out, nrw_error *err);
/* A column of what is outside of f, as it is called inside; NULL: it cannot be had there. */
nrw_status frame_ref(arena *a, frame *f, const expr *theirs, const expr **out, nrw_error *err);
/* A plan bound in frame `from`, used in `to`, which is it or one further inside. */
nrw_status frame_lift(arena *a, const frame *from, frame *to, plan **p, nrw_error *err);
/* Joins what was attached to what is below. */
nrw_status join_attached(selecting *s, attachment *x, nrw_error *err);
/* x = y: its nulls never count. */
bool pulled_is_equality(const expr *e);
/* Of p's columns a row each: their names and types; what their values are like. */
nrw_status plan_described(arena *a, const plan *p, plan **out, nrw_error *err);
nrw_status plan_summarized(arena *a, plan *p, plan **out, nrw_error *err);
/* QUALIFY arrival_rank(x, ..) OVER (PARTITION BY g, ..) <= n, the one form of it there is: its rows
 * are taken while they come. */
nrw_status bind_arrival(selecting *s, nrw_error *err);
/* 2 in GROUP BY and ORDER BY is the second of n items. 0: e is something else. */
nrw_status bind_position(selecting *s, const sql_expr *e, uint32_t n, uint32_t *out,
                         nrw_error *err);
typedef struct ordering {
    sort_order *at;
    uint32_t n;
    const expr **hidden; /* expressions behind the list's, that order alone */
    uint32_t n_hidden, cap_hidden;
} ordering;
nrw_status bind_orders(selecting *s, ordering *o, nrw_error *err);
/* p in order, cut by LIMIT and OFFSET. */
nrw_status bind_limits(selecting *s, const sql_query *q, plan *p, sort_order *orders, uint32_t n,
                       plan **out, nrw_error *err);
/* UINT64_MAX: no limit. */
nrw_status plan_sorted(arena *a, plan *p, sort_order *orders, uint32_t n, uint64_t limit,
                       uint64_t offset, plan **out, nrw_error *err);
/* ORDER BY over a result of n columns: by position or by a column. */
nrw_status order_column(selecting *s, const sql_expr *e, uint32_t n, uint32_t *out, nrw_error *err);
nrw_status bind_join(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err);
nrw_status bind_from(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err);
/* The table that f names, by a name, a path or read_parquet(); the query calls it `table`. */
nrw_status bind_table(selecting *s, const sql_from *f, span table, sql_table **out, nrw_error *err);
bool from_reads_files(const sql_from *f);
nrw_status bind_expr(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
nrw_status bind_boolean(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
nrw_status bind_call(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
nrw_status bind_column(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
/* GROUP BY's keys; then, all else being bound, the group. */
nrw_status bind_keys(selecting *s, nrw_error *err);
nrw_status plan_groups(selecting *s, nrw_error *err);
nrw_status bind_grouping(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
/* A parameter of a lambda around; NULL: it is none. */
nrw_status bind_lambda_param(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
nrw_status bind_lambda_call(selecting *s, const sql_expr *e, const char *name, const expr **out,
                            nrw_error *err);
bool has_aggregate(const selecting *s, const sql_expr *e);
bool aggregate_is_span(span name);
/* Whether an aggregate's columns are all those of queries around, whose aggregate it is then. */
bool aggregate_is_outside(const selecting *s, const sql_expr *e);
nrw_status bind_subquery(selecting *s, const sql_expr *e, const expr **out, nrw_error *err);
/* A column of the scope as it would be written. */
nrw_status star_column(selecting *s, const scope_column *c, size_t at, sql_expr **out,
                       nrw_error *err);
/* The places in the scope of the columns that a star stands for. */
nrw_status star_places(selecting *s, const sql_expr *star, uint32_t **out, uint32_t *n,
                       nrw_error *err);
int32_t name_in(const sql_names *names, span name); /* -1: it is not there */
/* An expression that stands for several, one for each of n columns. */
typedef struct columns_choice {
    bool there;           /* else the expression is one */
    bool pattern;         /* * LIKE ..: stands for the columns themselves */
    const sql_expr *star; /* that or COLUMNS(..) */
    uint32_t *at, n;      /* places in the scope */
} columns_choice;
nrw_status columns_choose(selecting *s, const sql_expr *e, columns_choice *out, nrw_error *err);
nrw_status columns_put(selecting *s, const columns_choice *c, sql_expr *e, uint32_t i,
                       sql_expr **out, nrw_error *err); /* e for column i of them */
nrw_status columns_name(selecting *s, const columns_choice *c, const sql_item *item, uint32_t i,
                        span *out, nrw_error *err);
/* Stars in items become the columns they stand for, as further items. */
nrw_status bind_stars(selecting *s, const sql_query *q, nrw_error *err);
/* Where columns of a scope come from, by a name. -1: none; an ambiguous one is an error. */
nrw_status scope_find(const binder *b, const scope *sc, const sql_names *path, size_t at,
                      uint32_t *used, int32_t *found, nrw_error *err);
/* The same of one name, behind that of a table or (NULL) alone: exact matches go before others. */
nrw_status scope_named(const binder *b, const scope *sc, const sql_name *table, sql_name name,
                       size_t at, int32_t *found, nrw_error *err);
nrw_status scope_add(arena *a, scope *sc, scope_column c, nrw_error *err);

/* left and right joined; the condition is over both. */
nrw_status plan_join(arena *a, join_kind kind, plan *left, plan *right, const expr *on, plan **out,
                     nrw_error *err);
nrw_status plan_project(arena *a, plan *left, const expr **exprs, const span *names, uint32_t n,
                        plan **out, nrw_error *err);
nrw_status plan_filter(arena *a, plan *left, const expr *condition, plan **out, nrw_error *err);
nrw_status plan_one_row(arena *a, plan **out, nrw_error *err); /* without columns */
/* The first n columns of p. */
nrw_status plan_first_columns(arena *a, plan *p, uint32_t n, plan **out, nrw_error *err);
nrw_status plan_union(arena *a, plan *l, plan *r, plan **out, nrw_error *err);
/* One window function, whose column stands behind those of left. */
/* Orders by columns that are the partition's, or stood before, tell nothing more and go. */
nrw_status plan_window_orders(arena *a, window_call *w, nrw_error *err);
nrw_status plan_window(arena *a, plan *left, const window_call *call, plan **out, nrw_error *err);
/* Columns of p, cast to `types`. */
nrw_status plan_cast(arena *a, plan *p, const type *types, plan **out, nrw_error *err);
/* Keys and what aggregates look at, both over p, are computed; then p is grouped. */
nrw_status plan_grouped(arena *a, plan *p, const expr *const *keys, uint32_t n_keys,
                        aggregate *aggregates, uint32_t n_aggregates, plan **out, nrw_error *err);
nrw_status expr_and(arena *a, const expr *x, const expr *y, const expr **out, nrw_error *err);
nrw_status expr_or(arena *a, const expr *x, const expr *y, const expr **out, nrw_error *err);
nrw_status expr_not(arena *a, const expr *x, const expr **out, nrw_error *err);
/* An equality that no join takes for a key; everything else as it is. */
nrw_status expr_not_a_key(arena *a, const expr *e, const expr **out, nrw_error *err);
/* DISTINCT: all columns as keys. */
nrw_status plan_distinct(arena *a, plan *p, plan **out, nrw_error *err);

/* A failure that says nothing about what was bound: it is passed on, whatever else is tried where
 * binding fails. */
static inline nrw_status only_memory(nrw_status st, const nrw_error *failure, nrw_error *err)
{
    if (st != NRW_E_NOMEM && st != NRW_E_MEMLIMIT)
        return NRW_OK;
    if (err)
        *err = *failure;
    return st;
}

#endif
