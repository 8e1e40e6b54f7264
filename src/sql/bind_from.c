/* FROM: tables and subqueries. */
#include "sql/bind_own.h"

#include <stdio.h>

nrw_status scope_add(arena *a, scope *sc, scope_column c, nrw_error *err)
{
    LIST_ADD(a, sc->at, sc->n, sc->cap, c, err);
    return NRW_OK;
}

nrw_status scope_named(const binder *b, const scope *sc, const sql_name *table, sql_name name,
                       size_t at, int32_t *found, nrw_error *err)
{
    bool exact = false, twice = false;

    *found = -1;
    for (uint32_t i = 0; i < sc->n; i++) {
        const scope_column *c = &sc->at[i];
        bool now = span_equal(name.text, c->name);
        if (!span_alike(name.text, c->name) || (!table && c->hidden) ||
            (table && !span_alike(table->text, c->table)))
            continue;
        if (*found >= 0 && exact == now)
            twice = true;
        if (*found < 0 || (now && !exact)) {
            *found = (int32_t)i;
            exact = now;
            twice = false;
        }
    }
    if (twice)
        return query_fail(b, at, err,
                          "column %.*s is in several tables; name the table, as in %.*s.%.*s",
                          (int)name.text.len, (const char *)name.text.data,
                          (int)sc->at[*found].table.len, (const char *)sc->at[*found].table.data,
                          (int)name.text.len, (const char *)name.text.data);
    return NRW_OK;
}

nrw_status scope_find(const binder *b, const scope *sc, const sql_names *path, size_t at,
                      uint32_t *used, int32_t *found, nrw_error *err)
{
    *found = -1;
    if (path->n > 1) {
        *used = 2;
        TRY(scope_named(b, sc, &path->at[0], path->at[1], at, found, err));
        if (*found >= 0)
            return NRW_OK;
    }
    *used = 1;
    return scope_named(b, sc, NULL, path->at[0], at, found, err);
}

static bool taken(const scope *sc, uint32_t from, span name)
{
    for (uint32_t i = from; i < sc->n; i++)
        if (span_alike(sc->at[i].name, name))
            return true;
    return false;
}

/* A name that an earlier column from `from` on has gets _1, _2 and so on. */
static nrw_status told_apart(arena *a, const scope *sc, uint32_t from, span *name, nrw_error *err)
{
    span was = *name;
    size_t cap = was.len + 16;
    char *text;

    for (uint32_t k = 1; taken(sc, from, *name); k++) {
        TRY(arena_alloc(a, cap, (void **)&text, err));
        snprintf(text, cap, "%.*s_%u", (int)was.len, (const char *)was.data, k);
        *name = span_of(text);
    }
    return NRW_OK;
}

/* All columns of p under one table name, with other names where `aliases` has some. Files keep
 * names that come twice. */
static nrw_status add_table(selecting *s, scope *sc, const plan *p, const sql_from *f, span table,
                            nrw_error *err)
{
    const sql_names *aliases = &f->column_aliases;
    uint32_t from = sc->n;

    if (aliases->n > p->n)
        return query_fail(s->b, f->at, err, "%u column names for %u columns", aliases->n, p->n);
    for (uint32_t c = 0; c < p->n; c++) {
        span name = c < aliases->n ? aliases->at[c].text : p->columns[c].name;
        if (p->kind != PLAN_SCAN)
            TRY(told_apart(s->b->a, sc, from, &name, err));
        TRY(scope_add(s->b->a, sc, (scope_column){table, name, p->columns[c].type, c, false}, err));
    }
    return NRW_OK;
}

static nrw_status scan_table(selecting *s, const sql_from *f, span table, plan **out,
                             nrw_error *err)
{
    binder *b = s->b;
    sql_table *t;
    plan *p;

    TRY(bind_table(s, f, table, &t, err));
    TRY(plan_new(b->a, PLAN_SCAN, t->schema.n_fields, NULL, NULL, &p, err));
    TRY(arena_alloc(b->a, p->n * sizeof *p->table_columns + 1, (void **)&p->table_columns, err));
    p->table = t;
    for (uint32_t c = 0; c < p->n; c++) {
        p->table_columns[c] = c;
        p->columns[c] = (plan_column){span_of(t->schema.fields[c].name), t->schema.fields[c].type};
    }
    *out = p;
    return NRW_OK;
}

