/* FROM: tables, files, functions, queries, and their joins. */
#include "sql/own.h"

static nrw_status table(sql_parser *p, sql_from **out, nrw_error *err);
static nrw_status joins(sql_parser *p, sql_from **left, nrw_error *err);

nrw_status sql_from_new(sql_parser *p, sql_from_kind kind, size_t at, sql_from **out,
                        nrw_error *err)
{
    TRY(arena_alloc(p->a, sizeof **out, (void **)out, err));
    (*out)->kind = kind;
    (*out)->at = at;
    return NRW_OK;
}

/* ---- one table ---- */

static nrw_status alias(sql_parser *p, sql_from *f, nrw_error *err)
{
    if (sql_take_word(p, "as"))
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a name", &f->alias, err));
    else if (sql_name_at(p, 0, SQL_PLACE_COLUMN))
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a name", &f->alias, err));
    else
        return NRW_OK;
    return sql_sign_at(p, 0, "(") ? sql_take_names(p, "a column", &f->column_aliases, err) : NRW_OK;
}

nrw_status sql_table_path(sql_parser *p, sql_from **out, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);
    sql_name name;

    TRY(sql_from_new(p, SQL_FROM_TABLE, t->at, out, err));
    (*out)->is_file = t->kind == SQL_TOKEN_STRING;
    TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a table", &name, err));
    TRY(sql_add_name(p, &(*out)->path, name, err));
    while (!(*out)->is_file && sql_take_sign(p, ".")) {
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "a table", &name, err));
        TRY(sql_add_name(p, &(*out)->path, name, err));
    }
    return NRW_OK;
}

/* Arguments of table functions may be named with =, too. */
static nrw_status name_arguments(sql_parser *p, sql_expr *call, nrw_error *err)
{
    sql_names names = {0};
    bool any = false;

    for (uint32_t i = 0; i < call->args.n; i++) {
        sql_expr *e = call->args.at[i];
        sql_name name = call->arg_names.n ? call->arg_names.at[i] : (sql_name){0};
        if (!name.text.len && e->kind == SQL_EXPR_COMPARE && span_is(e->name.text, "=") &&
            e->args.at[0]->kind == SQL_EXPR_COLUMN && e->args.at[0]->names.n == 1) {
            name = e->args.at[0]->names.at[0];
            call->args.at[i] = e->args.at[1];
        }
        any |= name.text.len > 0;
        TRY(sql_add_name(p, &names, name, err));
    }
    if (any)
        call->arg_names = names;
    return NRW_OK;
}

static nrw_status function(sql_parser *p, sql_from **out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    sql_expr *call;

    TRY(sql_from_new(p, SQL_FROM_FUNCTION, at, out, err));
    TRY(sql_new(p, SQL_EXPR_CALL, at, &call, err));
    TRY(sql_take_name(p, SQL_PLACE_FUNCTION, "a function", &call->name, err));
    TRY(sql_call(p, call, err));
    TRY(name_arguments(p, call, err));
    (*out)->call = call;
    if (sql_words_at(p, "with", "ordinality"))
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "WITH ORDINALITY is not supported");
    return NRW_OK;
}

/* (SELECT ..), (VALUES ..) or a join in parentheses. */
static nrw_status parentheses(sql_parser *p, sql_from **out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    sql_query *q;

    p->i++;
    if (!sql_query_at(p, 0)) {
        TRY(table(p, out, err));
        TRY(joins(p, out, err));
        TRY(sql_want_sign(p, ")", err));
        return NRW_OK;
    }
    TRY(sql_query_any(p, &q, err));
    TRY(sql_want_sign(p, ")", err));
    TRY(sql_from_new(p,
                     q->n_rows && !q->order_by.n && !q->limit && !q->offset && !q->n_with
                         ? SQL_FROM_VALUES
                         : SQL_FROM_QUERY,
                     at, out, err));
    (*out)->n_rows = q->n_rows;
    (*out)->rows = q->rows;
    (*out)->query = (*out)->kind == SQL_FROM_QUERY ? q : NULL;
    return NRW_OK;
}

static nrw_status unsupported(const sql_parser *p, nrw_error *err)
{
    static const char *const words[] = {"tablesample", "pivot", "unpivot"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sql_word_at(p, 0, words[i]))
            return sql_fail_at(p, sql_peek(p, 0)->at, err, "%s is not supported", words[i]);
    return NRW_OK;
}

/* An alias behind parentheses that hold a table with an alias, or a join, names the whole. */
static nrw_status alias_outside(sql_parser *p, sql_from **f, nrw_error *err)
{
    sql_from *inside = *f;
    sql_query *q;

    if (!sql_word_at(p, 0, "as") && !sql_name_at(p, 0, SQL_PLACE_COLUMN))
        return NRW_OK;
    if (inside->kind == SQL_FROM_JOIN || inside->alias.text.len) {
        TRY(sql_query_over(p, inside, &q, err));
        TRY(sql_from_new(p, SQL_FROM_QUERY, inside->at, f, err));
        (*f)->query = q;
        TRY(sql_rise(p, inside->at, err));
        q->height = p->high;
    }
    return alias(p, *f, err);
}

