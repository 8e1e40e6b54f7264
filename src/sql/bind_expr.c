/* Expressions: what the parser made, with names looked up. */
#include "sql/bind_own.h"

#include <stdio.h>

nrw_status query_fail(const binder *b, size_t at, nrw_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    nrw_status st = sql_vfail(b->in->text, at, err, fmt, ap);
    va_end(ap);
    return st;
}

nrw_status bind_at(const binder *b, size_t at, nrw_status st, nrw_error *err)
{
    char text[sizeof err->message];

    if (st != NRW_E_ARG || !err || sql_has_place(err->message))
        return st;
    memcpy(text, err->message, sizeof text);
    return sql_fail(b->in->text, at, err, "%s", text);
}

static nrw_status bind_args(selecting *s, const sql_exprs *list, const expr ***out, nrw_error *err)
{
    TRY(arena_alloc(s->b->a, list->n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < list->n; i++)
        TRY(bind_expr(s, list->at[i], &(*out)[i], err));
    return NRW_OK;
}

/* A function of the expressions' layer over the arguments of e. */
static nrw_status call(selecting *s, const sql_expr *e, const char *name, const expr **out,
                       nrw_error *err)
{
    const expr **args;

    TRY(bind_args(s, &e->args, &args, err));
    return bind_at(s->b, e->at, expr_call(s->b->a, name, args, NULL, e->args.n, out, err), err);
}

static nrw_status negate(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    if (!e->negate)
        return NRW_OK;
    return bind_at(s->b, e->at, expr_not(s->b->a, *out, out, err), err);
}

nrw_status bind_boolean(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);

    TRY(bind_expr(s, e, out, err));
    return bind_at(s->b, e->at, expr_cast(s->b->a, *out, &boolean, false, out, err), err);
}

/* ---- columns ---- */

/* The group key that is this column of the rows. */
static nrw_status key_of(selecting *s, const sql_expr *e, const expr *row_expr, const expr **out,
                         nrw_error *err)
{
    for (uint32_t k = 0; k < s->n_keys; k++)
        if (expr_equal(s->keys[k], row_expr))
            return expr_column(s->b->a, k, &s->keys[k]->type, out, err);
    return query_fail(s->b, e->at, err,
                      "column %.*s must be in GROUP BY or inside of an aggregate function",
                      (int)e->names.at[e->names.n - 1].text.len,
                      (const char *)e->names.at[e->names.n - 1].text.data);
}

/* A column of the query around: remembered, and a number of its own here. */
static nrw_status outer_column(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *theirs;
    nrw_error not_found = NRW_ERROR_INIT;
    nrw_status st;

    *out = NULL;
    if (!s->frame)
        return NRW_OK;
    st = bind_column(s->frame->outer, e, &theirs, &not_found);
    if (st < 0)
        return only_memory(st, &not_found, err);
    return frame_ref(s->b->a, s->frame, theirs, out, err);
}

/* Names behind the column are fields of a struct. */
static nrw_status fields(selecting *s, const sql_expr *e, uint32_t used, const expr **out,
                         nrw_error *err)
{
    for (uint32_t i = used; i < e->names.n; i++) {
        const expr *args[2] = {*out, NULL};
        TRY(expr_text(s->b->a, e->names.at[i].text, &args[1], err));
        TRY(bind_at(s->b, e->at, expr_call(s->b->a, "struct_extract", args, NULL, 2, out, err),
                    err));
    }
    return NRW_OK;
}

static nrw_status bind_alias(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    *out = NULL;
    if (!s->aliases || e->names.n != 1 || s->alias_depth > 100)
        return NRW_OK;
    for (uint32_t i = 0; i < s->n_items; i++) {
        nrw_status st;
        if (!s->items[i].alias.text.len || !span_alike(s->items[i].alias.text, e->names.at[0].text))
            continue;
        if (s->items[i].expr == e)
            continue;
        s->alias_depth++;
        st = bind_expr(s, s->items[i].expr, out, err);
        s->alias_depth--;
        return st;
    }
    return NRW_OK;
}

static nrw_status unknown(selecting *s, const sql_expr *e, nrw_error *err)
{
    char list[160] = "";
    size_t n = 0;
    span name = e->names.at[e->names.n - 1].text;

    for (uint32_t i = 0; i < s->from.n && n + 40 < sizeof list; i++)
        if (!s->from.at[i].hidden)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", n ? ", " : "",
                                  (int)size_min(s->from.at[i].name.len, 32),
                                  (const char *)s->from.at[i].name.data);
    return query_fail(s->b, e->at, err, "there is no column %.*s%s%s%s", (int)name.len,
                      (const char *)name.data, n ? " (there is " : "", list, n ? ")" : "");
}

