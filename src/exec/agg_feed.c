/* Aggregates that gather their rows first and give them to another one when they are finished. */
#include "exec/aggregate_own.h"

nrw_status agg_feed(const aggregate *inner, const vector *columns, uint32_t n, uint64_t first,
                    uint8_t *state, mem *m, nrw_error *err)
{
    const vector *args[AGGREGATE_ARGS];
    uint64_t ordinals[AGG_FEED];

    for (uint32_t k = 0; k < inner->n_args; k++)
        args[k] = &columns[k];
    for (uint32_t i = 0; i < n; i++)
        ordinals[i] = first + i;
    return inner->class->add(inner,
                             &(aggregate_rows){.n = n,
                                               .states = &state,
                                               .args = args,
                                               .one = true,
                                               .ordinals = ordinals,
                                               .m = m,
                                               .scratch = m},
                             err);
}

nrw_status agg_finish_fed(const aggregate *g, const aggregate *inner, agg_filler fill,
                          uint8_t *const *states, uint32_t n, vector *out, nrw_error *err)
{
    mem *m = out->m;
    size_t size = aggregate_room(inner), bytes;
    uint8_t **at, *room;
    nrw_status st = NRW_OK;

    bytes = n * (sizeof *at + size) + 16;
    TRY(mem_zalloc(m, bytes, (void **)&at, err));
    room = (uint8_t *)(((uintptr_t)(at + n) + 15) & ~(uintptr_t)15);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        at[i] = room + i * size;
        st = fill(g, inner, states[i], at[i], m, err);
    }
    if (st >= 0)
        st = inner->class->finish(inner, at, n, out, err);
    for (uint32_t i = 0; inner->class->drop && i < n && at[i]; i++)
        inner->class->drop(inner, at[i], m);
    mem_free(m, at, bytes);
    return st;
}
