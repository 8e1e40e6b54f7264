/* A query as it was written: what the parser makes and the binder reads. Names are not looked up
 * and types not known here. Everything lies in the arena of the parse; texts have their quotes and
 * escapes resolved. `at` is a byte of the query's text, for messages.
 *
 * Source: DuckDB's grammar (documentation, "SQL introduction" and "Query syntax"), of which this is
 * a subset. */
#ifndef SQL_AST_H
#define SQL_AST_H

#include "base/arena.h"
#include "base/span.h"

typedef struct sql_expr sql_expr;
typedef struct sql_query sql_query;
typedef struct sql_from sql_from;

/* A name as typed. Quoted ones are taken as they are, others without case where no exact match is.
 */
typedef struct sql_name {
    span text;
    bool quoted;
    size_t at;
} sql_name;

typedef struct sql_names {
    uint32_t n;
    sql_name *at;
} sql_names;

typedef struct sql_exprs {
    uint32_t n;
    sql_expr **at;
} sql_exprs;

typedef struct sql_order {
    sql_expr *by;
    bool descending;
    bool nulls_first; /* DuckDB's default is last, whatever the direction */
} sql_order;

typedef struct sql_orders {
    uint32_t n;
    sql_order *at;
    bool all; /* ORDER BY ALL: at[0] has the direction alone */
} sql_orders;

/* A type as written: DECIMAL(12,2), INTEGER[], STRUCT(a INTEGER). */
typedef struct sql_type {
    span text; /* the whole of it, as column/type.h's type_parse takes it */
    size_t at;
} sql_type;

typedef enum sql_literal {
    SQL_NULL,
    SQL_TRUE,
    SQL_FALSE,
    SQL_NUMBER, /* digits with or without point and exponent, underscores removed; no sign */
    SQL_STRING,
    SQL_BLOB /* x'..' */
} sql_literal;

typedef enum sql_expr_kind {
    SQL_EXPR_LITERAL,
    SQL_EXPR_PARAM,  /* $name, $1 or ? : name.text */
    SQL_EXPR_COLUMN, /* path: table.column, column.field ... as typed; the binder sorts it out */
    SQL_EXPR_STAR,   /* [table.]* [EXCLUDE ..] [REPLACE ..] [RENAME ..]; COLUMNS('regex'): text */
    SQL_EXPR_CALL, /* name(args): functions, aggregates, windows; operators too: "+", "||", "~~" */
    SQL_EXPR_AND,  /* args */
    SQL_EXPR_OR,   /* args */
    SQL_EXPR_NOT,  /* args[0] */
    SQL_EXPR_COMPARE,  /* args[0] name args[1]: = <> < <= > >= and IS [NOT] DISTINCT FROM */
    SQL_EXPR_BETWEEN,  /* args[0] between args[1] and args[2]; negate */
    SQL_EXPR_IN,       /* args[0] in args[1..]; or in query; negate */
    SQL_EXPR_LIKE,     /* args[0] like args[1] [escape args[2]]; ilike: no_case; negate */
    SQL_EXPR_IS_NULL,  /* args[0]; negate */
    SQL_EXPR_IS_TRUE,  /* args[0] is true / false (literal); negate */
    SQL_EXPR_CASE,     /* args: [operand,] when, then, when, then ..., [else] */
    SQL_EXPR_CAST,     /* args[0] to type; try */
    SQL_EXPR_INTERVAL, /* INTERVAL '1' DAY: args[0], name is the unit; INTERVAL '1 day 2 hours': no
                          name */
    SQL_EXPR_EXTRACT,  /* EXTRACT(name FROM args[0]) */
    SQL_EXPR_SUBQUERY, /* (SELECT ..): one value */
    SQL_EXPR_EXISTS,   /* query; negate */
    SQL_EXPR_ANY,      /* args[0] name ANY (query); negate: ALL */
    SQL_EXPR_ROW,      /* (a, b) or ROW(a, b) */
    SQL_EXPR_LIST,     /* [a, b] */
    SQL_EXPR_STRUCT,   /* {'a': x, 'b': y}: names and args */
    SQL_EXPR_MAP,      /* MAP {k: v}: args in pairs */
    SQL_EXPR_INDEX,    /* args[0][args[1]] */
    SQL_EXPR_SLICE,    /* args[0][args[1]:args[2]]; a missing bound is a NULL pointer */
    SQL_EXPR_FIELD,    /* (args[0]).name */
    SQL_EXPR_LAMBDA,   /* names -> args[0] */
    SQL_EXPR_COLLATE   /* args[0] COLLATE name */
} sql_expr_kind;

typedef enum sql_frame_kind {
    SQL_FRAME_NONE,
    SQL_FRAME_ROWS,
    SQL_FRAME_RANGE,
    SQL_FRAME_GROUPS
} sql_frame_kind;

typedef enum sql_bound_kind {
    SQL_BOUND_UNBOUNDED_PRECEDING,
    SQL_BOUND_PRECEDING, /* offset */
    SQL_BOUND_CURRENT,
    SQL_BOUND_FOLLOWING, /* offset */
    SQL_BOUND_UNBOUNDED_FOLLOWING
} sql_bound_kind;

/* OVER (..), a named window, or both. */
typedef struct sql_window {
    sql_name name; /* refers to a WINDOW clause; empty: none */
    sql_exprs partition_by;
    sql_orders order_by;
    sql_frame_kind frame;
    sql_bound_kind from, to;
    sql_expr *from_offset, *to_offset;
} sql_window;

