/* A group that memory has no room for. Of aggregates that can do so, its states are not loaded: the
 * results come of what was saved of them, which is looked at piece by piece, as often as it takes.
 */
#include "exec/group_own.h"

bool group_keeps(const op_group *o)
{
    bool keeps = false;

    for (uint32_t i = 0; i < o->shape.n_aggregates; i++)
        keeps |= o->shape.aggregates[i].class->finish_saved != NULL;
    return keeps && !o->spec.marks;
}

/* Pieces of the states of one aggregate and one group. */
typedef struct kept_walk {
    agg_saved saved;
    op_group *o;
    group_worker *w;
    const uint8_t *row; /* of the group */
    uint32_t k;
    bool begun;
    spill_chain left;
    span block; /* the one at hand, in w->read */
    size_t at;
} kept_walk;

/* The piece at hand; an empty one where the row is of another group. */
static nrw_status next_row(kept_walk *x, span *piece, nrw_error *err)
{
    const group_shape *s = &x->o->shape;
    span saved[s->n_aggregates + 1];
    uint8_t *row;

    TRY(group_next_row(s, x->block, &x->at, &row, saved, err));
    *piece = saved[x->k];
    if (x->w->walked->n > 1 && !group_same_key(x->o, row, x->row))
        piece->len = 0;
    return NRW_OK;
}

static nrw_status next_piece(agg_saved *saved, span *piece, nrw_error *err)
{
    kept_walk *x = (kept_walk *)(void *)saved;
    nrw_status st;

    if (!x->begun)
        x->left = x->w->kept.blocks;
    x->begun = true;
    for (;;) {
        while (x->at < x->block.len) {
            TRY(next_row(x, piece, err));
            if (piece->len)
                return NRW_OK;
        }
        rows_clear(&x->w->read);
        x->block = (span){0};
        x->at = 0;
        st = group_see_block(x->o, x->w, &x->left, &x->block, err);
        if (st != NRW_OK) {
            x->begun = false;
            return st;
        }
    }
}

nrw_status group_finish_kept(op_group *o, group_worker *w, uint32_t k, const uint8_t *row, mem *m,
                             vector *out, nrw_error *err)
{
    kept_walk x = {
        .saved = {next_piece, o->m, o->spec.memory, o->spill}, .o = o, .w = w, .row = row};

    while (o->shape.states[x.k] != o->results[k])
        x.k++;
    rows_clear(&w->read);
    return aggregate_finish_saved(&o->spec.aggregates[k], &x.saved, m, out, err);
}
