/* COLUMNS(..) and * LIKE '..': which columns an expression is repeated for. */
#include "sql/bind_own.h"

#include <stdio.h>

/* ---- finding ---- */

static bool is_columns(const sql_expr *e)
{
    return e->kind == SQL_EXPR_STAR && e->args.n && !e->unpack;
}

static const sql_expr *find_columns(const sql_expr *e)
{
    const sql_expr *found = is_columns(e) ? e : NULL;

    for (uint32_t i = 0; !found && i < e->args.n; i++)
        found = e->args.at[i] ? find_columns(e->args.at[i]) : NULL;
    return found || !e->filter ? found : find_columns(e->filter);
}

/* A plain * that is compared with a pattern. */
static const sql_expr *find_star(const sql_expr *e)
{
    const sql_expr *first = e->args.n ? e->args.at[0] : NULL;

    if (e->kind == SQL_EXPR_NOT)
        return find_star(first);
    if (e->kind != SQL_EXPR_LIKE && e->kind != SQL_EXPR_CALL)
        return NULL;
    return first && first->kind == SQL_EXPR_STAR && !first->args.n ? first : NULL;
}

/* ---- putting something in its place ---- */

typedef struct putting {
    arena *a;
    const sql_expr *what; /* this star; NULL: columns of the name below, or every COLUMNS */
    span name;
    sql_expr *by;
} putting;

static bool is_it(const putting *p, const sql_expr *e)
{
    if (p->what)
        return e == p->what;
    if (p->name.len)
        return e->kind == SQL_EXPR_COLUMN && e->names.n == 1 &&
               span_alike(e->names.at[0].text, p->name);
    return is_columns(e);
}

static nrw_status put(const putting *p, sql_expr *e, sql_expr **out, nrw_error *err)
{
    sql_expr *copy, **args;

    *out = e && is_it(p, e) ? p->by : e;
    if (!e || *out != e || (!e->args.n && !e->filter))
        return NRW_OK;
    TRY(arena_alloc(p->a, sizeof *copy, (void **)&copy, err));
    TRY(arena_alloc(p->a, e->args.n * sizeof *args + 1, (void **)&args, err));
    *copy = *e;
    for (uint32_t i = 0; i < e->args.n; i++)
        TRY(put(p, e->args.at[i], &args[i], err));
    copy->args.at = args;
    TRY(put(p, e->filter, &copy->filter, err));
    *out = copy;
    return NRW_OK;
}

static nrw_status text_expr(arena *a, span text, size_t at, sql_expr **out, nrw_error *err)
{
    TRY(arena_alloc(a, sizeof **out, (void **)out, err));
    **out = (sql_expr){
        .kind = SQL_EXPR_LITERAL, .literal = SQL_STRING, .text = text, .at = at, .end = at};
    return NRW_OK;
}

/* ---- choosing ---- */

static nrw_status is_true(selecting *s, const sql_expr *e, const expr *x, bool *out, nrw_error *err)
{
    if (!expr_is_constant(x) || x->type.id != TYPE_BOOL)
        return query_fail(s->b, e->at, err, "columns are chosen by constants alone");
    *out = !x->constant->null_count && x->constant->data[0];
    return NRW_OK;
}

/* Whether the column's name passes `test`, where it stands for what `p` says. */
static nrw_status passes(selecting *s, putting *p, span name, sql_expr *test, bool *out,
                         nrw_error *err)
{
    const expr *x;
    sql_expr *e;

    TRY(text_expr(s->b->a, name, test->at, &p->by, err));
    TRY(put(p, test, &e, err));
    TRY(bind_boolean(s, e, &x, err));
    return is_true(s, test, x, out, err);
}

static nrw_status in_list(selecting *s, const sql_expr *list, span name, bool *out, nrw_error *err)
{
    *out = false;
    for (uint32_t i = 0; i < list->args.n; i++) {
        const sql_expr *e = list->args.at[i];
        if (e->kind != SQL_EXPR_LITERAL || e->literal != SQL_STRING)
            return query_fail(s->b, e->at, err, "COLUMNS takes a list of names");
        *out |= span_alike(e->text, name);
    }
    return NRW_OK;
}

static nrw_status matches(selecting *s, const sql_expr *star, span name, bool *out, nrw_error *err)
{
    const expr *args[2], *x;

    TRY(expr_text(s->b->a, name, &args[0], err));
    TRY(expr_text(s->b->a, star->text, &args[1], err));
    TRY(bind_at(s->b, star->at, expr_call(s->b->a, "regexp_matches", args, NULL, 2, &x, err), err));
    return is_true(s, star, x, out, err);
}

