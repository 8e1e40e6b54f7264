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
    bool descending, ascending;   /* as written; neither is ascending */
    bool nulls_first, nulls_last; /* DuckDB's default is last, whatever the direction */
} sql_order;

typedef struct sql_orders {
    uint32_t n;
    sql_order *at;
    bool all; /* ORDER BY ALL: at[0] has the direction alone */
} sql_orders;

/* A type as written. Words of the grammar have one spelling (int: INTEGER, real: FLOAT), other
 * names stay as typed. */
typedef struct sql_type {
    size_t at;
    span text; /* all of it as DuckDB prints it, STRUCT(a INTEGER, "b c" json[]); not of children */
    span name; /* with what is in its parentheses, as column/type.h's type_parse takes it:
                  DECIMAL(10, 2), TIMESTAMP WITH TIME ZONE; LIST, STRUCT, UNION or MAP */
    span size; /* LIST: of INTEGER[3] the 3 */
    sql_names fields; /* STRUCT, UNION: the names of the children */
    uint32_t n_children;
    struct sql_type *children;
} sql_type;

typedef enum sql_literal {
    SQL_NULL,
    SQL_TRUE,
    SQL_FALSE,
    SQL_NUMBER, /* digits with or without point and exponent, underscores removed; no sign; as
                   typed: name.text */
    SQL_STRING,
    SQL_BLOB /* x'..': its bytes; the digits: name.text */
} sql_literal;

