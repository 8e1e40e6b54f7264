#include "dataset/marks.h"

#include "column/compare.h"
#include "dataset/scan_own.h"

/* Where there are more ranges, files or longer bounds, nothing is said. */
#define MOST_RANGES 16384u
#define MOST_FILES  64u
#define MOST_BOUND  64u
/* With less room to win, rows are better gathered at once. */
#define FEWEST 3u
#define PARTS  4

static nrw_status keep_key(arena *a, span key, span *out, nrw_error *err)
{
    void *copy;

    TRY(arena_alloc(a, key.len + 1, &copy, err)); /* an empty text has a place, too */
    if (key.len)
        memcpy(copy, key.data, key.len);
    *out = (span){copy, key.len};
    return NRW_OK;
}

/* ---- ranges to marks ---- */

/* In the order of the marks: below 0 where x comes before y. */
static int compare(const key_marks *m, span x, span y)
{
    return m->descending ? value_compare(&m->type, y, x) : value_compare(&m->type, x, y);
}

static span first_of(const key_marks *m, const key_range *r)
{
    return m->descending ? r->max : r->min;
}

static span last_of(const key_marks *m, const key_range *r)
{
    return m->descending ? r->min : r->max;
}

/* firsts[i]: the range with the first key among those from i on; n: none has any. */
static void find_firsts(const key_marks *m, const key_range *r, size_t n, uint32_t *firsts)
{
    firsts[n] = (uint32_t)n;
    for (size_t i = n; i-- > 0;) {
        uint32_t k = firsts[i + 1];
        firsts[i] = k;
        if (!r[i].empty && (k == n || compare(m, first_of(m, &r[i]), first_of(m, &r[k])) < 0))
            firsts[i] = (uint32_t)i;
    }
}

/* Fills at[0..n) with keys that still are the ranges' own. */
static uint32_t find_marks(const key_marks *m, const key_range *r, size_t n, const uint32_t *firsts,
                           key_mark *at, int64_t *most)
{
    span last = {0};
    int64_t since = 0;
    uint32_t found = 0;

    *most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t k = firsts[i + 1];
        int order;
        since += r[i].rows;
        *most = since > *most ? since : *most;
        if (!r[i].empty && (!last.data || compare(m, last_of(m, &r[i]), last) > 0))
            last = last_of(m, &r[i]);
        if (since < MARK_ROWS || k == n || !last.data)
            continue;
        order = compare(m, last, first_of(m, &r[k]));
        if (order > 0 || (order == 0 && m->strict))
            continue;
        at[found++] = (key_mark){r[i + 1].row, first_of(m, &r[k])};
        since = 0;
    }
    return found;
}

static bool all_known(const key_marks *m, const key_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((!r[i].min.data && !r[i].empty) || (m->strict && !r[i].no_nulls))
            return false;
    return true;
}

nrw_status marks_of_ranges(const key_range *ranges, size_t n, arena *scratch, arena *a,
                           key_marks *out, nrw_error *err)
{
    int64_t rows = 0;
    uint32_t *firsts;
    key_mark *at, *kept;

    out->n = 0;
    if (n == 0 || !all_known(out, ranges, n))
        return NRW_OK;
    for (size_t i = 0; i < n; i++)
        rows += ranges[i].rows;
    TRY(arena_alloc(scratch, (n + 1) * sizeof *firsts, (void **)&firsts, err));
    TRY(arena_alloc(scratch, n * sizeof *at, (void **)&at, err));
    for (int way = 0; way < 2 && out->n == 0; way++) {
        out->descending = way;
        find_firsts(out, ranges, n, firsts);
        out->n = find_marks(out, ranges, n, firsts, at, &out->most);
        if (out->n < FEWEST || out->most > rows / PARTS)
            out->n = 0;
    }
    TRY(arena_alloc(a, out->n * sizeof *kept + 1, (void **)&kept, err));
    for (uint32_t i = 0; i < out->n; i++) {
        kept[i].row = at[i].row;
        TRY(keep_key(a, at[i].key, &kept[i].key, err));
    }
    out->at = kept;
    return NRW_OK;
}

/* ---- ranges of a scan ---- */

typedef struct collecting {
    arena *a;
    uint32_t column;
    int64_t row; /* where the input at hand begins */
    key_range *at;
    size_t n;
    bool unknown;
} collecting;

static nrw_status found_range(void *self, int64_t row, const value_facts *f, nrw_error *err)
{
    collecting *c = self;
    key_range *r = &c->at[c->n];

    if (f->rows == 0)
        return NRW_OK;
    if (c->n == MOST_RANGES || (f->has_min && f->min.len > MOST_BOUND) ||
        (f->has_max && f->max.len > MOST_BOUND)) {
        c->unknown = true;
        return NRW_END;
    }
    *r = (key_range){.row = c->row + row,
                     .rows = f->rows,
                     .no_nulls = f->nulls == 0,
                     .empty = f->nulls == f->rows};
    if (!r->empty && f->has_min && f->has_max) {
        TRY(keep_key(c->a, f->min, &r->min, err));
        TRY(keep_key(c->a, f->max, &r->max, err));
    }
    c->n++;
    return NRW_OK;
}

static nrw_status visit(void *self, reader *r, nrw_error *err)
{
    collecting *c = self;
    mem *m = arena_mem(c->a);
    nrw_status st;

    c->unknown = !r->class->ranges;
    st = c->unknown ? NRW_END : r->class->ranges(r, m, c->column, found_range, c, err);
    c->row += r->class->rows(r);
    return c->unknown && st >= 0 ? NRW_END : st;
}

bool scan_bounds_order(const type *t)
{
    switch (t->id) {
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DECIMAL:
    case TYPE_UTF8:
    case TYPE_BINARY: return true;
    default: return false;
    }
}

nrw_status scan_marks(scan *s, mem *m, uint32_t c, arena *a, key_marks *out, nrw_error *err)
{
    collecting all = {.column = c};
    nrw_status st;

    out->n = 0;
    out->type = s->schema.fields[c].type;
    out->column = s->schema.fields[c].name;
    if (s->n > MOST_FILES || s->opts.process_by == PROCESS_FILE || scan_files_small(s) ||
        scan_rows(s) < (FEWEST + 1) * MARK_ROWS || !scan_bounds_order(&out->type))
        return NRW_OK;
    TRY(arena_new(m, &all.a, err));
    st = arena_alloc(all.a, MOST_RANGES * sizeof *all.at, (void **)&all.at, err);
    if (st >= 0)
        st = scan_each(s, m, visit, &all, err);
    if (st >= 0 && !all.unknown)
        st = marks_of_ranges(all.at, all.n, all.a, a, out, err);
    arena_free(all.a);
    return st;
}
