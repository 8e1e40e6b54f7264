/* ORDER BY: of a SELECT by its list or by any expression, behind a set operation by columns of the
 * result. */
#include "sql/bind_own.h"

nrw_status bind_position(selecting *s, const sql_expr *e, uint32_t n, uint32_t *out, nrw_error *err)
{
    uint64_t x = 0;
    span digits = e->kind == SQL_EXPR_POSITION ? e->name.text : e->text;

    *out = 0;
    if (e->kind != SQL_EXPR_POSITION && (e->kind != SQL_EXPR_LITERAL || e->literal != SQL_NUMBER))
        return NRW_OK;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return NRW_OK;
        x = x > UINT32_MAX ? x : x * 10 + (digits.data[i] - '0');
    }
    if (x < 1 || x > n)
        return query_fail(s->b, e->at, err, "there is no column %llu in the list of %u",
                          (unsigned long long)x, n);
    *out = (uint32_t)x;
    return NRW_OK;
}

nrw_status order_column(selecting *s, const sql_expr *e, uint32_t n, uint32_t *out, nrw_error *err)
{
    const expr *x;

    TRY(bind_position(s, e, n, out, err));
    if (*out) {
        --*out;
        return NRW_OK;
    }
    TRY(bind_expr(s, e, &x, err));
    if (x->kind != EXPR_COLUMN)
        return query_fail(s->b, e->at, err,
                          "behind a set operation ORDER BY takes columns of the result alone");
    *out = x->column;
    return NRW_OK;
}

/* An item's number for what ORDER BY says; UINT32_MAX: it is none of them. */
static nrw_status item_of(selecting *s, const sql_expr *e, const expr **bound, uint32_t *out,
                          nrw_error *err)
{
    *out = UINT32_MAX;
    TRY(bind_position(s, e, s->n_items, out, err));
    if (*out) {
        --*out;
        return NRW_OK;
    }
    *out = UINT32_MAX;
    for (uint32_t i = 0; e->kind == SQL_EXPR_COLUMN && e->names.n == 1 && i < s->n_items; i++)
        if (s->items[i].alias.text.len && span_alike(s->items[i].alias.text, e->names.at[0].text)) {
            *out = i;
            return NRW_OK;
        }
    TRY(bind_expr(s, e, bound, err));
    for (uint32_t i = 0; i < s->n_items; i++)
        if (expr_equal(s->bound[i], *bound)) {
            *out = i;
            break;
        }
    return NRW_OK;
}

nrw_status bind_orders(selecting *s, ordering *o, nrw_error *err)
{
    const sql_orders *q = &s->q->order_by;
    const expr *bound;

    o->n = q->all ? s->n_items : q->n;
    TRY(arena_alloc(s->b->a, o->n * sizeof *o->at + 1, (void **)&o->at, err));
    for (uint32_t i = 0; i < o->n; i++) {
        const sql_order *from = &q->at[q->all ? 0 : i];
        uint32_t item = i;
        o->at[i].descending = from->descending;
        o->at[i].nulls_first = from->nulls_first;
        if (!q->all)
            TRY(item_of(s, from->by, &bound, &item, err));
        if (item == UINT32_MAX) {
            if (s->q->distinct && !s->q->distinct_on.n)
                return query_fail(s->b, from->by->at, err,
                                  "with DISTINCT, ORDER BY takes items of the list alone");
            item = s->n_items + o->n_hidden;
            LIST_ADD(s->b->a, o->hidden, o->n_hidden, o->cap_hidden, bound, err);
        }
        o->at[i].column = item;
    }
    return NRW_OK;
}
