/* Lists that grow in the arena, and nodes of the tree. */
#include "sql/own.h"

/* A list has room for 4, 8, 16 ... entries: where its length is such a number it is full. */
nrw_status sql_push(sql_parser *p, void *at, uint32_t *n, size_t size, void *out, nrw_error *err)
{
    uint8_t *old, *fresh;

    memcpy(&old, at, sizeof old);
    if (*n == 0 || (*n >= 4 && (*n & (*n - 1)) == 0)) {
        size_t room = *n ? (size_t)*n * 2 : 4, bytes;
        if (!size_mul(room, size, &bytes) || room > UINT32_MAX)
            return err_set(err, NRW_E_MEMLIMIT, "a list of a query is too long");
        TRY(arena_alloc(p->a, bytes, (void **)&fresh, err));
        if (*n)
            memcpy(fresh, old, *n * size);
        memcpy(at, &fresh, sizeof fresh);
        old = fresh;
    }
    uint8_t *item = old + (size_t)(*n)++ * size;
    memcpy(out, &item, sizeof item);
    return NRW_OK;
}

nrw_status sql_add(sql_parser *p, sql_exprs *list, sql_expr *e, nrw_error *err)
{
    sql_expr **item;

    TRY(sql_push(p, &list->at, &list->n, sizeof *item, &item, err));
    *item = e;
    return NRW_OK;
}

nrw_status sql_add_name(sql_parser *p, sql_names *list, sql_name name, nrw_error *err)
{
    sql_name *item;

    TRY(sql_push(p, &list->at, &list->n, sizeof *item, &item, err));
    *item = name;
    return NRW_OK;
}

sql_name sql_name_of(const char *text, size_t at)
{
    return (sql_name){.text = span_of(text), .at = at};
}

nrw_status sql_new(sql_parser *p, sql_expr_kind kind, size_t at, sql_expr **out, nrw_error *err)
{
    TRY(arena_alloc(p->a, sizeof **out, (void **)out, err));
    (*out)->kind = kind;
    (*out)->at = at;
    return NRW_OK;
}

nrw_status sql_node(sql_parser *p, sql_expr_kind kind, const char *name, size_t at, sql_expr *first,
                    sql_expr *second, sql_expr **out, nrw_error *err)
{
    sql_expr *e;

    TRY(sql_new(p, kind, at, &e, err));
    e->name = sql_name_of(name, at);
    TRY(sql_add(p, &e->args, first, err));
    if (second)
        TRY(sql_add(p, &e->args, second, err));
    *out = e;
    return sql_close(p, e, err);
}

static uint32_t higher(uint32_t height, const sql_expr *e)
{
    return e && e->height > height ? e->height : height;
}

static uint32_t highest(uint32_t height, const sql_exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        height = higher(height, list->at[i]);
    return height;
}

static uint32_t highest_order(uint32_t height, const sql_orders *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        height = higher(height, list->at[i].by);
    return height;
}

static uint32_t height_below(const sql_expr *e)
{
    uint32_t height = highest(0, &e->args);

    height = highest(height, &e->replace);
    height = highest_order(height, &e->order_by);
    height = higher(height, e->filter);
    if (e->over) {
        height = highest(height, &e->over->partition_by);
        height = highest_order(height, &e->over->order_by);
        height = higher(height, e->over->from_offset);
        height = higher(height, e->over->to_offset);
    }
    return e->query && e->query->height > height ? e->query->height : height;
}

static nrw_status too_high(const sql_parser *p, size_t at, nrw_error *err)
{
    return sql_fail_at(p, at, err, "more than %d operations on top of one another", SQL_MAX_DEPTH);
}

nrw_status sql_close(sql_parser *p, sql_expr *e, nrw_error *err)
{
    e->end = p->i ? p->tokens[p->i - 1].end : e->at;
    e->height = height_below(e) + 1;
    if (e->height > SQL_MAX_DEPTH)
        return too_high(p, e->at, err);
    if (e->height > p->high)
        p->high = e->height;
    return NRW_OK;
}

nrw_status sql_rise(sql_parser *p, size_t at, nrw_error *err)
{
    return ++p->high > SQL_MAX_DEPTH ? too_high(p, at, err) : NRW_OK;
}
