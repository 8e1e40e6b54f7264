#include "dataset/totals.h"

#include "base/utf8.h"
#include "column/compare.h"
#include "dataset/scan_own.h"

/* Longer values are not kept. */
#define MOST_VALUE ((size_t)4096)

/* A value that is replaced by better ones, in room of its own. */
typedef struct best {
    uint8_t *room;
    size_t cap, len;
    bool there;
} best;

typedef struct totalling {
    column_total *at;
    arena *a;
    best least, greatest;
    bool unknown;
} totalling;

static nrw_status keep(totalling *t, best *b, span value, nrw_error *err)
{
    if (value.len + 1 > b->cap) { /* an empty text has a place, too */
        b->cap = 2 * value.len + 16;
        TRY(arena_alloc(t->a, b->cap, (void **)&b->room, err));
    }
    if (value.len)
        memcpy(b->room, value.data, value.len);
    b->len = value.len;
    b->there = true;
    return NRW_OK;
}

static span kept(const best *b)
{
    return b->there ? (span){b->room, b->len} : (span){0};
}

static bool is_a_value(const type *t, span v)
{
    return v.len <= MOST_VALUE && (t->id != TYPE_UTF8 || utf8_valid(v.data, v.len));
}

static nrw_status take_extremes(totalling *t, const value_facts *f, nrw_error *err)
{
    const type *of = &t->at->type;

    if (!f->has_min || !f->has_max || !f->min_exact || !f->max_exact || !is_a_value(of, f->min) ||
        !is_a_value(of, f->max)) {
        t->unknown = true;
        return NRW_END;
    }
    if (!t->least.there || value_compare(of, f->min, kept(&t->least)) < 0)
        TRY(keep(t, &t->least, f->min, err));
    if (!t->greatest.there || value_compare(of, f->max, kept(&t->greatest)) > 0)
        TRY(keep(t, &t->greatest, f->max, err));
    return NRW_OK;
}

static nrw_status found_range(void *self, int64_t row, const value_facts *f, nrw_error *err)
{
    totalling *t = self;
    const bool empty = f->nulls == f->rows;

    (void)row;
    if (f->rows == 0)
        return NRW_OK;
    /* a stretch of nothing but nulls has no bounds, or its writer is not to be trusted */
    if ((!t->at->extremes && f->nulls < 0) || (empty && (f->has_min || f->has_max))) {
        t->unknown = true;
        return NRW_END;
    }
    if (!t->at->extremes)
        t->at->nulls += f->nulls;
    return empty || !t->at->extremes ? NRW_OK : take_extremes(t, f, err);
}

typedef struct visiting {
    totalling *at;
    uint32_t n;
    mem *m;
    bool unknown;
} visiting;

static nrw_status visit(void *self, reader *r, nrw_error *err)
{
    visiting *v = self;

    v->unknown = !r->class->ranges;
    for (uint32_t i = 0; i < v->n && !v->unknown; i++) {
        totalling *t = &v->at[i];
        TRY(r->class->ranges(r, v->m, t->at->column, found_range, t, err));
        v->unknown = t->unknown;
    }
    return v->unknown ? NRW_END : NRW_OK;
}

static bool may_be_known(const scan *s, const column_total *at, uint32_t n)
{
    if (scan_rows(s) < 0 || !s->first || !s->first->class->ranges)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (at[i].extremes && !scan_bounds_order(&at[i].type))
            return false;
    return true;
}

nrw_status scan_totals(scan *s, mem *m, column_total *at, uint32_t n, arena *a, bool *known,
                       nrw_error *err)
{
    visiting all = {.n = n, .m = m};

    *known = may_be_known(s, at, n);
    if (!*known || n == 0)
        return NRW_OK;
    TRY(arena_alloc(a, n * sizeof *all.at, (void **)&all.at, err));
    for (uint32_t i = 0; i < n; i++) {
        at[i].nulls = 0;
        all.at[i] = (totalling){.at = &at[i], .a = a};
    }
    TRY(scan_each(s, m, visit, &all, err));
    *known = !all.unknown;
    for (uint32_t i = 0; i < n; i++) {
        at[i].least = kept(&all.at[i].least);
        at[i].greatest = kept(&all.at[i].greatest);
    }
    return NRW_OK;
}
