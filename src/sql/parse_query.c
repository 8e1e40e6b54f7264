/* Queries: WITH, set operations and their precedence, ORDER BY and LIMIT. */
#include "sql/own.h"

/* ---- what begins a query ---- */

static bool begins_query(const sql_parser *p, uint32_t k)
{
    static const char *const words[] = {"select",    "with", "from",  "table",  "describe",
                                        "summarize", "show", "pivot", "unpivot"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sql_word_at(p, k, words[i]))
            return true;
    return sql_word_at(p, k, "values") && sql_sign_at(p, k + 1, "(");
}

static bool goes_on(const sql_parser *p, uint32_t k)
{
    static const char *const words[] = {"union", "intersect", "except", "order", "limit", "offset"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sql_word_at(p, k, words[i]))
            return true;
    return false;
}

bool sql_query_at(const sql_parser *p, uint32_t k)
{
    uint32_t inside = k, depth = 0;

    while (sql_sign_at(p, inside, "("))
        inside++;
    if (!begins_query(p, inside) || inside == k)
        return inside == k && begins_query(p, k);
    do {
        depth += sql_sign_at(p, k, "(");
        depth -= sql_sign_at(p, k, ")");
        if (sql_peek(p, k++)->kind == SQL_TOKEN_END)
            return false;
    } while (depth);
    return goes_on(p, k);
}

/* ---- WITH ---- */

static nrw_status materialized(sql_parser *p, sql_with *w, nrw_error *err)
{
    w->not_materialized = sql_take_word(p, "not");
    if (w->not_materialized)
        return sql_want_word(p, "materialized", err);
    w->materialized = sql_take_word(p, "materialized");
    return NRW_OK;
}

static nrw_status with_one(sql_parser *p, sql_with *w, nrw_error *err)
{
    TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a name", &w->name, err));
    if (sql_sign_at(p, 0, "("))
        TRY(sql_take_names(p, "a column", &w->columns, err));
    if (sql_words_at(p, "using", "key"))
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "USING KEY is not supported");
    TRY(sql_want_word(p, "as", err));
    TRY(materialized(p, w, err));
    TRY(sql_want_sign(p, "(", err));
    TRY(sql_query_any(p, &w->query, err));
    return sql_want_sign(p, ")", err);
}

static nrw_status with_clause(sql_parser *p, uint32_t *n, sql_with **with, nrw_error *err)
{
    sql_with *w;
    bool recursive = sql_take_word(p, "recursive");

    do {
        sql_with one = {.recursive = recursive};
        TRY(with_one(p, &one, err));
        for (uint32_t i = 0; i < *n; i++)
            if (span_alike((*with)[i].name.text, one.name.text))
                return sql_fail_at(p, one.name.at, err, "WITH has the name %.*s twice",
                                   (int)size_min(one.name.text.len, 60),
                                   (const char *)one.name.text.data);
        TRY(sql_push(p, with, n, sizeof one, &w, err));
        *w = one;
    } while (sql_more(p));
    return NRW_OK;
}

/* ---- operands of set operations ---- */

static nrw_status new_query(sql_parser *p, size_t at, sql_query **out, nrw_error *err)
{
    TRY(arena_alloc(p->a, sizeof **out, (void **)out, err));
    (*out)->at = at;
    return NRW_OK;
}

nrw_status sql_query_over(sql_parser *p, sql_from *from, sql_query **out, nrw_error *err)
{
    TRY(new_query(p, from->at, out, err));
    (*out)->from = from;
    return NRW_OK;
}

static nrw_status table_query(sql_parser *p, sql_query **out, nrw_error *err)
{
    sql_from *from;

    p->i++;
    TRY(sql_table_path(p, &from, err));
    return sql_query_over(p, from, out, err);
}

static nrw_status atom(sql_parser *p, sql_query **out, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);

    if (sql_take_sign(p, "(")) {
        TRY(sql_query_any(p, out, err));
        return sql_want_sign(p, ")", err);
    }
    if (sql_word_at(p, 0, "table"))
        return table_query(p, out, err);
    TRY(new_query(p, t->at, out, err));
    if (sql_take_word(p, "values"))
        return sql_values(p, &(*out)->n_rows, &(*out)->rows, err);
    if (sql_word_at(p, 0, "select") || sql_word_at(p, 0, "from"))
        return sql_select(p, *out, err);
    if (begins_query(p, 0) && !sql_word_at(p, 0, "with"))
        return sql_fail_at(p, t->at, err, "%.*s is not supported inside a query", (int)t->text.len,
                           (const char *)t->text.data);
    return sql_expected(p, "a query", err);
}

