#include "sql/bind_own.h"

static const sql_expr *rank_of(const sql_query *q)
{
    const sql_expr *e = q->qualify;

    if (!e || e->kind != SQL_EXPR_COMPARE || e->args.n != 2 ||
        e->args.at[0]->kind != SQL_EXPR_CALL || !e->args.at[0]->over ||
        !span_is_word(e->args.at[0]->name.text, "arrival_rank"))
        return NULL;
    return e->args.at[0];
}

/* Columns of the rows, by number. */
static nrw_status columns(selecting *s, const sql_exprs *list, uint32_t **out, nrw_error *err)
{
    TRY(arena_alloc(s->b->a, list->n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < list->n; i++) {
        const expr *e;
        TRY(bind_expr(s, list->at[i], &e, err));
        if (e->kind != EXPR_COLUMN || e->column >= OUTER_BASE)
            return query_fail(s->b, list->at[i]->at, err,
                              "arrival_rank takes columns; compute them in a subquery");
        (*out)[i] = e->column;
    }
    return NRW_OK;
}

static nrw_status limit_of(selecting *s, const sql_expr *e, uint64_t *out, nrw_error *err)
{
    const type bigint = type_of(TYPE_INT64);
    const expr *n;
    int64_t x = 0;

    TRY(bind_expr(s, e->args.at[1], &n, err));
    TRY(bind_at(s->b, e->at, expr_cast(s->b->a, n, &bigint, false, &n, err), err));
    if (expr_is_constant(n) && !n->constant->null_count)
        memcpy(&x, n->constant->data, sizeof x);
    if (!span_is(e->name.text, "<=") || x < 1 || x > INT32_MAX)
        return query_fail(s->b, e->at, err,
                          "arrival_rank is asked for as arrival_rank(..) OVER (..) <= n");
    *out = (uint64_t)x;
    return NRW_OK;
}

nrw_status bind_arrival(selecting *s, nrw_error *err)
{
    const sql_expr *rank = rank_of(s->q);
    plan *p;

    if (!rank)
        return NRW_OK;
    if (rank->args.n == 0 || rank->over->order_by.n || rank->over->frame != SQL_FRAME_NONE)
        return query_fail(s->b, rank->at, err,
                          "arrival_rank takes columns and PARTITION BY alone: rows arrive in the "
                          "order of the input");
    TRY(plan_new(s->b->a, PLAN_FIRST, s->below->n, s->below, NULL, &p, err));
    memcpy(p->columns, s->below->columns, s->below->n * sizeof *p->columns);
    TRY(columns(s, &rank->args, &p->of, err));
    TRY(columns(s, &rank->over->partition_by, &p->per, err));
    p->n_of = rank->args.n;
    p->n_per = rank->over->partition_by.n;
    TRY(limit_of(s, s->q->qualify, &p->limit, err));
    s->below = p;
    s->arrival = true;
    return NRW_OK;
}