static nrw_status chosen(selecting *s, const columns_choice *c, const sql_expr *e, span name,
                         bool *out, nrw_error *err)
{
    const sql_expr *by = c->pattern ? NULL : c->star->args.at[0];
    putting p = {.a = s->b->a, .what = c->star};

    *out = true;
    if (c->pattern)
        return passes(s, &p, name, (sql_expr *)(uintptr_t)e, out, err);
    if (by->kind == SQL_EXPR_STAR)
        return NRW_OK;
    if (by->kind == SQL_EXPR_LITERAL && by->literal == SQL_STRING)
        return matches(s, c->star, name, out, err);
    if (by->kind == SQL_EXPR_LIST)
        return in_list(s, by, name, out, err);
    if (by->kind != SQL_EXPR_LAMBDA || by->names.n != 1)
        return query_fail(s->b, by->at, err,
                          "COLUMNS takes *, a regular expression, a list of names or a lambda");
    p.what = NULL;
    p.name = by->names.at[0].text;
    return passes(s, &p, name, by->args.at[0], out, err);
}

nrw_status columns_choose(selecting *s, const sql_expr *e, columns_choice *out, nrw_error *err)
{
    static const sql_expr all = {.kind = SQL_EXPR_STAR};
    const sql_expr *from = &all;
    uint32_t *at, n;

    *out = (columns_choice){.star = find_columns(e)};
    if (!out->star) {
        out->star = from = find_star(e);
        out->pattern = from != NULL;
    } else if (out->star->args.at[0]->kind == SQL_EXPR_STAR && !out->star->args.at[0]->args.n) {
        from = out->star->args.at[0];
    }
    out->there = out->star != NULL;
    if (!out->there)
        return NRW_OK;
    TRY(star_places(s, from, &at, &n, err));
    out->at = at;
    for (uint32_t i = 0; i < n; i++) {
        bool is;
        TRY(chosen(s, out, e, s->from.at[at[i]].name, &is, err));
        if (is)
            at[out->n++] = at[i];
    }
    return out->n ? NRW_OK
                  : query_fail(s->b, e->at, err, "no column has a name that is asked for here");
}

nrw_status columns_put(selecting *s, const columns_choice *c, sql_expr *e, uint32_t i,
                       sql_expr **out, nrw_error *err)
{
    putting p = {.a = s->b->a};
    const sql_expr *star = c->pattern ? c->star : c->star->args.at[0];
    const scope_column *column = &s->from.at[c->at[i]];
    int32_t replaced = name_in(&star->replace_names, column->name);

    if (replaced >= 0)
        p.by = star->replace.at[replaced];
    else
        TRY(star_column(s, column, c->star->at, &p.by, err));
    if (c->pattern) {
        *out = p.by;
        return NRW_OK;
    }
    return put(&p, e, out, err);
}

/* The regular expression that chose, which an alias may look into; empty: none. */
static span regexp_of(const columns_choice *c, const sql_expr *test)
{
    const sql_expr *by;

    if (!c->pattern)
        return c->star->text;
    by = test && test->kind == SQL_EXPR_CALL && test->args.n == 2 ? test->args.at[1] : NULL;
    return by && by->kind == SQL_EXPR_LITERAL ? by->text : (span){0};
}

nrw_status columns_name(selecting *s, const columns_choice *c, const sql_item *item, uint32_t i,
                        span *out, nrw_error *err)
{
    span alias = item->alias.text, regexp = regexp_of(c, item->expr);
    const scope_column *column = &s->from.at[c->at[i]];
    const expr *args[3], *x;
    char *whole;
    size_t n = regexp.len + 16;

    *out = alias.len ? alias : column->name;
    if (!regexp.len || !alias.len || !memchr(alias.data, '\\', alias.len))
        return NRW_OK;
    TRY(arena_alloc(s->b->a, n, (void **)&whole, err));
    snprintf(whole, n, "^.*?(?:%.*s).*$", (int)regexp.len, (const char *)regexp.data);
    TRY(expr_text(s->b->a, column->name, &args[0], err));
    TRY(expr_text(s->b->a, span_of(whole), &args[1], err));
    TRY(expr_text(s->b->a, alias, &args[2], err));
    TRY(bind_at(s->b, c->star->at, expr_call(s->b->a, "regexp_replace", args, NULL, 3, &x, err),
                err));
    if (expr_is_constant(x) && !x->constant->null_count)
        *out = flat_span(x->constant, 0);
    return NRW_OK;
}