nrw_status bind_column(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    int32_t found;
    uint32_t used = 1;

    TRY(bind_lambda_param(s, e, out, err));
    if (*out)
        return fields(s, e, 1, out, err);
    if (e->place) {
        found = (int32_t)e->place - 1;
        used = e->names.n;
    } else {
        TRY(scope_find(s->b, &s->from, &e->names, e->at, &used, &found, err));
    }
    if (found >= 0) {
        const scope_column *c = &s->from.at[found];
        TRY(expr_column(s->b->a, c->column, &c->type, out, err));
        if (s->stage == STAGE_GROUPS && !s->in_aggregate) {
            if (used < e->names.n) { /* the whole path may be a key */
                const expr *whole = *out;
                TRY(fields(s, e, used, &whole, err));
                for (uint32_t k = 0; k < s->n_keys; k++)
                    if (expr_equal(s->keys[k], whole))
                        return expr_column(s->b->a, k, &s->keys[k]->type, out, err);
            }
            TRY(key_of(s, e, *out, out, err));
        }
        return fields(s, e, used, out, err);
    }
    TRY(bind_alias(s, e, out, err));
    if (*out)
        return NRW_OK;
    TRY(outer_column(s, e, out, err));
    if (*out)
        return NRW_OK;
    return unknown(s, e, err);
}

/* ---- forms ---- */

static nrw_status bind_literal(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;

    switch (e->literal) {
    case SQL_NULL: return expr_null(a, out, err);
    case SQL_TRUE:
    case SQL_FALSE: return expr_bool(a, e->literal == SQL_TRUE, out, err);
    case SQL_NUMBER: return bind_at(s->b, e->at, expr_number(a, e->text, out, err), err);
    case SQL_BLOB: return expr_blob(a, e->text, out, err);
    default: return expr_text(a, e->text, out, err);
    }
}

static nrw_status bind_param(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    for (uint32_t i = 0; i < s->b->in->n_params; i++)
        if (span_equal(s->b->in->params[i].name, e->name.text))
            return expr_text(s->b->a, s->b->in->params[i].value, out, err);
    return query_fail(s->b, e->at, err, "there is no value for $%.*s; give --param %.*s=VALUE",
                      (int)e->name.text.len, (const char *)e->name.text.data, (int)e->name.text.len,
                      (const char *)e->name.text.data);
}

static nrw_status chars(arena *a, span s, char **out, nrw_error *err)
{
    return arena_strndup(a, (const char *)s.data, s.len, out, err);
}

/* a AND b AND c, left to right. */
static nrw_status bind_logic(selecting *s, const sql_expr *e, const char *name, const expr **out,
                             nrw_error *err)
{
    const expr *next;

    TRY(bind_boolean(s, e->args.at[0], out, err));
    for (uint32_t i = 1; i < e->args.n; i++) {
        TRY(bind_boolean(s, e->args.at[i], &next, err));
        const expr *both[2] = {*out, next};
        TRY(bind_at(s->b, e->at, expr_call(s->b->a, name, both, NULL, 2, out, err), err));
    }
    return NRW_OK;
}

static nrw_status bind_between(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr **x, *low, *high;
    arena *a = s->b->a;

    TRY(bind_args(s, &e->args, &x, err));
    TRY(bind_at(s->b, e->at, expr_call(a, ">=", (const expr *[]){x[0], x[1]}, NULL, 2, &low, err),
                err));
    TRY(bind_at(s->b, e->at, expr_call(a, "<=", (const expr *[]){x[0], x[2]}, NULL, 2, &high, err),
                err));
    TRY(expr_and(a, low, high, out, err));
    return negate(s, e, out, err);
}

static nrw_status bind_is_true(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *args[2];

    TRY(bind_boolean(s, e->args.at[0], &args[0], err));
    TRY(expr_bool(s->b->a, e->literal == SQL_TRUE, &args[1], err));
    return bind_at(s->b, e->at,
                   expr_call(s->b->a, e->negate ? "is distinct from" : "is not distinct from", args,
                             NULL, 2, out, err),
                   err);
}

/* CASE x WHEN v ...: x = v. */
static nrw_status bind_case(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    uint32_t n = e->args.n, from = 0, k = 0;
    bool simple = e->operand;
    const expr **args, *operand = NULL;

    TRY(arena_alloc(s->b->a, (n + 2) * sizeof *args, (void **)&args, err));
    if (simple)
        TRY(bind_expr(s, e->args.at[from++], &operand, err));
    for (; from + 1 < n; from += 2) {
        if (simple) {
            const expr *pair[2] = {operand, NULL};
            TRY(bind_expr(s, e->args.at[from], &pair[1], err));
            TRY(bind_at(s->b, e->at, expr_call(s->b->a, "=", pair, NULL, 2, &args[k++], err), err));
        } else {
            TRY(bind_boolean(s, e->args.at[from], &args[k++], err));
        }
        TRY(bind_expr(s, e->args.at[from + 1], &args[k++], err));
    }
    if (from < n)
        TRY(bind_expr(s, e->args.at[from], &args[k++], err));
    else
        TRY(expr_null(s->b->a, &args[k++], err));
    return bind_at(s->b, e->at, expr_call(s->b->a, "case", args, NULL, k, out, err), err);
}

