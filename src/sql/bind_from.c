/* FROM: tables, subqueries, joins. */
#include "sql/bind_own.h"

nrw_status scope_add(arena *a, scope *sc, scope_column c, nrw_error *err)
{
    LIST_ADD(a, sc->at, sc->n, sc->cap, c, err);
    return NRW_OK;
}

/* Of the columns that fit, exact matches go before others. */
static nrw_status find_named(const binder *b, const scope *sc, const sql_name *table, sql_name name,
                             size_t at, int32_t *found, nrw_error *err)
{
    bool exact = false, twice = false;

    *found = -1;
    for (uint32_t i = 0; i < sc->n; i++) {
        const scope_column *c = &sc->at[i];
        bool now = span_equal(name.text, c->name);
        if (!sql_same(name.text, c->name) || (!table && c->hidden) ||
            (table && !sql_same(table->text, c->table)))
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
        TRY(find_named(b, sc, &path->at[0], path->at[1], at, found, err));
        if (*found >= 0)
            return NRW_OK;
    }
    *used = 1;
    return find_named(b, sc, NULL, path->at[0], at, found, err);
}

/* All columns of p under one table name, with other names where `aliases` has some. */
static nrw_status add_table(selecting *s, scope *sc, const plan *p, span table,
                            const sql_names *aliases, size_t at, nrw_error *err)
{
    if (aliases->n > p->n)
        return query_fail(s->b, at, err, "%u column names for %u columns", aliases->n, p->n);
    for (uint32_t c = 0; c < p->n; c++)
        TRY(scope_add(s->b->a, sc,
                      (scope_column){table,
                                     c < aliases->n ? aliases->at[c].text : p->columns[c].name,
                                     p->columns[c].type, c, false},
                      err));
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
    TRY(bind_query(&inner, c->with->query, NULL, out, NULL, err));
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
            if (sql_same(c->with->name.text, f->path.at[0].text))
                found = c;
    if (found)
        TRY(bind_cte(s, f, found, out, err));
    else if (f->kind == SQL_FROM_TABLE || from_reads_files(f))
        TRY(scan_table(s, f, table_name(f), out, err));
    else if (f->kind == SQL_FROM_FUNCTION)
        TRY(bind_function(s, f, out, err));
    else if (f->kind == SQL_FROM_VALUES)
        TRY(bind_values(s->b, f->rows, f->n_rows, out, err));
    else
        TRY(bind_query(s->b, f->query, NULL, out, NULL, err));
    return add_table(s, sc, *out, table_name(f), &f->column_aliases, f->at, err);
}

/* ---- joins ---- */

static join_kind kind_of(sql_join_kind k)
{
    switch (k) {
    case SQL_JOIN_LEFT: return JOIN_LEFT;
    case SQL_JOIN_RIGHT: return JOIN_RIGHT;
    case SQL_JOIN_FULL: return JOIN_FULL;
    case SQL_JOIN_SEMI: return JOIN_SEMI;
    case SQL_JOIN_ANTI: return JOIN_ANTI;
    default: return JOIN_INNER;
    }
}

/* The columns that both sides have, for NATURAL. */
static nrw_status common_names(selecting *s, const scope *l, const scope *r, size_t at,
                               sql_names *out, nrw_error *err)
{
    sql_name *names = NULL;
    uint32_t n = 0, cap = 0;

    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < r->n; k++)
            if (!l->at[i].hidden && !r->at[k].hidden && sql_same(l->at[i].name, r->at[k].name)) {
                sql_name name = {l->at[i].name, true, at};
                LIST_ADD(s->b->a, names, n, cap, name, err);
                break;
            }
    if (n == 0)
        return query_fail(s->b, at, err, "a NATURAL JOIN of tables without columns in common");
    *out = (sql_names){n, names};
    return NRW_OK;
}

typedef struct merged {
    uint32_t left, right; /* in the joined scope */
} merged;

/* One column of USING: an equality, and the right one steps back. */
static nrw_status use_column(selecting *s, scope *sc, uint32_t n_left, sql_name name,
                             const expr **on, merged *m, nrw_error *err)
{
    scope l = {sc->at, n_left, n_left}, r = {sc->at + n_left, sc->n - n_left, sc->n - n_left};
    int32_t i, k;
    const expr *args[2], *equal;

    TRY(find_named(s->b, &l, NULL, name, name.at, &i, err));
    TRY(find_named(s->b, &r, NULL, name, name.at, &k, err));
    if (i < 0 || k < 0)
        return query_fail(s->b, name.at, err, "USING: column %.*s is not on both sides of the join",
                          (int)name.text.len, (const char *)name.text.data);
    *m = (merged){(uint32_t)i, n_left + (uint32_t)k};
    TRY(expr_column(s->b->a, l.at[i].column, &l.at[i].type, &args[0], err));
    TRY(expr_column(s->b->a, r.at[k].column, &r.at[k].type, &args[1], err));
    TRY(bind_at(s->b, name.at, expr_call(s->b->a, "=", args, NULL, 2, &equal, err), err));
    return expr_and(s->b->a, *on, equal, on, err);
}