typedef enum sql_expr_kind {
    SQL_EXPR_LITERAL,
    SQL_EXPR_PARAM,    /* $name, $1 or ? : name.text */
    SQL_EXPR_POSITION, /* #1: name.text is the number of a column */
    SQL_EXPR_COLUMN,   /* path: table.column, column.field ... as typed; the binder sorts it out */
    SQL_EXPR_STAR,     /* [table.]* [EXCLUDE ..] [REPLACE ..] [RENAME ..]; COLUMNS(x): args[0] is x,
                          which may be a STAR, a LAMBDA, a list; of a string: text */
    SQL_EXPR_CALL,     /* [names.]name(args): functions, aggregates, windows; operators too: "+",
                          "||". names: a schema or a column, x.f(y) may be f(x, y) */
    SQL_EXPR_AND,      /* args */
    SQL_EXPR_OR,       /* args */
    SQL_EXPR_NOT,      /* args[0] */
    SQL_EXPR_COMPARE,  /* args[0] name args[1]: = <> < <= > >= and IS [NOT] DISTINCT FROM */
    SQL_EXPR_BETWEEN,  /* args[0] between args[1] and args[2]; negate */
    SQL_EXPR_IN,       /* args[0] in args[1..]; or in query; negate */
    SQL_EXPR_LIKE,     /* args[0] like args[1] [escape args[2]]; ilike: no_case; negate */
    SQL_EXPR_IS_NULL,  /* args[0]; negate */
    SQL_EXPR_IS_TRUE,  /* args[0] is true / false (literal); negate */
    SQL_EXPR_CASE, /* args: [operand,] when, then, when, then ..., [else]; operand: it is there */
    SQL_EXPR_CAST, /* args[0] to type; try */
    SQL_EXPR_INTERVAL, /* INTERVAL '1' DAY: args[0], name is the unit, as DAY; INTERVAL '1 day':
                          none */
    SQL_EXPR_EXTRACT,  /* EXTRACT(name FROM args[0]); words of the grammar as YEAR, MONTH ... */
    SQL_EXPR_SUBQUERY, /* (SELECT ..): one value */
    SQL_EXPR_EXISTS,   /* query; negate */
    SQL_EXPR_ANY,      /* args[0] name ANY (query), or of a list, args[1]; negate: ALL */
    SQL_EXPR_ARRAY,    /* ARRAY(query): its column as a list */
    SQL_EXPR_ROW,      /* (a, b) or ROW(a, b) */
    SQL_EXPR_LIST,     /* [a, b]; is_operator: ARRAY[a, b], the same printed otherwise */
    SQL_EXPR_STRUCT,   /* {'a': x, 'b': y}: names and args */
    SQL_EXPR_MAP,      /* MAP {k: v}: args in pairs */
    SQL_EXPR_INDEX,    /* args[0][args[1]] */
    SQL_EXPR_SLICE,    /* args[0][args[1]:args[2]:args[3]]; what is missing is a NULL pointer */
    SQL_EXPR_FIELD,    /* (args[0]).name */
    SQL_EXPR_LAMBDA,   /* names -> args[0] */
    SQL_EXPR_COLLATE   /* args[0] COLLATE names, with dots between */
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

typedef enum sql_exclude {
    SQL_EXCLUDE_NONE,
    SQL_EXCLUDE_CURRENT,
    SQL_EXCLUDE_GROUP,
    SQL_EXCLUDE_TIES
} sql_exclude;

/* OVER (..). What it takes from a WINDOW clause is filled in by the parser. */
typedef struct sql_window {
    sql_name name; /* the window it was taken from; empty: none */
    sql_exprs partition_by;
    sql_orders order_by;
    sql_frame_kind frame;
    sql_bound_kind from, to;
    sql_expr *from_offset, *to_offset;
    sql_exclude exclude;
} sql_window;

struct sql_expr {
    sql_expr_kind kind;
    size_t at, end;  /* its text */
    uint32_t height; /* levels of the tree from here, at most SQL_MAX_DEPTH */
    sql_literal literal;
    span text;       /* LITERAL, STAR with COLUMNS('regex') */
    sql_name name;   /* CALL: function or operator; see the kinds */
    uint32_t place;  /* COLUMN that a star stands for: 1 + where it is in the binder's scope */
    sql_names names; /* COLUMN: path; STRUCT: fields; LAMBDA: parameters; STAR: [table] */
    sql_exprs args;
    bool negate, no_case, try, operand;
    sql_type type;    /* CAST */
    sql_query *query; /* IN, SUBQUERY, EXISTS, ANY */
    /* CALL only */
    bool is_operator;    /* written as one: prefix with one argument, infix with two */
    sql_names arg_names; /* f(a := 1): one for each argument, empty of others; n is 0: none */
    bool distinct, star; /* count(DISTINCT x), count(*) */
    bool ignore_nulls;   /* of window functions */
    sql_orders order_by; /* inside: string_agg(x, ',' ORDER BY y); WITHIN GROUP too */
    bool within_group;
    sql_expr *filter; /* FILTER (WHERE ..) */
    sql_window *over;
    /* STAR only */
    bool unpack; /* *COLUMNS(..): its columns as arguments of the call around it */
    sql_names exclude, exclude_tables; /* t.a: its table; empty of those without */
    sql_names replace_names;           /* with replace.at[i] AS replace_names.at[i] */
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
    SQL_JOIN_POSITIONAL
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
    sql_names path;   /* TABLE */
    bool is_file;     /* TABLE: was written in single quotes */
    sql_expr *call;   /* FUNCTION: arguments may also be named with = */
    sql_query *query; /* QUERY */
    uint32_t n_rows;  /* VALUES: each row's expressions */
    sql_exprs *rows;
    sql_name alias;
    sql_names column_aliases;
    /* JOIN */
    sql_join_kind join;
    bool natural, asof, lateral; /* asof: INNER or LEFT and so on */
    sql_from *left, *right;
    bool comma; /* CROSS: written as a comma */
    sql_expr *on;
    sql_names using;
};

/* WITH name(columns) AS (query). */
typedef struct sql_with {
    sql_name name;
    sql_names columns;
    sql_query *query;
    bool recursive, materialized, not_materialized;
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

/* A query: a select (without a list: of *), VALUES, or two queries and a set operation; then ORDER
 * BY and LIMIT. */
struct sql_query {
    size_t at;
    uint32_t height; /* levels of queries, expressions and joins in it, at most SQL_MAX_DEPTH */
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
    SQL_DESCRIBE,  /* of query; of a table: SELECT * FROM it */
    SQL_SUMMARIZE, /* of query */
    SQL_EMPTY
} sql_statement_kind;

/* NAME value: COMPRESSION zstd, PARTITION_BY (a, b). */
typedef struct sql_option {
    sql_name name;
    sql_exprs values;  /* none: the bare word; a word that is a value comes as a COLUMN */
    sql_names aliases; /* one for each value, PARTITION_BY (year(d) AS y), empty of others */
    bool list;         /* in parentheses */
} sql_option;

typedef struct sql_statement {
    sql_statement_kind kind;
    size_t at;
    bool explains; /* EXPLAIN in front of a COPY */
    bool analyze;
    sql_query *query;
    span target; /* COPY */
    uint32_t n_options;
    sql_option *options;
} sql_statement;

#endif