/* ---- set operations ---- */

static nrw_status combine(sql_parser *p, sql_set_kind kind, sql_query **left,
                          nrw_status (*operand)(sql_parser *, sql_query **, nrw_error *),
                          nrw_error *err)
{
    sql_query *q;

    TRY(sql_rise(p, sql_peek(p, 0)->at, err));
    TRY(new_query(p, (*left)->at, &q, err));
    q->set = kind;
    p->i++;
    q->set_all = sql_take_word(p, "all");
    if (!q->set_all)
        sql_take_word(p, "distinct");
    q->by_name = sql_take_words(p, "by", "name");
    q->left = *left;
    TRY(operand(p, &q->right, err));
    *left = q;
    return NRW_OK;
}

/* INTERSECT binds tighter than UNION and EXCEPT. */
static nrw_status intersections(sql_parser *p, sql_query **out, nrw_error *err)
{
    TRY(atom(p, out, err));
    while (sql_word_at(p, 0, "intersect"))
        TRY(combine(p, SQL_SET_INTERSECT, out, atom, err));
    return NRW_OK;
}

static nrw_status unions(sql_parser *p, sql_query **out, nrw_error *err)
{
    TRY(intersections(p, out, err));
    for (;;) {
        if (sql_word_at(p, 0, "union"))
            TRY(combine(p, SQL_SET_UNION, out, intersections, err));
        else if (sql_word_at(p, 0, "except"))
            TRY(combine(p, SQL_SET_EXCEPT, out, intersections, err));
        else
            return NRW_OK;
    }
}

/* ---- ORDER BY, LIMIT ---- */

static nrw_status limit(sql_parser *p, sql_query *q, nrw_error *err)
{
    if (sql_take_word(p, "all"))
        return NRW_OK;
    TRY(sql_expr_any(p, &q->limit, err));
    q->limit_percent = sql_take_sign(p, "%") || sql_take_word(p, "percent");
    return NRW_OK;
}

static nrw_status offset(sql_parser *p, sql_query *q, nrw_error *err)
{
    TRY(sql_expr_any(p, &q->offset, err));
    if (!sql_take_word(p, "rows"))
        sql_take_word(p, "row");
    return NRW_OK;
}

static nrw_status limits(sql_parser *p, sql_query *q, nrw_error *err)
{
    bool limited = false, moved = false;

    for (;;) {
        if (!limited && sql_take_word(p, "limit")) {
            TRY(limit(p, q, err));
            limited = true;
        } else if (!moved && sql_take_word(p, "offset")) {
            TRY(offset(p, q, err));
            moved = true;
        } else if (sql_word_at(p, 0, "fetch")) {
            return sql_fail_at(p, sql_peek(p, 0)->at, err, "FETCH is not supported; LIMIT is");
        } else {
            return NRW_OK;
        }
    }
}

/* Whether what is to be put on a query in parentheses has no place there. */
static bool is_closed(const sql_parser *p, const sql_query *q, bool with)
{
    bool limited = q->limit || q->offset;

    if (with || sql_word_at(p, 0, "order"))
        return limited || q->n_with || q->order_by.n;
    return limited && goes_on(p, 0);
}

/* SELECT * FROM (q) */
static nrw_status wrap(sql_parser *p, sql_query **q, nrw_error *err)
{
    sql_from *from;

    TRY(sql_from_new(p, SQL_FROM_QUERY, (*q)->at, &from, err));
    from->query = *q;
    return sql_query_over(p, from, q, err);
}

static nrw_status whole(sql_parser *p, sql_query **out, nrw_error *err)
{
    uint32_t n_with = 0;
    sql_with *with = NULL;

    if (sql_take_word(p, "with"))
        TRY(with_clause(p, &n_with, &with, err));
    TRY(unions(p, out, err));
    if (is_closed(p, *out, n_with > 0))
        TRY(wrap(p, out, err));
    if (n_with) {
        (*out)->n_with = n_with;
        (*out)->with = with;
    }
    if (sql_take_words(p, "order", "by"))
        TRY(sql_order_list(p, &(*out)->order_by, err));
    return limits(p, *out, err);
}

nrw_status sql_query_any(sql_parser *p, sql_query **out, nrw_error *err)
{
    uint32_t outside = p->high;
    size_t at = sql_peek(p, 0)->at;

    TRY(sql_enter(p, err));
    p->high = 0;
    TRY(whole(p, out, err));
    sql_leave(p);
    TRY(sql_rise(p, at, err));
    (*out)->height = p->high;
    if (outside > p->high)
        p->high = outside;
    return NRW_OK;
}
