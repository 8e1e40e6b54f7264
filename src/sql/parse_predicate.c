/* Infix operators written as words: IS, IN, BETWEEN, LIKE and its kin, COLLATE, AT TIME ZONE. */
#include "sql/own.h"

/* ---- IS ---- */

static nrw_status is_distinct(sql_parser *p, bool negated, sql_expr **left, nrw_error *err)
{
    sql_expr *right;

    TRY(sql_want_word(p, "from", err));
    TRY(sql_expr_level(p, SQL_LEVEL_DISTINCT + 1, &right, err));
    return sql_node(p, SQL_EXPR_COMPARE, negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM",
                    (*left)->at, *left, right, left, err);
}

static nrw_status is_null(sql_parser *p, bool negated, sql_expr **left, nrw_error *err)
{
    TRY(sql_node(p, SQL_EXPR_IS_NULL, "is", (*left)->at, *left, NULL, left, err));
    (*left)->negate = negated;
    return NRW_OK;
}

static nrw_status is_true(sql_parser *p, bool negated, sql_literal which, sql_expr **left,
                          nrw_error *err)
{
    TRY(sql_node(p, SQL_EXPR_IS_TRUE, "is", (*left)->at, *left, NULL, left, err));
    (*left)->negate = negated;
    (*left)->literal = which;
    return NRW_OK;
}

static nrw_status is_what(sql_parser *p, sql_level level, sql_expr **left, bool *took,
                          nrw_error *err)
{
    uint32_t from = p->i++;
    bool negated = sql_take_word(p, "not");

    *took = true;
    if (level <= SQL_LEVEL_DISTINCT && sql_take_word(p, "distinct"))
        return is_distinct(p, negated, left, err);
    if (level <= SQL_LEVEL_IS) {
        if (sql_take_word(p, "null") || sql_take_word(p, "unknown"))
            return is_null(p, negated, left, err);
        if (sql_take_word(p, "true"))
            return is_true(p, negated, SQL_TRUE, left, err);
        if (sql_take_word(p, "false"))
            return is_true(p, negated, SQL_FALSE, left, err);
        return sql_expected(p, "NULL, TRUE, FALSE or DISTINCT FROM", err);
    }
    p->i = from;
    *took = false;
    return NRW_OK;
}

/* ---- IN, ANY ---- */

static nrw_status query_in(sql_parser *p, sql_expr *e, nrw_error *err)
{
    TRY(sql_query_any(p, &e->query, err));
    return sql_want_sign(p, ")", err);
}

/* a IN (1, 2), a IN (SELECT ..), a IN list: the last one is contains(list, a). */
static nrw_status in(sql_parser *p, bool negated, sql_expr **left, nrw_error *err)
{
    sql_expr *e, *list;
    size_t at = (*left)->at;

    if (!sql_take_sign(p, "(")) {
        TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &list, err));
        TRY(sql_node(p, SQL_EXPR_CALL, "contains", at, list, *left, left, err));
        return negated ? sql_node(p, SQL_EXPR_NOT, "not", at, *left, NULL, left, err) : NRW_OK;
    }
    TRY(sql_new(p, SQL_EXPR_IN, at, &e, err));
    e->negate = negated;
    TRY(sql_add(p, &e->args, *left, err));
    if (sql_query_at(p, 0))
        TRY(query_in(p, e, err));
    else
        TRY(sql_expr_arguments(p, &e->args, err));
    *left = e;
    return sql_close(p, e, err);
}

nrw_status sql_any_or_all(sql_parser *p, const char *op, sql_expr **left, nrw_error *err)
{
    sql_expr *e;

    TRY(sql_new(p, SQL_EXPR_ANY, (*left)->at, &e, err));
    e->name = sql_name_of(op, sql_peek(p, 0)->at);
    e->negate = sql_word_at(p, 0, "all");
    TRY(sql_add(p, &e->args, *left, err));
    p->i += 2;
    if (sql_query_at(p, 0)) {
        TRY(query_in(p, e, err));
    } else {
        TRY(sql_expr_into(p, &e->args, err));
        TRY(sql_want_sign(p, ")", err));
    }
    *left = e;
    return sql_close(p, e, err);
}

/* ---- BETWEEN, LIKE ---- */

static nrw_status between(sql_parser *p, bool negated, sql_expr **left, nrw_error *err)
{
    sql_expr *e, *bound;

    TRY(sql_new(p, SQL_EXPR_BETWEEN, (*left)->at, &e, err));
    e->negate = negated;
    TRY(sql_add(p, &e->args, *left, err));
    TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &bound, err));
    TRY(sql_add(p, &e->args, bound, err));
    TRY(sql_want_word(p, "and", err));
    TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &bound, err));
    TRY(sql_add(p, &e->args, bound, err));
    *left = e;
    return sql_close(p, e, err);
}

/* What is like LIKE: a word or a sign, and what it stands for. */
typedef struct match {
    const char *word, *sign;
    bool no_case, negate;
    const char *function, *op; /* neither: LIKE itself */
} match;

static const match matches[] = {{"like", "~~", false, false, NULL, NULL},
                                {"ilike", "~~*", true, false, NULL, NULL},
                                {NULL, "!~~", false, true, NULL, NULL},
                                {NULL, "!~~*", true, true, NULL, NULL},
                                {"glob", "~~~", false, false, NULL, "~~~"},
                                {"similar", NULL, false, false, "regexp_full_match", NULL},
                                {NULL, "~", false, false, "regexp_matches", NULL},
                                {NULL, "!~", false, true, "regexp_matches", NULL}};