static nrw_status bind_cte(selecting *s, const sql_from *f, const cte *c, plan **out,
                           nrw_error *err)
{
    binder inner = *s->b;
    const sql_names *names = &c->with->columns;

    if (c->with->recursive)
        return query_fail(s->b, f->at, err, "WITH RECURSIVE is not supported");
    inner.ctes = c->before;
    TRY(bind_query(&inner, c->with->query, c->frame, out, err));
    if (c->frame != s->frame)
        TRY(frame_lift(s->b->a, c->frame, s->frame, out, err));
    if (names->n > (*out)->n)
        return query_fail(s->b, f->at, err, "%u column names for %u columns", names->n, (*out)->n);
    if (names->n) { /* the plan may be shared by nobody: its names are its own */
        for (uint32_t i = 0; i < names->n; i++)
            (*out)->columns[i].name = names->at[i].text;
    }
    return NRW_OK;
}

/* range(n) */
static nrw_status bind_function(selecting *s, const sql_from *f, plan **out, nrw_error *err)
{
    const sql_expr *call = f->call;
    bool range = span_is_word(call->name.text, "range");
    const expr *args[3] = {0};
    int64_t x[3] = {0, 0, 1};

    if (!range && !span_is_word(call->name.text, "generate_series"))
        return query_fail(s->b, f->at, err, "the table function %.*s is not supported",
                          (int)call->name.text.len, (const char *)call->name.text.data);
    if (call->args.n < 1 || call->args.n > 3)
        return query_fail(s->b, f->at, err, "range takes one to three numbers");
    for (uint32_t i = 0; i < call->args.n; i++) {
        const type bigint = type_of(TYPE_INT64);
        TRY(bind_expr(s, call->args.at[i], &args[i], err));
        TRY(expr_cast(s->b->a, args[i], &bigint, false, &args[i], err));
        if (!expr_is_constant(args[i]) || args[i]->constant->null_count)
            return query_fail(s->b, f->at, err, "range takes constant numbers");
        memcpy(&x[call->args.n == 1 ? 1 : i], args[i]->constant->data, sizeof x[0]);
    }
    if (x[2] == 0)
        return query_fail(s->b, f->at, err, "the step of a range cannot be 0");
    TRY(plan_new(s->b->a, PLAN_RANGE, 1, NULL, NULL, out, err));
    (*out)->columns[0] =
        (plan_column){range ? span_of("range") : span_of("generate_series"), type_of(TYPE_INT64)};
    (*out)->from = x[0];
    (*out)->to = range ? x[1] : x[2] > 0 ? x[1] + 1 : x[1] - 1;
    (*out)->step = x[2];
    return NRW_OK;
}

static span table_name(const sql_from *f)
{
    span s;

    if (f->alias.text.len)
        return f->alias.text;
    if (f->kind == SQL_FROM_FUNCTION)
        return f->call->name.text;
    if (f->kind != SQL_FROM_TABLE)
        return (span){0};
    s = f->path.at[f->path.n - 1].text;
    if (!f->is_file)
        return s;
    for (size_t i = s.len; i-- > 0;) /* 'a/b.parquet' is b */
        if (s.data[i] == '/') {
            s = (span){s.data + i + 1, s.len - i - 1};
            break;
        }
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '.')
            return (span){s.data, i};
    return s;
}

static nrw_status bind_one(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err)
{
    const cte *found = NULL;

    if (f->kind == SQL_FROM_TABLE && f->path.n == 1 && !f->is_file)
        for (const cte *c = s->b->ctes; c && !found; c = c->before)
            if (span_alike(c->with->name.text, f->path.at[0].text))
                found = c;
    if (found)
        TRY(bind_cte(s, f, found, out, err));
    else if (f->kind == SQL_FROM_TABLE || from_reads_files(f))
        TRY(scan_table(s, f, table_name(f), out, err));
    else if (f->kind == SQL_FROM_FUNCTION)
        TRY(bind_function(s, f, out, err));
    else if (f->kind == SQL_FROM_VALUES)
        TRY(bind_values(s->b, f->rows, f->n_rows, s->frame, out, err));
    else
        TRY(bind_query(s->b, f->query, s->frame, out, err));
    return add_table(s, sc, *out, f, table_name(f), err);
}

nrw_status bind_from(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err)
{
    if (f->kind == SQL_FROM_JOIN)
        return bind_join(s, f, sc, out, err);
    return bind_one(s, f, sc, out, err);
}
