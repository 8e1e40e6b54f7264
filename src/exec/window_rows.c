/* Calls that number rows, or take a value of another row. */
#include "exec/window_own.h"

static int64_t *int64_of(vector *v)
{
    return (int64_t *)(void *)v->data;
}

/* Whether row i has peers in the segment before. */
static bool began_before(const window_segment *s, uint32_t i)
{
    return s->peers_go_on && s->peers[i] == 0;
}

static nrw_status number_rows(const window_segment *s, const window_call *c, vector *out,
                              nrw_error *err)
{
    int64_t dense = 0;

    TRY(vector_flat(s->m, &c->result, s->n, out, err));
    out->len = s->n;
    for (uint32_t i = 0; i < s->n; i++) {
        bool first = s->part[i] == 0; /* partition of the segment */
        int64_t before = first ? (int64_t)s->carry.rows : 0;
        int64_t rank =
            began_before(s, i) ? (int64_t)s->carry.rank : before + (s->peers[i] - s->part[i]);
        if (i == s->part[i])
            dense = first ? (int64_t)s->carry.peers : 0;
        dense += i == s->peers[i] && !began_before(s, i);
        int64_of(out)[i] = c->kind == WINDOW_ROW_NUMBER ? before + (i - s->part[i]) + 1
                           : c->kind == WINDOW_RANK     ? rank + 1
                                                        : dense;
    }
    return NRW_OK;
}

static nrw_status share_rows(const window_segment *s, const window_call *c, vector *out,
                             nrw_error *err)
{
    double *d;

    TRY(vector_flat(s->m, &c->result, s->n, out, err));
    out->len = s->n;
    d = (double *)(void *)out->data;
    for (uint32_t i = 0; i < s->n; i++) {
        double rows = s->part_end[i] - s->part[i];
        if (c->kind == WINDOW_CUME_DIST)
            d[i] = (double)(s->peers_end[i] - s->part[i]) / rows;
        else
            d[i] = rows > 1 ? (double)(s->peers[i] - s->part[i]) / (rows - 1) : 0;
    }
    return NRW_OK;
}

/* Value i of a BIGINT column; *null where there is none. */
static int64_t number_at(const window_segment *s, uint32_t column, uint32_t i, bool *null)
{
    span v = vector_value(&s->columns[column], i, null);
    int64_t x = 0;

    if (!*null)
        memcpy(&x, v.data, sizeof x);
    return x;
}

static nrw_status tile_rows(const window_segment *s, const window_call *c, vector *out,
                            nrw_error *err)
{
    TRY(vector_flat(s->m, &c->result, s->n, out, err));
    out->len = s->n;
    TRY(vector_add_validity(out, err));
    for (uint32_t i = 0; i < s->n; i++) {
        bool null;
        int64_t tiles = number_at(s, c->args[0], i, &null), rows = s->part_end[i] - s->part[i];
        int64_t at = i - s->part[i], small, large;
        if (!null && tiles < 1)
            return err_set(err, NRW_E_ARG, "ntile takes a number above 0");
        if (null) {
            bit_clear(out->validity, i);
            out->null_count++;
            int64_of(out)[i] = 0;
            continue;
        }
        small = rows / tiles;
        large = rows % tiles; /* so many tiles have one row more */
        int64_of(out)[i] = small == 0                 ? at + 1
                           : at < large * (small + 1) ? at / (small + 1) + 1
                                                      : (at - large) / small + 1;
    }
    return NRW_OK;
}

/* ---- values of other rows ---- */

static bool is_null_at(const vector *v, uint32_t i)
{
    bool null;

    vector_value(v, i, &null);
    return null;
}

static nrw_status pick(const window_segment *s, const window_call *c, const uint32_t *at,
                       bool defaults, vector *out, nrw_error *err)
{
    vector both[2], all;
    nrw_status st;

    both[0] = s->columns[c->args[0]];
    if (!defaults)
        return vector_pick(&both[0], at, s->n, s->m, out, err);
    both[1] = s->columns[c->args[2]]; /* numbers from n on are of the defaults */
    TRY(vector_concat(both, 2, s->m, &all, err));
    st = vector_pick(&all, at, s->n, s->m, out, err);
    vector_release(&all);
    return st;
}

/* The row `by` rows from i inside of its partition, those that are null not counted where they are
 * to be ignored. */