/* Behind a FULL or RIGHT join the column of USING is whichever side has it. */
static nrw_status merge_columns(selecting *s, sql_join_kind kind, scope *sc, const merged *m,
                                uint32_t n, plan **p, nrw_error *err)
{
    arena *a = s->b->a;
    const expr **exprs;
    span *names;
    uint32_t all = (*p)->n;

    if (kind == SQL_JOIN_RIGHT) {
        for (uint32_t i = 0; i < n; i++) {
            sc->at[m[i].left].hidden = true;
            /* it stands where the left one stood */
            scope_column right = sc->at[m[i].right];
            right.hidden = false;
            sc->at[m[i].right].hidden = true;
            TRY(scope_add(a, sc, sc->at[m[i].left], err));
            right.name = sc->at[m[i].left].name;
            sc->at[m[i].left] = right;
        }
        return NRW_OK;
    }
    if (kind != SQL_JOIN_FULL) {
        for (uint32_t i = 0; i < n; i++)
            sc->at[m[i].right].hidden = true;
        return NRW_OK;
    }
    TRY(arena_alloc(a, (all + n) * sizeof *exprs, (void **)&exprs, err));
    TRY(arena_alloc(a, (all + n) * sizeof *names, (void **)&names, err));
    for (uint32_t c = 0; c < all; c++) {
        TRY(expr_column(a, c, &(*p)->columns[c].type, &exprs[c], err));
        names[c] = (*p)->columns[c].name;
    }
    for (uint32_t i = 0; i < n; i++) {
        const expr *args[2] = {exprs[sc->at[m[i].left].column], exprs[sc->at[m[i].right].column]};
        scope_column left = sc->at[m[i].left];
        TRY(expr_call(a, "coalesce", args, NULL, 2, &exprs[all + i], err));
        names[all + i] = left.name;
        sc->at[m[i].right].hidden = true;
        left.hidden = true;
        TRY(scope_add(a, sc, left, err));
        sc->at[m[i].left].column = all + i;
        sc->at[m[i].left].table = (span){0};
        sc->at[m[i].left].type = exprs[all + i]->type;
    }
    return plan_project(a, *p, exprs, names, all + n, p, err);
}

static nrw_status bind_join(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err)
{
    arena *a = s->b->a;
    join_kind kind = kind_of(f->join);
    const bool unfiltered = s->unfiltered;
    scope right = {0};
    sql_names using = f->using;
    const expr *on = NULL;
    merged *m;
    plan *l, *r;
    uint32_t n_left;

    if (f->join == SQL_JOIN_POSITIONAL || f->asof || f->lateral)
        return query_fail(s->b, f->at, err, "%s joins are not supported",
                          f->lateral ? "LATERAL"
                          : f->asof  ? "ASOF"
                                     : "POSITIONAL");
    s->unfiltered = unfiltered || kind == JOIN_RIGHT || kind == JOIN_FULL;
    TRY(bind_from(s, f->left, sc, &l, err));
    s->unfiltered = unfiltered || kind != JOIN_INNER || f->natural || f->using.n;
    TRY(bind_from(s, f->right, &right, &r, err));
    s->unfiltered = unfiltered;
    n_left = sc->n;
    for (uint32_t i = 0; i < right.n; i++) {
        scope_column c = right.at[i];
        c.column += l->n;
        TRY(scope_add(a, sc, c, err));
    }
    if (f->natural) {
        scope left = {sc->at, n_left, n_left};
        TRY(common_names(s, &left, &right, f->at, &using, err));
    }
    TRY(arena_alloc(a, using.n * sizeof *m + 1, (void **)&m, err));
    for (uint32_t i = 0; i < using.n; i++)
        TRY(use_column(s, sc, n_left, using.at[i], &on, &m[i], err));
    if (f->on) {
        selecting inner = {
            .b = s->b, .outer = s->outer, .from = *sc, .no_aggregates = true, .clause = "ON"};
        TRY(plan_join(a, JOIN_INNER, l, r, NULL, &inner.below, err));
        plan *both = inner.below;
        TRY(bind_boolean(&inner, f->on, &on, err));
        if (inner.n_outer)
            return query_fail(s->b, f->on->at, err, "ON looks at a column outside of the subquery");
        if (inner.below != both && kind == JOIN_INNER) /* as WHERE behind the join */
            return plan_filter(a, inner.below, on, out, err);
        if (inner.below != both)
            return query_fail(s->b, f->on->at, err,
                              "a subquery in ON is supported for inner joins alone");
    }
    TRY(plan_join(a, kind, l, r, on, out, err));
    if (kind == JOIN_SEMI || kind == JOIN_ANTI)
        sc->n = n_left;
    else
        TRY(merge_columns(s, f->join, sc, m, using.n, out, err));
    return NRW_OK;
}

nrw_status bind_from(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err)
{
    if (f->kind == SQL_FROM_JOIN)
        return bind_join(s, f, sc, out, err);
    return bind_one(s, f, sc, out, err);
}
