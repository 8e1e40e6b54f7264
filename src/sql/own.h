/* What the files of this folder share: tokens, the parser's place among them, and its parts. */
#ifndef SQL_OWN_H
#define SQL_OWN_H

#include "base/buffer.h"
#include "expr/keyword.h"
#include "sql/parse.h"

/* ---- text to tokens (lex.c) ---- */
typedef enum sql_token_kind {
    SQL_TOKEN_END,
    SQL_TOKEN_WORD,   /* bare: a name or a keyword */
    SQL_TOKEN_QUOTED, /* a name in double quotes */
    SQL_TOKEN_STRING,
    SQL_TOKEN_BLOB,   /* x'..': the digits */
    SQL_TOKEN_NUMBER, /* as typed */
    SQL_TOKEN_PARAM,  /* $name, $1, ?: without the $, empty for ? */
    SQL_TOKEN_SIGN    /* an operator or a single character */
} sql_token_kind;

typedef struct sql_token {
    sql_token_kind kind;
    size_t at, end; /* bytes of the query */
    span text;      /* without quotes, escapes resolved */
} sql_token;

/* Levels of binding, loosest first: an infix operator takes operands of higher ones. */
typedef enum sql_level {
    SQL_LEVEL_ALL,
    SQL_LEVEL_ARROW,
    SQL_LEVEL_OR,
    SQL_LEVEL_AND,
    SQL_LEVEL_NOT,
    SQL_LEVEL_IS,
    SQL_LEVEL_DISTINCT,
    SQL_LEVEL_COMPARE,
    SQL_LEVEL_IN, /* BETWEEN, LIKE */
    SQL_LEVEL_OTHER,
    SQL_LEVEL_BITS,
    SQL_LEVEL_ADD,
    SQL_LEVEL_MULTIPLY,
    SQL_LEVEL_POWER,
    SQL_LEVEL_COLLATE,
    SQL_LEVEL_ZONE
} sql_level;

/* A text as tokens, and how far it was read. */
typedef struct sql_parser {
    arena *a;
    span text;
    sql_token *tokens; /* the last one is END */
    uint32_t n, i;
    uint32_t depth; /* levels of the text that are open */
    uint32_t high;  /* the greatest height of what was closed in the query at hand */
    sql_level most; /* the highest level that may follow: behind IS NULL there is no + */
    uint32_t n_open;
    sql_window **open; /* windows whose names are looked up where their select ends */
} sql_parser;

nrw_status sql_lex(sql_parser *p, nrw_error *err) NRW_CHECKED;

