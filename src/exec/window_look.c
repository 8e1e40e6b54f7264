/* Rows of other segments: those of a tape come to hand block by block. */
#include "exec/window_own.h"

nrw_status window_look_move(window_look *l, int64_t row, nrw_error *err)
{
    const window_segment *s = l->s;
    uint64_t first;
    uint32_t n;

    vector_release(&l->v);
    l->v = (vector){0};
    l->first = 0;
    if (!s->tape || (row >= 0 && row < s->n))
        return vector_share(&s->columns[l->column], &l->v, err);
    TRY(window_tape_block(s->tape, (uint64_t)(row + s->tape_row), &first, &n, err));
    TRY(window_tape_column(s->tape, first, l->column, &l->v, err));
    l->first = (int64_t)first - s->tape_row;
    return NRW_OK;
}

nrw_status window_see_null(window_look *l, int64_t row, bool *null, nrw_error *err)
{
    uint32_t i;

    TRY(window_see(l, row, &i, err));
    vector_value(&l->v, i, null);
    return NRW_OK;
}

void window_look_end(window_look *l)
{
    vector_release(&l->v);
    l->v = (vector){0};
}

/* Rows at[from..to) out of one block. */
static nrw_status pick_some(const window_look *l, const int64_t *at, uint32_t from, uint32_t to,
                            uint32_t *idx, vector *out, nrw_error *err)
{
    for (uint32_t i = from; i < to; i++)
        idx[i - from] = at[i] == WINDOW_NONE ? VECTOR_NULL : (uint32_t)(at[i] - l->first);
    if (l->v.len == 0) /* no row of any block */
        return vector_nulls(l->s->m, &l->s->columns[l->column].type, to - from, out, err);
    return vector_pick(&l->v, idx, to - from, l->s->m, out, err);
}

/* Stretches of rows that lie in one block each. */
static nrw_status pick_parts(window_look *l, const int64_t *at, uint32_t *idx, vector *parts,
                             uint32_t *n_parts, nrw_error *err)
{
    const uint32_t n = l->s->n;

    for (uint32_t i = 0, end; i < n; i = end) {
        int64_t first = 0, behind = 0;
        uint32_t here;
        for (end = i; end < n; end++) {
            if (at[end] == WINDOW_NONE)
                continue;
            if (first == behind) {
                TRY(window_see(l, at[end], &here, err));
                first = l->first;
                behind = l->first + l->v.len;
            }
            if (at[end] < first || at[end] >= behind)
                break;
        }
        TRY(pick_some(l, at, i, end, idx, &parts[*n_parts], err));
        ++*n_parts;
    }
    return NRW_OK;
}

nrw_status window_pick(const window_segment *s, uint32_t column, const int64_t *at, vector *out,
                       nrw_error *err)
{
    const size_t bytes = s->n * sizeof(uint32_t);
    /* all rows of a segment that is not of a tape are in one block */
    const uint32_t most = s->tape ? s->n : 1;
    window_look l = window_look_at(s, column);
    vector *parts = NULL;
    uint32_t *idx = NULL, n = 0;
    nrw_status st;

    TRY(mem_alloc(s->m, bytes, (void **)&idx, err));
    TRY_OUT(mem_zalloc(s->m, most * sizeof *parts, (void **)&parts, err));
    TRY_OUT(pick_parts(&l, at, idx, parts, &n, err));
    st = vector_concat(parts, n, s->m, out, err);
out:
    for (uint32_t i = 0; i < n; i++)
        vector_release(&parts[i]);
    mem_free(s->m, parts, parts ? most * sizeof *parts : 0);
    mem_free(s->m, idx, bytes);
    window_look_end(&l);
    return st;
}
