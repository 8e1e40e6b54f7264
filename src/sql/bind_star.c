/* * and t.*, with EXCLUDE, REPLACE and RENAME; and the names of columns without an alias. */
#include "sql/bind_own.h"

static nrw_status add_item(selecting *s, sql_expr *e, span name, size_t at, nrw_error *err)
{
    sql_item item = {e, {name, true, at}};

    LIST_ADD(s->b->a, s->items, s->n_items, s->cap_items, item, err);
    return NRW_OK;
}

static int32_t place_in(const sql_names *names, span name)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (sql_same(names->at[i].text, name))
            return (int32_t)i;
    return -1;
}

/* A column of the scope as it would be written. */
static nrw_status column_expr(selecting *s, const scope_column *c, size_t at, sql_expr **out,
                              nrw_error *err)
{
    sql_name *path;

    TRY(arena_alloc(s->b->a, sizeof **out, (void **)out, err));
    TRY(arena_alloc(s->b->a, 2 * sizeof *path, (void **)&path, err));
    path[0] = (sql_name){c->table, true, at};
    path[1] = (sql_name){c->name, true, at};
    **out = (sql_expr){.kind = SQL_EXPR_COLUMN, .at = at, .end = at};
    (*out)->names = c->table.len ? (sql_names){2, path} : (sql_names){1, path + 1};
    return NRW_OK;
}

static nrw_status spread(selecting *s, const sql_expr *star, nrw_error *err)
{
    uint32_t before = s->n_items;

    if (star->args.n || star->text.len)
        return query_fail(s->b, star->at, err, "COLUMNS is not supported");
    for (uint32_t i = 0; i < s->from.n; i++) {
        const scope_column *c = &s->from.at[i];
        int32_t replaced = place_in(&star->replace_names, c->name);
        int32_t renamed = place_in(&star->rename_from, c->name);
        sql_expr *e;
        if (star->names.n ? !sql_same(star->names.at[star->names.n - 1].text, c->table) : c->hidden)
            continue;
        if (place_in(&star->exclude, c->name) >= 0)
            continue;
        if (replaced >= 0)
            e = star->replace.at[replaced];
        else
            TRY(column_expr(s, c, star->at, &e, err));
        TRY(add_item(s, e, renamed >= 0 ? star->rename_to.at[renamed].text : c->name, star->at,
                     err));
    }
    if (s->n_items == before && star->names.n)
        return query_fail(s->b, star->at, err, "there is no table %.*s",
                          (int)star->names.at[0].text.len,
                          (const char *)star->names.at[0].text.data);
    if (s->from.n == 0)
        return query_fail(s->b, star->at, err, "* without a table in FROM");
    return NRW_OK;
}

nrw_status bind_stars(selecting *s, const sql_query *q, nrw_error *err)
{
    static const sql_expr all = {.kind = SQL_EXPR_STAR};

    if (q->n_items == 0)
        return spread(s, &all, err);
    for (uint32_t i = 0; i < q->n_items; i++) {
        sql_expr *e = q->items[i].expr;
        if (e->kind == SQL_EXPR_STAR)
            TRY(spread(s, e, err));
        else
            LIST_ADD(s->b->a, s->items, s->n_items, s->cap_items, q->items[i], err);
    }
    return NRW_OK;
}