struct sql_expr {
    sql_expr_kind kind;
    size_t at, end; /* its text */
    sql_literal literal;
    span text;       /* LITERAL, STAR with COLUMNS('regex') */
    sql_name name;   /* CALL: function or operator; see the kinds */
    sql_names names; /* COLUMN: path; STRUCT: fields; LAMBDA: parameters; STAR: [table] */
    sql_exprs args;
    bool negate, no_case, try;
    sql_type type;    /* CAST */
    sql_query *query; /* IN, SUBQUERY, EXISTS, ANY */
    /* CALL only */
    bool is_operator;    /* written as one: prefix with one argument, infix with two */
    bool distinct, star; /* count(DISTINCT x), count(*) */
    bool ignore_nulls;   /* of window functions */
    sql_orders order_by; /* inside: string_agg(x, ',' ORDER BY y); WITHIN GROUP too */
    sql_expr *filter;    /* FILTER (WHERE ..) */
    sql_window *over;
    /* STAR only */
    sql_names exclude;
    sql_names replace_names; /* with replace.at[i] AS replace_names.at[i] */
    sql_exprs replace;
    sql_names rename_from, rename_to;
};

/* One item of a select list. */
typedef struct sql_item {
    sql_expr *expr;
    sql_name alias; /* empty: none */
} sql_item;

typedef enum sql_join_kind {
    SQL_JOIN_CROSS,
    SQL_JOIN_INNER,
    SQL_JOIN_LEFT,
    SQL_JOIN_RIGHT,
    SQL_JOIN_FULL,
    SQL_JOIN_SEMI,
    SQL_JOIN_ANTI,
    SQL_JOIN_POSITIONAL,
    SQL_JOIN_ASOF
} sql_join_kind;

typedef enum sql_from_kind {
    SQL_FROM_TABLE,    /* name path: a table, a CTE or 'file.parquet' (quoted, one name) */
    SQL_FROM_FUNCTION, /* read_parquet('x', ..), range(10), unnest(..): call */
    SQL_FROM_QUERY,    /* (SELECT ..) */
    SQL_FROM_VALUES,   /* (VALUES (1, 2), ..) */
    SQL_FROM_JOIN
} sql_from_kind;

struct sql_from {
    sql_from_kind kind;
    size_t at;
    sql_names path;      /* TABLE */
    bool is_file;        /* TABLE: was written in single quotes */
    sql_expr *call;      /* FUNCTION */
    sql_names arg_names; /* FUNCTION: name of named arguments (name = value), empty of others */
    sql_query *query;    /* QUERY */
    uint32_t n_rows;     /* VALUES: each row's expressions */
    sql_exprs *rows;
    sql_name alias;
    sql_names column_aliases;
    /* JOIN */
    sql_join_kind join;
    bool natural, lateral;
    sql_from *left, *right;
    sql_expr *on;
    sql_names using;
};

/* WITH name(columns) AS (query). */
typedef struct sql_with {
    sql_name name;
    sql_names columns;
    sql_query *query;
    bool recursive;
} sql_with;

typedef struct sql_named_window {
    sql_name name;
    sql_window window;
} sql_named_window;

typedef enum sql_set_kind {
    SQL_SET_NONE,
    SQL_SET_UNION,
    SQL_SET_INTERSECT,
    SQL_SET_EXCEPT
} sql_set_kind;

/* GROUP BY: sets of places in `exprs`; plain GROUP BY is one set of all of them. ROLLUP, CUBE and
 * GROUPING SETS come as the sets they stand for. */
typedef struct sql_group_set {
    uint32_t n;
    uint32_t *at;
} sql_group_set;

typedef struct sql_group_by {
    bool there, all; /* GROUP BY ALL */
    sql_exprs exprs;
    uint32_t n_sets;
    sql_group_set *sets;
} sql_group_by;

/* A query: a select, VALUES, or two queries and a set operation; then ORDER BY and LIMIT. */
struct sql_query {
    size_t at;
    uint32_t n_with;
    sql_with *with;

    sql_set_kind set; /* left set right; then nothing of the select below is there */
    bool set_all, by_name;
    sql_query *left, *right;

    bool distinct;
    sql_exprs distinct_on;
    uint32_t n_items;
    sql_item *items;
    sql_from *from; /* NULL: one row without columns */
    sql_expr *where;
    sql_group_by group_by;
    sql_expr *having;
    uint32_t n_windows;
    sql_named_window *windows;
    sql_expr *qualify;
    uint32_t n_rows; /* VALUES as a query of its own: its rows; n_items is 0 */
    sql_exprs *rows;

    sql_orders order_by;
    sql_expr *limit, *offset;
    bool limit_percent;
};

typedef enum sql_statement_kind {
    SQL_SELECT,
    SQL_COPY,      /* COPY (query) TO 'target' (options) */
    SQL_EXPLAIN,   /* of query or copy */
    SQL_DESCRIBE,  /* of query */
    SQL_SUMMARIZE, /* of query */
    SQL_EMPTY
} sql_statement_kind;

/* NAME value: COMPRESSION zstd, PARTITION_BY (a, b). */
typedef struct sql_option {
    sql_name name;
    sql_exprs values; /* none: the bare word */
    bool list;        /* in parentheses */
} sql_option;

typedef struct sql_statement {
    sql_statement_kind kind;
    bool explains; /* EXPLAIN in front of a COPY */
    bool analyze;
    sql_query *query;
    span target; /* COPY */
    uint32_t n_options;
    sql_option *options;
} sql_statement;

#endif