static nrw_status one_table(sql_parser *p, sql_from **out, nrw_error *err)
{
    bool lateral = sql_take_word(p, "lateral");
    sql_name before = {0};

    if (sql_name_at(p, 0, SQL_PLACE_COLUMN) && sql_sign_at(p, 1, ":")) {
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a name", &before, err));
        p->i++;
    }
    if (sql_sign_at(p, 0, "(")) {
        TRY(parentheses(p, out, err));
        TRY(alias_outside(p, out, err));
    } else {
        if (sql_name_at(p, 0, SQL_PLACE_FUNCTION) && sql_sign_at(p, 1, "("))
            TRY(function(p, out, err));
        else
            TRY(sql_table_path(p, out, err));
        TRY(alias(p, *out, err));
    }
    (*out)->lateral = lateral;
    if (before.text.len)
        (*out)->alias = before;
    return unsupported(p, err);
}

static nrw_status table(sql_parser *p, sql_from **out, nrw_error *err)
{
    TRY(sql_enter(p, err));
    if (sql_word_at(p, 0, "values") && sql_sign_at(p, 1, "(")) {
        TRY(sql_from_new(p, SQL_FROM_VALUES, sql_peek(p, 0)->at, out, err));
        p->i++;
        TRY(sql_values(p, &(*out)->n_rows, &(*out)->rows, err));
        TRY(alias(p, *out, err));
    } else {
        TRY(one_table(p, out, err));
    }
    sql_leave(p);
    return NRW_OK;
}

/* ---- joins ---- */

static const struct {
    const char *word;
    sql_join_kind kind;
    bool may_be_outer;
} kinds[] = {{"inner", SQL_JOIN_INNER, false}, {"left", SQL_JOIN_LEFT, true},
             {"right", SQL_JOIN_RIGHT, true},  {"full", SQL_JOIN_FULL, true},
             {"semi", SQL_JOIN_SEMI, false},   {"anti", SQL_JOIN_ANTI, false}};

/* JOIN BY (TYPE semi) */
static nrw_status join_by(sql_parser *p, sql_from *j, nrw_error *err)
{
    const sql_token *t;

    TRY(sql_want_sign(p, "(", err));
    TRY(sql_want_word(p, "type", err));
    t = sql_peek(p, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sql_take_word(p, kinds[i].word)) {
            j->join = kinds[i].kind;
            return sql_want_sign(p, ")", err);
        }
    return sql_fail_at(p, t->at, err,
                       "%.*s is no type of JOIN BY; INNER, LEFT, RIGHT, FULL, SEMI "
                       "and ANTI are",
                       (int)size_min(t->text.len, 40), (const char *)t->text.data);
}

/* The words in front of JOIN; *took: they were there, and JOIN is taken, too. */
static nrw_status join_words(sql_parser *p, sql_from *j, bool *took, nrw_error *err)
{
    uint32_t from = p->i;

    j->join = SQL_JOIN_INNER;
    j->natural = sql_take_word(p, "natural");
    j->asof = !j->natural && sql_take_word(p, "asof");
    if (sql_take_word(p, "cross"))
        j->join = SQL_JOIN_CROSS;
    else if (sql_take_word(p, "positional"))
        j->join = SQL_JOIN_POSITIONAL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sql_take_word(p, kinds[i].word)) {
            j->join = kinds[i].kind;
            if (kinds[i].may_be_outer)
                sql_take_word(p, "outer");
            break;
        }
    *took = sql_take_word(p, "join");
    if (*took && sql_take_word(p, "by"))
        return join_by(p, j, err);
    if (!*took && p->i > from)
        return sql_expected(p, "JOIN", err);
    return NRW_OK;
}

static bool has_condition(const sql_from *j)
{
    return !j->natural && j->join != SQL_JOIN_CROSS && j->join != SQL_JOIN_POSITIONAL;
}

static nrw_status using(sql_parser *p, sql_from *j, nrw_error *err)
{
    TRY(sql_want_sign(p, "(", err));
    do {
        sql_name name;
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a column", &name, err));
        TRY(sql_add_name(p, &j->using, name, err));
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

/* What is joined, and on what: a JOIN b JOIN c ON y ON x joins b and c first. */
static nrw_status joined(sql_parser *p, sql_from *j, nrw_error *err)
{
    TRY(table(p, &j->right, err));
    if (!has_condition(j))
        return NRW_OK;
    if (!sql_word_at(p, 0, "on") && !sql_word_at(p, 0, "using"))
        TRY(joins(p, &j->right, err));
    if (sql_take_word(p, "on"))
        return sql_expr_any(p, &j->on, err);
    return sql_take_word(p, "using") ? using(p, j, err) : sql_expected(p, "ON or USING", err);
}

static nrw_status joins(sql_parser *p, sql_from **left, nrw_error *err)
{
    bool took = true;
    sql_from j;

    TRY(sql_enter(p, err));
    for (;;) {
        j = (sql_from){.kind = SQL_FROM_JOIN, .at = sql_peek(p, 0)->at, .left = *left};
        TRY(join_words(p, &j, &took, err));
        if (!took)
            break;
        TRY(joined(p, &j, err));
        TRY(sql_rise(p, j.at, err));
        TRY(sql_from_new(p, SQL_FROM_JOIN, j.at, left, err));
        **left = j;
        TRY(unsupported(p, err));
    }
    sql_leave(p);
    return NRW_OK;
}

nrw_status sql_from_list(sql_parser *p, sql_from **out, nrw_error *err)
{
    sql_from *left = NULL, *right;

    do {
        TRY(table(p, &right, err));
        TRY(joins(p, &right, err));
        *out = right;
        if (left) {
            TRY(sql_rise(p, right->at, err));
            TRY(sql_from_new(p, SQL_FROM_JOIN, left->at, out, err));
            (*out)->join = SQL_JOIN_CROSS;
            (*out)->comma = true;
            (*out)->left = left;
            (*out)->right = right;
        }
        left = *out;
    } while (sql_more(p));
    return NRW_OK;
}
