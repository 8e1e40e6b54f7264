/* ORDER BY inside of an aggregate: the rows of a state are kept, each with its key; the aggregate
 * proper sees them in order when it is finished. A row is the key with its length before it, then
 * each argument, with its length and a mark for nulls. */
#include "exec/agg_gather.h"

typedef struct ordered_data {
    aggregate inner;
    uint32_t n_orders;
    sort_order orders[];
} ordered_data;

static const ordered_data *data_of(const aggregate *g)
{
    return g->data;
}

static nrw_status put_row(const aggregate *g, const vector *const *args, uint32_t row, bytes *out,
                          nrw_error *err)
{
    const ordered_data *d = data_of(g);
    uint32_t head[2] = {0};

    out->len = 0;
    TRY(bytes_append(out, head, 4, err));
    TRY(sort_key_append(out, args, d->orders, d->n_orders, row, err));
    store_u32(out->data, (uint32_t)out->len - 4);
    for (uint32_t k = 0; k < d->inner.n_args; k++) {
        bool null;
        span v = vector_value(args[k], row, &null);
        head[0] = null ? 0 : (uint32_t)v.len;
        head[1] = null;
        TRY(bytes_append(out, head, sizeof head, err));
        if (head[0])
            TRY(bytes_append(out, v.data, v.len, err));
    }
    return NRW_OK;
}

static nrw_status ordered_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    bytes row = bytes_init(r->m, UINT32_MAX);
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; st >= 0 && i < r->n; i++) {
        st = put_row(g, r->args, i, &row, err);
        if (st >= 0)
            st = gather_put(gather_of(agg_state(r, i)), r->ordinals[i], (span){row.data, row.len},
                            false, r->m, err);
    }
    bytes_release(&row);
    return st;
}

static int by_key(const gathered *x, const gathered *y, const void *context)
{
    (void)context;
    return span_compare((span){x->data + 4, load_u32(x->data)},
                        (span){y->data + 4, load_u32(y->data)});
}

/* Rows at[0..n) as the columns of the arguments; at[i].data moves behind what was taken. */
static nrw_status to_columns(const aggregate *inner, gathered *at, uint32_t n, mem *m,
                             vector *columns, nrw_error *err)
{
    gathered values[AGG_FEED];

    for (uint32_t i = 0; i < n; i++)
        at[i].data += 4 + load_u32(at[i].data);
    for (uint32_t k = 0; k < inner->n_args; k++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t len = load_u32(at[i].data);
            values[i] = (gathered){0, at[i].data + 8, len, load_u32(at[i].data + 4) != 0};
            at[i].data += 8 + len;
        }
        TRY(vector_flat(m, &inner->args[k]->type, n, &columns[k], err));
        TRY(gather_column(values, n, &columns[k], err));
    }
    return NRW_OK;
}

static nrw_status fill(const aggregate *g, const aggregate *inner, uint8_t *from, uint8_t *state,
                       mem *m, nrw_error *err)
{
    const gather_state *s = gather_of(from);
    size_t bytes = s->n * sizeof(gathered);
    gathered *at;
    nrw_status st;

    (void)g;
    TRY(mem_alloc(m, bytes, (void **)&at, err));
    st = gather_sorted(s, by_key, NULL, m, at, err);
    for (uint64_t done = 0; st >= 0 && done < s->n; done += AGG_FEED) {
        uint32_t n = s->n - done < AGG_FEED ? (uint32_t)(s->n - done) : AGG_FEED;
        vector columns[AGGREGATE_ARGS] = {0};
        st = to_columns(inner, at + done, n, m, columns, err);
        if (st >= 0)
            st = agg_feed(inner, columns, n, done, state, m, err);
        for (uint32_t k = 0; k < inner->n_args; k++)
            vector_release(&columns[k]);
    }
    mem_free(m, at, bytes);
    return st;
}

static nrw_status ordered_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                 vector *out, nrw_error *err)
{
    return agg_finish_fed(g, &data_of(g)->inner, fill, states, n, out, err);
}

static const aggregate_class ordered_class = {
    " ",         0,           AGGREGATE_ARGS, AGG_ORDERED | AGG_NULLS,
    NULL,        ordered_add, gather_merge,   ordered_finish,
    gather_drop, gather_save, gather_load,    gather_bulk};

nrw_status aggregate_make_ordered(arena *a, aggregate *g, const expr *const *by,
                                  const sort_order *orders, uint32_t n, nrw_error *err)
{
    ordered_data *d;

    if (!(g->class->traits & AGG_ORDERED))
        return NRW_OK;
    if (g->n_args + n > AGGREGATE_ARGS)
        return err_set(err, NRW_E_UNSUPPORTED, "an aggregate ordered by more than %u expressions",
                       AGGREGATE_ARGS - g->n_args);
    TRY(arena_alloc(a, sizeof *d + n * sizeof *orders, (void **)&d, err));
    d->inner = *g;
    d->inner.filter = NULL;
    d->n_orders = n;
    for (uint32_t i = 0; i < n; i++) {
        if (type_is_nested(&by[i]->type))
            return err_set(err, NRW_E_UNSUPPORTED, "ORDER BY of nested values in an aggregate");
        d->orders[i] = orders[i];
        d->orders[i].column = g->n_args + i;
        g->args[g->n_args + i] = by[i];
    }
    g->n_args += n;
    g->class = &ordered_class;
    g->data = d;
    g->state_bytes = sizeof(gather_state);
    return NRW_OK;
}