/* A type as written. */
static nrw_status bind_type(binder *b, const sql_type *w, type *out, nrw_error *err)
{
    bool list = span_is(w->name, "LIST"), map = span_is(w->name, "MAP");
    field *f;
    char *name;

    if (!w->n_children) {
        TRY(chars(b->a, w->name, &name, err));
        TRY(bind_at(b, w->at, type_parse(name, out, err), err));
        if (out->id == TYPE_INTERVAL)
            *out = type_interval(UNIT_US);
        return NRW_OK;
    }
    if (!list && !map && !span_is(w->name, "STRUCT"))
        return query_fail(b, w->at, err, "the type %.*s is not supported", (int)w->text.len,
                          (const char *)w->text.data);
    TRY(arena_alloc(b->a, w->n_children * sizeof *f, (void **)&f, err));
    for (uint32_t i = 0; i < w->n_children; i++) {
        TRY(bind_type(b, &w->children[i], &f[i].type, err));
        TRY(chars(b->a,
                  list  ? span_of("item")
                  : map ? (i ? span_of("value") : span_of("key"))
                        : w->fields.at[i].text,
                  &name, err));
        f[i].name = name;
        f[i].nullable = !map || i > 0;
        f[i].field_id = -1;
    }
    *out = type_nested(list ? TYPE_LIST : map ? TYPE_MAP : TYPE_STRUCT, f, w->n_children);
    return NRW_OK;
}

static nrw_status bind_cast(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    type t;

    TRY(bind_expr(s, e->args.at[0], out, err));
    TRY(bind_type(s->b, &e->type, &t, err));
    return bind_at(s->b, e->at, expr_cast(s->b->a, *out, &t, e->try, out, err), err);
}

/* INTERVAL 3 DAY is to_days(3); INTERVAL '1 day 2 hours' is a cast. */
static nrw_status bind_interval(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const type t = type_interval(UNIT_US);
    const expr *x;
    char name[40];
    size_t n = e->name.text.len;

    TRY(bind_expr(s, e->args.at[0], &x, err));
    if (!n)
        return bind_at(s->b, e->at, expr_cast(s->b->a, x, &t, false, out, err), err);
    if (n > 30)
        return query_fail(s->b, e->at, err, "this unit of an interval is not known");
    n -= (e->name.text.data[n - 1] | 0x20) == 's'; /* days are a day */
    snprintf(name, sizeof name, "to_%.*ss", (int)n, (const char *)e->name.text.data);
    return bind_at(s->b, e->at, expr_call(s->b->a, name, &x, NULL, 1, out, err), err);
}

static nrw_status bind_extract(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *args[2];

    TRY(expr_text(s->b->a, e->name.text, &args[0], err));
    TRY(bind_expr(s, e->args.at[0], &args[1], err));
    return bind_at(s->b, e->at, expr_call(s->b->a, "date_part", args, NULL, 2, out, err), err);
}