/* ---- moving on (parse.c) ---- */
/* The token k places ahead; END behind the end. */
const sql_token *sql_peek(const sql_parser *p, uint32_t k);
/* Whether it is this keyword (given in lower case) or sign. */
bool sql_word_at(const sql_parser *p, uint32_t k, const char *word);
bool sql_sign_at(const sql_parser *p, uint32_t k, const char *sign);
bool sql_words_at(const sql_parser *p, const char *first, const char *second);
/* Takes it if it is the next token. */
bool sql_take_word(sql_parser *p, const char *word);
bool sql_take_words(sql_parser *p, const char *first, const char *second);
bool sql_take_sign(sql_parser *p, const char *sign);
/* Takes it, or says that it was expected. */
nrw_status sql_want_word(sql_parser *p, const char *word, nrw_error *err) NRW_CHECKED;
nrw_status sql_want_sign(sql_parser *p, const char *sign, nrw_error *err) NRW_CHECKED;
/* "expected WHAT, found ..." at the next token. */
nrw_status sql_expected(const sql_parser *p, const char *what, nrw_error *err);
nrw_status sql_fail_at(const sql_parser *p, size_t at, nrw_error *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Around everything that may contain itself. */
nrw_status sql_enter(sql_parser *p, nrw_error *err) NRW_CHECKED;
void sql_leave(sql_parser *p);

/* Where a name stands decides which keywords it may be. */
typedef enum sql_place {
    SQL_PLACE_COLUMN,  /* columns, tables, aliases behind AS of tables, parameters */
    SQL_PLACE_LABEL,   /* behind AS and dots: all words */
    SQL_PLACE_FUNCTION /* before a parenthesis */
} sql_place;

bool sql_name_at(const sql_parser *p, uint32_t k, sql_place place);
nrw_status sql_take_name(sql_parser *p, sql_place place, const char *what, sql_name *out,
                         nrw_error *err) NRW_CHECKED;
/* A name or a string in its place. */
nrw_status sql_take_name_or_string(sql_parser *p, sql_place place, const char *what, sql_name *out,
                                   nrw_error *err) NRW_CHECKED;
/* (a, b, ...) of columns. */
nrw_status sql_take_names(sql_parser *p, const char *what, sql_names *out,
                          nrw_error *err) NRW_CHECKED;
/* Behind an item of a list: whether another one follows. A comma before the end is no sign of it.
 */
bool sql_more(sql_parser *p);

/* ---- lists and nodes (build.c) ---- */
/* Room for one more of `size` bytes behind the n at *at; the new one is zero. */
nrw_status sql_push(sql_parser *p, void *at, uint32_t *n, size_t size, void *out,
                    nrw_error *err) NRW_CHECKED;
nrw_status sql_add(sql_parser *p, sql_exprs *list, sql_expr *e, nrw_error *err) NRW_CHECKED;
nrw_status sql_add_name(sql_parser *p, sql_names *list, sql_name name, nrw_error *err) NRW_CHECKED;
sql_name sql_name_of(const char *text, size_t at);
nrw_status sql_new(sql_parser *p, sql_expr_kind kind, size_t at, sql_expr **out,
                   nrw_error *err) NRW_CHECKED;
/* A node of this name over one or two arguments (the second may be NULL), closed. */
nrw_status sql_node(sql_parser *p, sql_expr_kind kind, const char *name, size_t at, sql_expr *first,
                    sql_expr *second, sql_expr **out, nrw_error *err) NRW_CHECKED;
/* Once a node has all its parts: its end and height. */
nrw_status sql_close(sql_parser *p, sql_expr *e, nrw_error *err) NRW_CHECKED;
/* One more level on top of the highest so far (joins, set operations). */
nrw_status sql_rise(sql_parser *p, size_t at, nrw_error *err) NRW_CHECKED;

/* ---- the parts of the grammar ---- */
/* parse_expr.c: an expression whose infix operators are of this level or higher */
nrw_status sql_expr_level(sql_parser *p, sql_level level, sql_expr **out,
                          nrw_error *err) NRW_CHECKED;
nrw_status sql_expr_any(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
/* One expression, at the end of the list. */
nrw_status sql_expr_into(sql_parser *p, sql_exprs *list, nrw_error *err) NRW_CHECKED;
/* Expressions with commas between. */
nrw_status sql_expr_list(sql_parser *p, sql_exprs *out, nrw_error *err) NRW_CHECKED;
/* The same up to a closing parenthesis, which is taken. */
nrw_status sql_expr_arguments(sql_parser *p, sql_exprs *out, nrw_error *err) NRW_CHECKED;
/* parse_predicate.c: what is written as words behind an operand. *took: there was one. */
nrw_status sql_predicate(sql_parser *p, sql_level level, sql_expr **left, bool *took,
                         nrw_error *err) NRW_CHECKED;
nrw_status sql_any_or_all(sql_parser *p, const char *op, sql_expr **left,
                          nrw_error *err) NRW_CHECKED;
/* parse_primary.c: operands without operators around them, and what is in brackets */
nrw_status sql_primary(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
/* parse_nested.c: [..], {..}, MAP {..} */
nrw_status sql_list_literal(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
nrw_status sql_struct_literal(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
nrw_status sql_map_literal(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
/* parse_star.c: * and COLUMNS(..), whose table was read already */
nrw_status sql_star(sql_parser *p, sql_names table, size_t at, sql_expr **out,
                    nrw_error *err) NRW_CHECKED;
nrw_status sql_columns(sql_parser *p, sql_expr **out, nrw_error *err) NRW_CHECKED;
/* parse_call.c: from the opening parenthesis on */
nrw_status sql_call(sql_parser *p, sql_expr *call, nrw_error *err) NRW_CHECKED;
/* parse_special.c: functions with words between their arguments; *took: it was one */
nrw_status sql_special(sql_parser *p, sql_expr **out, bool *took, nrw_error *err) NRW_CHECKED;
/* parse_window.c */
nrw_status sql_over(sql_parser *p, sql_expr *call, nrw_error *err) NRW_CHECKED;
nrw_status sql_window_clause(sql_parser *p, sql_query *q, nrw_error *err) NRW_CHECKED;
/* Fills what windows of the select took from its WINDOW clause; q NULL: there is none. */
nrw_status sql_windows_end(sql_parser *p, const sql_query *q, nrw_error *err) NRW_CHECKED;
/* parse_type.c */
nrw_status sql_take_type(sql_parser *p, sql_type *out, nrw_error *err) NRW_CHECKED;
/* Whether a type and a string follow: DATE '2020-01-01'. */
bool sql_typed_literal_at(const sql_parser *p);
/* YEAR of YEARS and so on for the word at hand, or NULL. */
const char *sql_unit_at(const sql_parser *p, uint32_t k);

/* parse_query.c */
/* Whether a query begins k tokens ahead, behind a parenthesis. In parentheses of its own it counts
 * where it goes on behind them: (SELECT ..) UNION ... */
bool sql_query_at(const sql_parser *p, uint32_t k);
nrw_status sql_query_any(sql_parser *p, sql_query **out, nrw_error *err) NRW_CHECKED;
/* SELECT * FROM from. */
nrw_status sql_query_over(sql_parser *p, sql_from *from, sql_query **out,
                          nrw_error *err) NRW_CHECKED;
/* parse_select.c */
nrw_status sql_select(sql_parser *p, sql_query *q, nrw_error *err) NRW_CHECKED;
nrw_status sql_values(sql_parser *p, uint32_t *n_rows, sql_exprs **rows,
                      nrw_error *err) NRW_CHECKED;
bool sql_take_all(sql_parser *p);
nrw_status sql_order_list(sql_parser *p, sql_orders *out, nrw_error *err) NRW_CHECKED;
/* parse_group.c */
nrw_status sql_group_clause(sql_parser *p, sql_group_by *out, nrw_error *err) NRW_CHECKED;
/* parse_from.c */
nrw_status sql_from_list(sql_parser *p, sql_from **out, nrw_error *err) NRW_CHECKED;
nrw_status sql_table_path(sql_parser *p, sql_from **out, nrw_error *err) NRW_CHECKED;
nrw_status sql_from_new(sql_parser *p, sql_from_kind kind, size_t at, sql_from **out,
                        nrw_error *err) NRW_CHECKED;
/* parse_statement.c */
nrw_status sql_statement_next(sql_parser *p, sql_statement *out, nrw_error *err) NRW_CHECKED;
/* parse_copy.c: behind the word COPY */
nrw_status sql_copy_statement(sql_parser *p, sql_statement *out, nrw_error *err) NRW_CHECKED;

/* ---- trees to text (print_*.c) ---- */
nrw_status sql_print(bytes *b, const sql_expr *e, nrw_error *err) NRW_CHECKED;
/* As sql_print_expr, columns with their path: two of the same text are the same expression. */
nrw_status sql_print_whole(arena *a, const sql_expr *e, span *out, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_query(bytes *b, const sql_query *q, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_call(bytes *b, const sql_expr *e, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_star(bytes *b, const sql_expr *e, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_list(bytes *b, const sql_exprs *list, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_order(bytes *b, const sql_orders *o, nrw_error *err) NRW_CHECKED;
/* In double quotes where it is no plain name or a keyword. */
nrw_status sql_print_name(bytes *b, span name, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_path(bytes *b, const sql_names *path, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_names(bytes *b, const sql_names *names, nrw_error *err) NRW_CHECKED;
nrw_status sql_print_text(bytes *b, const char *text, nrw_error *err) NRW_CHECKED;

#endif