static const match *match_at(const sql_parser *p, uint32_t k)
{
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++)
        if ((matches[i].word && sql_word_at(p, k, matches[i].word)) ||
            (matches[i].sign && sql_sign_at(p, k, matches[i].sign)))
            return &matches[i];
    return NULL;
}

static nrw_status like(sql_parser *p, const match *m, bool negated, sql_expr **left, nrw_error *err)
{
    sql_expr *pattern, *escape;
    size_t at = (*left)->at;
    bool similar = sql_word_at(p, 0, "similar");

    negated = negated != m->negate;
    p->i++;
    if (similar)
        TRY(sql_want_word(p, "to", err));
    TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &pattern, err));
    if (m->function || m->op) {
        TRY(sql_node(p, SQL_EXPR_CALL, m->op ? m->op : m->function, at, *left, pattern, left, err));
        (*left)->is_operator = m->op != NULL;
        if (sql_word_at(p, 0, "escape"))
            return sql_fail_at(p, sql_peek(p, 0)->at, err, "ESCAPE belongs to LIKE and ILIKE");
        return negated ? sql_node(p, SQL_EXPR_NOT, "not", at, *left, NULL, left, err) : NRW_OK;
    }
    TRY(sql_node(p, SQL_EXPR_LIKE, "like", at, *left, pattern, left, err));
    (*left)->negate = negated;
    (*left)->no_case = m->no_case;
    if (!sql_take_word(p, "escape"))
        return NRW_OK;
    TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, &escape, err));
    TRY(sql_add(p, &(*left)->args, escape, err));
    return sql_close(p, *left, err);
}

/* ---- COLLATE, AT TIME ZONE ---- */

static nrw_status collate(sql_parser *p, sql_expr **left, nrw_error *err)
{
    sql_expr *e;
    sql_name name;

    TRY(sql_new(p, SQL_EXPR_COLLATE, (*left)->at, &e, err));
    do {
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "a collation", &name, err));
        TRY(sql_add_name(p, &e->names, name, err));
    } while (sql_take_sign(p, "."));
    TRY(sql_add(p, &e->args, *left, err));
    *left = e;
    return sql_close(p, e, err);
}

static nrw_status at_time_zone(sql_parser *p, sql_expr **left, nrw_error *err)
{
    sql_expr *zone;

    TRY(sql_want_word(p, "time", err));
    TRY(sql_want_word(p, "zone", err));
    TRY(sql_expr_level(p, SQL_LEVEL_ZONE + 1, &zone, err));
    return sql_node(p, SQL_EXPR_CALL, "timezone", (*left)->at, zone, *left, left, err);
}

/* ---- which it is ---- */

/* [NOT] IN, BETWEEN, LIKE ... */
static nrw_status tested(sql_parser *p, sql_expr **left, bool *took, nrw_error *err)
{
    uint32_t negated = sql_word_at(p, 0, "not");
    const match *m = match_at(p, negated);

    *took = true;
    if (m) {
        p->i += negated;
        TRY(like(p, m, negated, left, err));
    } else if (sql_word_at(p, negated, "in")) {
        p->i += negated + 1;
        TRY(in(p, negated, left, err));
        p->most = SQL_LEVEL_IN;
        return NRW_OK;
    } else if (sql_word_at(p, negated, "between")) {
        p->i += negated + 1;
        TRY(between(p, negated, left, err));
    } else {
        *took = false;
        return NRW_OK;
    }
    p->most = SQL_LEVEL_COMPARE;
    return NRW_OK;
}

/* IS, ISNULL, NOTNULL, NOT NULL. */
static nrw_status is(sql_parser *p, sql_level level, sql_expr **left, bool *took, nrw_error *err)
{
    *took = true;
    if (level <= SQL_LEVEL_DISTINCT && sql_word_at(p, 0, "is"))
        TRY(is_what(p, level, left, took, err));
    else if (level <= SQL_LEVEL_IS && sql_take_word(p, "isnull"))
        TRY(is_null(p, false, left, err));
    else if (level <= SQL_LEVEL_IS &&
             (sql_take_word(p, "notnull") || sql_take_words(p, "not", "null")))
        TRY(is_null(p, true, left, err));
    else
        *took = false;
    if (*took)
        p->most = SQL_LEVEL_COMPARE;
    return NRW_OK;
}

nrw_status sql_predicate(sql_parser *p, sql_level level, sql_expr **left, bool *took,
                         nrw_error *err)
{
    *took = false;
    if (level <= SQL_LEVEL_IN && p->most >= SQL_LEVEL_IN)
        TRY(tested(p, left, took, err));
    if (!*took)
        TRY(is(p, level, left, took, err));
    if (*took)
        return NRW_OK;
    *took = true;
    if (level <= SQL_LEVEL_COLLATE && p->most >= SQL_LEVEL_COLLATE && sql_take_word(p, "collate"))
        return collate(p, left, err);
    if (level <= SQL_LEVEL_ZONE && p->most >= SQL_LEVEL_ZONE && sql_words_at(p, "at", "time")) {
        p->i++;
        return at_time_zone(p, left, err);
    }
    *took = false;
    return NRW_OK;
}