static nrw_status bind_struct(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr **args;
    span *names;

    TRY(bind_args(s, &e->args, &args, err));
    TRY(arena_alloc(s->b->a, e->names.n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t i = 0; i < e->names.n; i++)
        names[i] = e->names.at[i].text;
    return bind_at(s->b, e->at, expr_call(s->b->a, "struct_pack", args, names, e->args.n, out, err),
                   err);
}

static nrw_status bind_slice(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *args[3];

    for (uint32_t i = 0; i < 3; i++)
        if (i < e->args.n && e->args.at[i])
            TRY(bind_expr(s, e->args.at[i], &args[i], err));
        else
            TRY(expr_null(s->b->a, &args[i], err));
    return bind_at(s->b, e->at, expr_call(s->b->a, "array_slice", args, NULL, 3, out, err), err);
}

static nrw_status bind_field(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *args[2];

    TRY(bind_expr(s, e->args.at[0], &args[0], err));
    TRY(expr_text(s->b->a, e->name.text, &args[1], err));
    return bind_at(s->b, e->at, expr_call(s->b->a, "struct_extract", args, NULL, 2, out, err), err);
}

static nrw_status bind_like(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const char *name =
        e->args.n > 2 ? (e->no_case ? "ilike_escape" : "like_escape") : (e->no_case ? "~~*" : "~~");

    TRY(call(s, e, name, out, err));
    return negate(s, e, out, err);
}

static nrw_status bind_compare(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    char *name;

    TRY(chars(s->b->a, e->name.text, &name, err));
    return call(s, e, name, out, err);
}

static nrw_status bind_form(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    switch (e->kind) {
    case SQL_EXPR_LITERAL: return bind_literal(s, e, out, err);
    case SQL_EXPR_PARAM: return bind_param(s, e, out, err);
    case SQL_EXPR_COLUMN: return bind_column(s, e, out, err);
    case SQL_EXPR_CALL: return bind_call(s, e, out, err);
    case SQL_EXPR_AND: return bind_logic(s, e, "and", out, err);
    case SQL_EXPR_OR: return bind_logic(s, e, "or", out, err);
    case SQL_EXPR_NOT:
        TRY(bind_boolean(s, e->args.at[0], out, err));
        return bind_at(s->b, e->at, expr_not(s->b->a, *out, out, err), err);
    case SQL_EXPR_COMPARE: return bind_compare(s, e, out, err);
    case SQL_EXPR_BETWEEN: return bind_between(s, e, out, err);
    case SQL_EXPR_IN:
        if (e->query)
            return bind_subquery(s, e, out, err);
        TRY(call(s, e, "in", out, err));
        return negate(s, e, out, err);
    case SQL_EXPR_LIKE: return bind_like(s, e, out, err);
    case SQL_EXPR_IS_NULL: return call(s, e, e->negate ? "is not null" : "is null", out, err);
    case SQL_EXPR_IS_TRUE: return bind_is_true(s, e, out, err);
    case SQL_EXPR_CASE: return bind_case(s, e, out, err);
    case SQL_EXPR_CAST: return bind_cast(s, e, out, err);
    case SQL_EXPR_INTERVAL: return bind_interval(s, e, out, err);
    case SQL_EXPR_EXTRACT: return bind_extract(s, e, out, err);
    case SQL_EXPR_SUBQUERY:
    case SQL_EXPR_EXISTS:
    case SQL_EXPR_ANY:
    case SQL_EXPR_ARRAY: return bind_subquery(s, e, out, err);
    case SQL_EXPR_ROW: return call(s, e, "row", out, err);
    case SQL_EXPR_LIST: return call(s, e, "list_value", out, err);
    case SQL_EXPR_STRUCT: return bind_struct(s, e, out, err);
    case SQL_EXPR_MAP: return call(s, e, "map", out, err);
    case SQL_EXPR_INDEX: return call(s, e, "array_extract", out, err);
    case SQL_EXPR_SLICE: return bind_slice(s, e, out, err);
    case SQL_EXPR_FIELD: return bind_field(s, e, out, err);
    case SQL_EXPR_POSITION:
        return query_fail(s->b, e->at, err,
                          "a column by its number stands in ORDER BY and GROUP BY alone");
    case SQL_EXPR_STAR: return query_fail(s->b, e->at, err, "* cannot stand here");
    case SQL_EXPR_LAMBDA: return query_fail(s->b, e->at, err, "lambda functions are not supported");
    case SQL_EXPR_COLLATE:
        return query_fail(s->b, e->at, err, "collations are not supported: text compares by bytes");
    }
    return query_fail(s->b, e->at, err, "this is not supported");
}

/* Over groups an expression that is a key is that key, whatever it is made of. */
static nrw_status bind_as_key(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    nrw_error ignored = NRW_ERROR_INIT;
    selecting rows;
    nrw_status st;

    *out = NULL;
    if (s->stage != STAGE_GROUPS || s->in_aggregate || e->kind == SQL_EXPR_LITERAL ||
        e->kind == SQL_EXPR_SUBQUERY || e->kind == SQL_EXPR_EXISTS || e->query)
        return NRW_OK;
    rows = *s;
    rows.stage = STAGE_ROWS;
    rows.no_aggregates = true;
    rows.clause = "GROUP BY";
    st = bind_form(&rows, e, out, &ignored);
    if (st < 0 || rows.below != s->below) {
        *out = NULL;
        return only_memory(st, &ignored, err);
    }
    for (uint32_t k = 0; k < s->n_keys; k++)
        if (expr_equal(s->keys[k], *out))
            return expr_column(s->b->a, k, &s->keys[k]->type, out, err);
    *out = NULL;
    return NRW_OK;
}

nrw_status bind_expr(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    nrw_status st;

    if (++s->b->depth > SQL_MAX_DEPTH) {
        s->b->depth--;
        return query_fail(s->b, e->at, err, "an expression is nested too deeply");
    }
    st = bind_as_key(s, e, out, err);
    if (st >= 0 && !*out)
        st = bind_form(s, e, out, err);
    s->b->depth--;
    return st;
}
