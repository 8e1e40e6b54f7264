/* Calls that number rows, or take a value of another row. */
#include "exec/window_own.h"

static int64_t *int64_of(vector *v)
{
    return (int64_t *)(void *)v->data;
}

static nrw_status number_rows(const window_segment *s, const window_call *c, vector *out,
                              nrw_error *err)
{
    int64_t dense = s->goes_on ? (int64_t)s->carry.peers : 0;

    TRY(vector_flat(s->m, &c->result, s->n, out, err));
    out->len = s->n;
    for (uint32_t i = 0; i < s->n; i++) {
        int64_t part = window_part(s, i);
        if (window_begins(s, i))
            dense = 0;
        dense += i == s->peers[i] && !(i == 0 && s->peers_go_on);
        int64_of(out)[i] = c->kind == WINDOW_ROW_NUMBER ? i - part + 1
                           : c->kind == WINDOW_RANK     ? window_peers(s, i) - part + 1
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
        int64_t part = window_part(s, i);
        double rows = (double)(window_part_end(s, i) - part);
        if (c->kind == WINDOW_CUME_DIST)
            d[i] = (double)(window_peers_end(s, i) - part) / rows;
        else
            d[i] = rows > 1 ? (double)(window_peers(s, i) - part) / (rows - 1) : 0;
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
        int64_t tiles = number_at(s, c->args[0], i, &null), part = window_part(s, i);
        int64_t rows = window_part_end(s, i) - part, at = i - part, small, large;
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

/* A call over a segment. */
typedef struct finding {
    const window_segment *s;
    const window_call *c;
    window_found *found;
    window_look look; /* at args[0] */
} finding;

/* Row i has the partition's row `at`, or none (-1). */
static int64_t row_of_part(const finding *f, uint32_t i, int64_t at)
{
    return at < 0 ? WINDOW_NONE : at + window_part(f->s, i);
}

/* The nth row that is not null from row `from` on, in front of `to`. Neither bound falls within a
 * partition: what was seen for the row before is not looked at again. */
static nrw_status find_first(finding *f, uint32_t i, int64_t from, int64_t to, int64_t nth,
                             int64_t *out, nrw_error *err)
{
    window_found *w = f->found;
    const int64_t part = window_part(f->s, i);
    bool same, null;

    from -= part;
    to -= part;
    same = w->any && w->nth == nth &&
           (w->from == from || (nth == 1 && from <= (w->at < 0 ? w->to : w->at)));
    if (!same)
        *w = (window_found){.any = true, .to = from, .nth = nth, .at = -1};
    w->from = from;
    while (w->at < 0 && w->to < to) {
        TRY(window_see_null(&f->look, w->to + part, &null, err));
        w->got += !null;
        if (w->got == nth)
            w->at = w->to;
        w->to++;
    }
    *out = row_of_part(f, i, w->at < to ? w->at : -1);
    return NRW_OK;
}

/* The last row that is not null, the same way. */
static nrw_status find_last(finding *f, uint32_t i, int64_t from, int64_t to, int64_t *out,
                            nrw_error *err)
{
    window_found *w = f->found;
    const int64_t part = window_part(f->s, i);
    const bool seen = w->any && w->nth == 0;
    int64_t at, down;
    bool null = true;

    from -= part;
    to -= part;
    down = seen && w->to > from ? w->to : from; /* in front of it nothing is new */
    for (at = to; at > down && null;)
        TRY(window_see_null(&f->look, --at + part, &null, err));
    if (null)
        at = seen ? w->at : -1;
    *w = (window_found){.any = true, .to = to, .at = at};
    *out = row_of_part(f, i, at >= from ? at : -1);
    return NRW_OK;
}

/* The row `by` rows from i inside of its partition, those that are null not counted where they are
 * to be ignored. */
static nrw_status shifted(finding *f, uint32_t i, int64_t by, int64_t *out, nrw_error *err)
{
    const window_segment *s = f->s;
    const int64_t part = window_part(s, i), end = window_part_end(s, i), step = by < 0 ? -1 : 1;
    int64_t at = i;
    bool null;

    *out = WINDOW_NONE;
    if (!f->c->ignore_nulls) {
        if (by >= part - at && by < end - at)
            *out = at + by;
        return NRW_OK;
    }
    if (by == -1 || by == 1)
        return by < 0 ? find_last(f, i, part, at, out, err)
                      : find_first(f, i, at + 1, end, 1, out, err);
    for (int64_t left = by < 0 ? -by : by; left > 0; left -= !null) {
        at += step;
        if (at < part || at >= end)
            return NRW_OK;
        TRY(window_see_null(&f->look, at, &null, err));
    }
    *out = at;
    return NRW_OK;
}

/* Rows without a value have the default. */
static nrw_status put_defaults(const window_segment *s, const window_call *c, const int64_t *at,
                               vector *values, nrw_error *err)
{
    vector both[2] = {*values, s->columns[c->args[2]]}, all = {0}, out;
    uint32_t *idx;
    nrw_status st;

    TRY(mem_alloc(s->m, s->n * sizeof *idx, (void **)&idx, err));
    for (uint32_t i = 0; i < s->n; i++)
        idx[i] = at[i] == WINDOW_NONE ? s->n + i : i;
    st = vector_concat(both, 2, s->m, &all, err);
    if (st >= 0)
        st = vector_pick(&all, idx, s->n, s->m, &out, err);
    vector_release(&all);
    mem_free(s->m, idx, s->n * sizeof *idx);
    if (st >= 0) {
        vector_release(values);
        *values = out;
    }
    return st;
}

/* lag, lead. */
static nrw_status shift_rows(finding *f, int64_t *at, nrw_error *err)
{
    const window_segment *s = f->s;
    const window_call *c = f->c;

    for (uint32_t i = 0; i < s->n; i++) {
        bool null = false;
        int64_t by = c->n_args > 1 ? number_at(s, c->args[1], i, &null) : 1;
        if (window_begins(s, i))
            *f->found = (window_found){0};
        by = by == INT64_MIN ? INT64_MAX : c->kind == WINDOW_LAG ? -by : by;
        at[i] = WINDOW_NONE;
        if (!null)
            TRY(shifted(f, i, by, &at[i], err));
    }
    return NRW_OK;
}

void window_frame_of(const window_segment *s, const window_call *c, uint32_t i, int64_t *from,
                     int64_t *to)
{
    int64_t lo = window_part(s, i), hi = window_part_end(s, i), begin = lo, end = hi;

    if (c->from == FRAME_CURRENT)
        begin = c->by_rows ? i : window_peers(s, i);
    else if (c->from == FRAME_PRECEDING)
        begin = (int64_t)i - c->from_offset;
    else if (c->from == FRAME_FOLLOWING)
        begin = c->from_offset > hi - i ? hi : (int64_t)i + c->from_offset;
    if (c->to == FRAME_CURRENT)
        end = c->by_rows ? (int64_t)i + 1 : window_peers_end(s, i);
    else if (c->to == FRAME_PRECEDING)
        end = (int64_t)i - c->to_offset + 1;
    else if (c->to == FRAME_FOLLOWING)
        end = c->to_offset > hi - i ? hi : (int64_t)i + c->to_offset + 1;
    begin = begin < lo ? lo : begin;
    end = end > hi ? hi : end;
    *from = begin;
    *to = end < begin ? begin : end;
}

/* first_value, last_value, nth_value. */
static nrw_status value_in_frame(finding *f, uint32_t i, int64_t *out, nrw_error *err)
{
    const window_call *c = f->c;
    int64_t nth = 1, from, to;
    bool null = false;

    window_frame_of(f->s, c, i, &from, &to);
    if (c->kind == WINDOW_NTH_VALUE)
        nth = number_at(f->s, c->args[1], i, &null);
    *out = WINDOW_NONE;
    if (null || nth < 1)
        return NRW_OK;
    if (c->ignore_nulls)
        return c->kind == WINDOW_LAST_VALUE ? find_last(f, i, from, to, out, err)
                                            : find_first(f, i, from, to, nth, out, err);
    if (c->kind == WINDOW_LAST_VALUE)
        *out = to > from ? to - 1 : WINDOW_NONE;
    else if (nth <= to - from)
        *out = from + (nth - 1);
    return NRW_OK;
}

static nrw_status frame_values(finding *f, int64_t *at, nrw_error *err)
{
    for (uint32_t i = 0; i < f->s->n; i++) {
        if (window_begins(f->s, i))
            *f->found = (window_found){0};
        TRY(value_in_frame(f, i, &at[i], err));
    }
    return NRW_OK;
}

static nrw_status values_of_others(const window_segment *s, const window_call *c,
                                   window_progress *p, vector *out, nrw_error *err)
{
    bool shifts = c->kind == WINDOW_LAG || c->kind == WINDOW_LEAD;
    finding f = {s, c, &p->found, window_look_at(s, c->args[0])};
    int64_t *at;
    nrw_status st;

    TRY(mem_alloc(s->m, s->n * sizeof *at, (void **)&at, err));
    st = shifts ? shift_rows(&f, at, err) : frame_values(&f, at, err);
    window_look_end(&f.look);
    if (st >= 0)
        st = window_pick(s, c->args[0], at, out, err);
    if (st >= 0 && shifts && c->n_args > 2)
        st = put_defaults(s, c, at, out, err);
    mem_free(s->m, at, s->n * sizeof *at);
    return st;
}

nrw_status window_compute(const window_segment *s, const window_call *c, window_progress *p,
                          vector *out, nrw_error *err)
{
    switch (c->kind) {
    case WINDOW_ROW_NUMBER:
    case WINDOW_RANK:
    case WINDOW_DENSE_RANK: return number_rows(s, c, out, err);
    case WINDOW_PERCENT_RANK:
    case WINDOW_CUME_DIST: return share_rows(s, c, out, err);
    case WINDOW_NTILE: return tile_rows(s, c, out, err);
    case WINDOW_AGGREGATE: return window_aggregate_values(s, c, p, out, err);
    default: return values_of_others(s, c, p, out, err);
    }
}