static uint32_t shifted(const window_segment *s, const window_call *c, uint32_t i, int64_t by)
{
    const vector *v = &s->columns[c->args[0]];
    int64_t step = by < 0 ? -1 : 1, left = by < 0 ? -by : by, at = i;

    if (!c->ignore_nulls) {
        at += by;
        return at >= s->part[i] && at < s->part_end[i] ? (uint32_t)at : VECTOR_NULL;
    }
    while (left > 0) {
        at += step;
        if (at < s->part[i] || at >= s->part_end[i])
            return VECTOR_NULL;
        left -= !is_null_at(v, (uint32_t)at);
    }
    return (uint32_t)at;
}

static nrw_status shift_rows(const window_segment *s, const window_call *c, uint32_t *at,
                             vector *out, nrw_error *err)
{
    bool defaults = c->n_args > 2;

    for (uint32_t i = 0; i < s->n; i++) {
        bool null = false;
        int64_t by = c->n_args > 1 ? number_at(s, c->args[1], i, &null) : 1;
        if (by > UINT32_MAX || by < -(int64_t)UINT32_MAX)
            by = by < 0 ? -(int64_t)UINT32_MAX : UINT32_MAX;
        at[i] = null ? VECTOR_NULL : shifted(s, c, i, c->kind == WINDOW_LAG ? -by : by);
        if (at[i] == VECTOR_NULL && defaults)
            at[i] = s->n + i;
    }
    return pick(s, c, at, defaults, out, err);
}

void window_frame_of(const window_segment *s, const window_call *c, uint32_t i, uint32_t *from,
                     uint32_t *to)
{
    int64_t lo = s->part[i], hi = s->part_end[i], begin = lo, end = hi;

    if (c->from == FRAME_CURRENT)
        begin = c->by_rows ? i : s->peers[i];
    else if (c->from == FRAME_PRECEDING)
        begin = (int64_t)i - c->from_offset;
    else if (c->from == FRAME_FOLLOWING)
        begin = c->from_offset > hi - i ? hi : (int64_t)i + c->from_offset;
    if (c->to == FRAME_CURRENT)
        end = c->by_rows ? (int64_t)i + 1 : s->peers_end[i];
    else if (c->to == FRAME_PRECEDING)
        end = (int64_t)i - c->to_offset + 1;
    else if (c->to == FRAME_FOLLOWING)
        end = c->to_offset > hi - i ? hi : (int64_t)i + c->to_offset + 1;
    begin = begin < lo ? lo : begin;
    end = end > hi ? hi : end;
    *from = (uint32_t)begin;
    *to = end < begin ? (uint32_t)begin : (uint32_t)end;
}

/* first_value, last_value, nth_value. */
static uint32_t value_in_frame(const window_segment *s, const window_call *c, uint32_t i)
{
    const vector *v = &s->columns[c->args[0]];
    int64_t nth = 1;
    uint32_t from, to;
    bool null = false;

    window_frame_of(s, c, i, &from, &to);
    if (c->kind == WINDOW_NTH_VALUE)
        nth = number_at(s, c->args[1], i, &null);
    if (null || nth < 1)
        return VECTOR_NULL;
    if (c->kind == WINDOW_LAST_VALUE) {
        while (to > from && c->ignore_nulls && is_null_at(v, to - 1))
            to--;
        return to > from ? to - 1 : VECTOR_NULL;
    }
    for (uint32_t at = from; at < to; at++) {
        if (c->ignore_nulls && is_null_at(v, at))
            continue;
        if (!c->ignore_nulls)
            return nth <= (int64_t)(to - from) ? from + (uint32_t)(nth - 1) : VECTOR_NULL;
        if (--nth == 0)
            return at;
    }
    return VECTOR_NULL;
}

static nrw_status frame_values(const window_segment *s, const window_call *c, uint32_t *at,
                               vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < s->n; i++)
        at[i] = value_in_frame(s, c, i);
    return pick(s, c, at, false, out, err);
}

nrw_status window_compute(const window_segment *s, const window_call *c, vector *out,
                          nrw_error *err)
{
    uint32_t *at;
    nrw_status st;

    switch (c->kind) {
    case WINDOW_ROW_NUMBER:
    case WINDOW_RANK:
    case WINDOW_DENSE_RANK: return number_rows(s, c, out, err);
    case WINDOW_PERCENT_RANK:
    case WINDOW_CUME_DIST: return share_rows(s, c, out, err);
    case WINDOW_NTILE: return tile_rows(s, c, out, err);
    case WINDOW_AGGREGATE: return window_aggregate_values(s, c, out, err);
    default: break;
    }
    TRY(mem_alloc(s->m, s->n * sizeof *at, (void **)&at, err));
    st = c->kind == WINDOW_LAG || c->kind == WINDOW_LEAD ? shift_rows(s, c, at, out, err)
                                                         : frame_values(s, c, at, out, err);
    mem_free(s->m, at, s->n * sizeof *at);
    return st;
}
