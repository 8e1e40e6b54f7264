/* * and t.*, with EXCLUDE, REPLACE and RENAME, and COLUMNS: the columns they stand for. */
#include "sql/bind_own.h"

static nrw_status add_item(selecting *s, sql_expr *e, span name, size_t at, nrw_error *err)
{
    sql_item item = {e, {name, true, at}};

    LIST_ADD(s->b->a, s->items, s->n_items, s->cap_items, item, err);
    return NRW_OK;
}

int32_t name_in(const sql_names *names, span name)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (span_alike(names->at[i].text, name))
            return (int32_t)i;
    return -1;
}

/* A column of the scope as it would be written. */
nrw_status star_column(selecting *s, const scope_column *c, size_t at, sql_expr **out,
                       nrw_error *err)
{
    sql_name *path;

    TRY(arena_alloc(s->b->a, sizeof **out, (void **)out, err));
    TRY(arena_alloc(s->b->a, 2 * sizeof *path, (void **)&path, err));
    path[0] = (sql_name){c->table, true, at};
    path[1] = (sql_name){c->name, true, at};
    **out = (sql_expr){.kind = SQL_EXPR_COLUMN, .at = at, .end = at};
    (*out)->place = 1 + (uint32_t)(c - s->from.at);
    (*out)->names = c->table.len ? (sql_names){2, path} : (sql_names){1, path + 1};
    return NRW_OK;
}

static bool excluded(const sql_expr *star, const scope_column *c)
{
    for (uint32_t i = 0; i < star->exclude.n; i++) {
        span table = star->exclude_tables.at[i].text;
        if (span_alike(star->exclude.at[i].text, c->name) &&
            (!table.len || span_alike(table, c->table)))
            return true;
    }
    return false;
}

/* Every name that EXCLUDE, REPLACE or RENAME has is that of some column. */
static nrw_status all_there(const selecting *s, const sql_names *names, nrw_error *err)
{
    for (uint32_t i = 0; i < names->n; i++) {
        bool there = false;
        for (uint32_t c = 0; !there && c < s->from.n; c++)
            there = span_alike(names->at[i].text, s->from.at[c].name);
        if (!there)
            return query_fail(s->b, names->at[i].at, err, "there is no column %.*s for *",
                              (int)names->at[i].text.len, (const char *)names->at[i].text.data);
    }
    return NRW_OK;
}

static bool is_of(const sql_expr *star, const scope_column *c)
{
    return star->names.n ? span_alike(star->names.at[star->names.n - 1].text, c->table)
                         : !c->hidden;
}

nrw_status star_places(selecting *s, const sql_expr *star, uint32_t **out, uint32_t *n,
                       nrw_error *err)
{
    bool table = false;

    *n = 0;
    TRY(arena_alloc(s->b->a, s->from.n * sizeof **out + 1, (void **)out, err));
    TRY(all_there(s, &star->exclude, err));
    TRY(all_there(s, &star->replace_names, err));
    TRY(all_there(s, &star->rename_from, err));
    for (uint32_t i = 0; i < s->from.n; i++) {
        const scope_column *c = &s->from.at[i];
        if (!is_of(star, c))
            continue;
        table = true;
        if (!excluded(star, c))
            (*out)[(*n)++] = i;
    }
    if (!table && star->names.n)
        return query_fail(s->b, star->at, err, "there is no table %.*s",
                          (int)star->names.at[0].text.len,
                          (const char *)star->names.at[0].text.data);
    if (s->from.n == 0)
        return query_fail(s->b, star->at, err, "* without a table in FROM");
    return NRW_OK;
}

static nrw_status spread(selecting *s, const sql_expr *star, nrw_error *err)
{
    uint32_t *at, n;

    TRY(star_places(s, star, &at, &n, err));
    for (uint32_t i = 0; i < n; i++) {
        const scope_column *c = &s->from.at[at[i]];
        int32_t replaced = name_in(&star->replace_names, c->name);
        int32_t renamed = name_in(&star->rename_from, c->name);
        sql_expr *e;
        if (replaced >= 0)
            e = star->replace.at[replaced];
        else
            TRY(star_column(s, c, star->at, &e, err));
        TRY(add_item(s, e, renamed >= 0 ? star->rename_to.at[renamed].text : c->name, star->at,
                     err));
    }
    return NRW_OK;
}

/* An item with COLUMNS in it is one item for each column. */
static nrw_status spread_columns(selecting *s, const sql_item *item, nrw_error *err)
{
    columns_choice c;

    TRY(columns_choose(s, item->expr, &c, err));
    if (!c.there) {
        LIST_ADD(s->b->a, s->items, s->n_items, s->cap_items, *item, err);
        return NRW_OK;
    }
    for (uint32_t i = 0; i < c.n; i++) {
        sql_expr *e;
        span name;
        TRY(columns_put(s, &c, item->expr, i, &e, err));
        TRY(columns_name(s, &c, item, i, &name, err));
        TRY(add_item(s, e, name, item->expr->at, err));
    }
    return NRW_OK;
}

nrw_status bind_stars(selecting *s, const sql_query *q, nrw_error *err)
{
    static const sql_expr all = {.kind = SQL_EXPR_STAR};

    if (q->n_items == 0)
        return spread(s, &all, err);
    for (uint32_t i = 0; i < q->n_items; i++) {
        sql_expr *e = q->items[i].expr;
        if (e->kind == SQL_EXPR_STAR && !e->args.n)
            TRY(spread(s, e, err));
        else
            TRY(spread_columns(s, &q->items[i], err));
    }
    return NRW_OK;
}
