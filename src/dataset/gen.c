#include "dataset/gen.h"

#include "dataset/gen_value.h"

#include <stdlib.h>

#define DICT_MOST  65536 /* values of a range that is served as a dictionary */
#define INDEX_MOST 16384 /* rows of a piece of indices: it stays in the cache */

typedef struct column {
    gen_column def;
    uint64_t seed;
    uint64_t stride; /* of a range: rows (in logical order) before its value changes */
    dict *dict;      /* of a range of at most DICT_MOST values, made when first read */
} column;

typedef struct gen {
    reader base;
    mem *m;
    arena *a;
    schema schema;
    column *columns; /* all */
    uint64_t rows;
    bool shuffle;
    gen_permutation permutation;

    uint32_t n; /* chosen */
    uint32_t *chosen;
    mem *grant;
    uint32_t cut_rows;
    uint64_t at;
} gen;

static const column_source gen_columns;

static const schema *gen_schema(const reader *base)
{
    return &((const gen *)base)->schema;
}

static int64_t gen_rows(const reader *base)
{
    return (int64_t)((const gen *)base)->rows;
}

static nrw_status gen_budget(const reader *base, const uint32_t *cols, uint32_t n, uint32_t workers,
                             budget *out, nrw_error *err)
{
    const gen *g = (const gen *)base;
    uint64_t dicts = 0;

    (void)err;
    for (uint32_t i = 0; i < n; i++) {
        const gen_column *c = &g->columns[cols[i]].def;
        if (c->range > 0 && c->range <= DICT_MOST)
            dicts += c->range * (16 + (type_is_view(&c->type) ? gen_range_length(c, 0) : 0)) + 4096;
    }
    (void)workers; /* what they read is charged to their batches */
    *out = (budget){.least = dicts + (64 << 10), .wish = dicts + (64 << 10)};
    return NRW_OK;
}

static nrw_status make_dict(gen *g, column *c, nrw_error *err)
{
    uint32_t n = (uint32_t)c->def.range;
    vector v;
    buffer *heap = NULL;
    int32_t index = 0;
    nrw_status st;

    TRY(vector_flat(g->grant, &c->def.type, n, &v, err));
    v.len = n;
    if (type_is_view(&c->def.type)) {
        uint32_t len = gen_range_length(&c->def, 0);
        TRY_OUT(buffer_new(g->grant, (size_t)n * len, &heap, err));
        for (uint32_t i = 0; i < n; i++)
            gen_range_text(&c->def, i, heap->data + (size_t)i * len);
        TRY_OUT(vector_add_heap(&v, heap, &index, err));
        for (uint32_t i = 0; i < n; i++)
            ((view *)v.data)[i] =
                view_make(heap->data + (size_t)i * len, (int32_t)len, index, (int32_t)(i * len));
    } else {
        for (uint32_t i = 0; i < n; i++)
            gen_range_fixed(&c->def, i, v.data + (size_t)i * c->def.type.width);
    }
    st = dict_new(g->grant, &v, &c->dict, err);
    if (st >= 0)
        c->dict->distinct = true;
out:
    buffer_unref(heap);
    if (st < 0)
        vector_release(&v);
    return st;
}

static nrw_status gen_start(reader *base, const uint32_t *cols, uint32_t n,
                            const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    gen *g = (gen *)base;
    uint64_t widest = 4;

    (void)s;
    g->grant = grant;
    TRY(arena_alloc(g->a, n * sizeof *g->chosen + 1, (void **)&g->chosen, err));
    g->n = n;
    for (uint32_t i = 0; i < n; i++) {
        column *c = &g->columns[cols[i]];
        uint64_t w = c->def.type.width + (c->def.range ? 0 : c->def.max_length);
        g->chosen[i] = cols[i];
        widest = w > widest && !(c->def.range && c->def.range <= DICT_MOST) ? w : widest;
        if (c->def.range > 0 && c->def.range <= DICT_MOST && !c->dict)
            TRY(make_dict(g, c, err));
    }
    g->cut_rows = shape->max_rows;
    if (shape->column_bytes / widest < g->cut_rows)
        g->cut_rows = (uint32_t)(shape->column_bytes / widest);
    widest = widest * (n ? n : 1) + shape->row_bytes;
    if (shape->batch_bytes && shape->batch_bytes / widest < g->cut_rows)
        g->cut_rows = (uint32_t)(shape->batch_bytes / widest);
    g->cut_rows = g->cut_rows ? g->cut_rows : 1;
    return NRW_OK;
}

static nrw_status gen_next(reader *base, batch *b, nrw_error *err)
{
    gen *g = (gen *)base;

    (void)err;
    if (g->at >= g->rows)
        return NRW_END;
    b->rows = (uint32_t)(g->rows - g->at < g->cut_rows ? g->rows - g->at : g->cut_rows);
    b->first_row = (int64_t)g->at;
    b->source = &gen_columns;
    b->source_self = g;
    b->source_state = (void *)(uintptr_t)g->at;
    g->at += b->rows;
    return NRW_OK;
}

static uint64_t logical(const gen *g, uint64_t row)
{
    return g->shuffle ? gen_permute(&g->permutation, row) : row;
}

/* Which rows a read is for: `n` of them, from `row` on or by selection. */
typedef struct wanted {
    const gen *g;
    uint64_t row; /* of the input, at the batch's start */
    uint32_t first, n;
    const uint16_t *sel;
} wanted;

static uint64_t wanted_row(const wanted *w, uint32_t i)
{
    return logical(w->g, w->row + (w->sel ? w->sel[i] : w->first + i));
}

static nrw_status add_nulls(const column *c, const wanted *w, vector *v, nrw_error *err)
{
    if (c->def.nulls <= 0)
        return NRW_OK;
    TRY(vector_add_validity(v, err));
    for (uint32_t i = 0; i < w->n; i++)
        if (gen_is_null(&c->def, c->seed, wanted_row(w, i))) {
            bit_clear(v->validity, i);
            v->null_count++;
            if (v->form == VECTOR_FLAT)
                memset(v->data + (size_t)i * v->type.width, 0, v->type.width);
        }
    return NRW_OK;
}

/* Indices of consecutive rows count up and wrap: one division, and what comes back is copied. */
static void count_up(const column *c, uint64_t row, uint32_t n, uint32_t *index)
{
    uint64_t value = row / c->stride % c->def.range, left = c->stride - row % c->stride;
    uint64_t period = c->stride * c->def.range;
    uint32_t once = period < n ? (uint32_t)period : n;

    for (uint32_t i = 0; i < once; i++) {
        index[i] = (uint32_t)value;
        if (--left == 0) {
            left = c->stride;
            if (++value == c->def.range)
                value = 0;
        }
    }
    for (uint32_t at = once; at < n; at += once) {
        once = at < n - at ? at : n - at;
        memcpy(index + at, index, once * sizeof *index);
    }
}

static nrw_status read_dict(column *c, const wanted *w, mem *m, vector *out, nrw_error *err)
{
    uint32_t *index;

    TRY(vector_dict(m, &c->def.type, c->dict, w->n, out, err));
    out->len = w->n;
    index = (uint32_t *)out->data;
    if (!w->g->shuffle && !w->sel) {
        count_up(c, w->row + w->first, w->n, index);
        return NRW_OK;
    }
    for (uint32_t i = 0; i < w->n; i++)
        index[i] = (uint32_t)(wanted_row(w, i) / c->stride % c->def.range);
    return NRW_OK;
}

/* Consecutive rows of a slow range: one entry for each value, without looking at rows. */
static nrw_status read_runs(column *c, const wanted *w, mem *m, vector *out, nrw_error *err)
{
    uint64_t row = w->row + w->first, end = row + w->n;
    uint32_t runs = (uint32_t)((end - 1) / c->stride - row / c->stride + 1), *index;
    vector values;
    nrw_status st;

    TRY(vector_dict(m, &c->def.type, c->dict, runs, &values, err));
    values.len = runs;
    index = (uint32_t *)values.data;
    for (uint32_t i = 0; i < runs; i++)
        index[i] = (uint32_t)((row / c->stride + i) % c->def.range);
    st = vector_runs(m, &values, w->n, out, err);
    if (st < 0) {
        vector_release(&values);
        return st;
    }
    out->len = w->n;
    out->n_runs = runs;
    for (uint32_t i = 0; i < runs; i++) {
        uint64_t run_end = (row / c->stride + i + 1) * c->stride - row;
        ((uint32_t *)out->data)[i] = run_end > w->n ? w->n : (uint32_t)run_end;
    }
    return NRW_OK;
}

static nrw_status read_text(const column *c, const wanted *w, mem *m, vector *out, nrw_error *err)
{
    uint64_t bytes = 0, at = 0;
    buffer *heap;
    int32_t index;
    nrw_status st;

    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t row = wanted_row(w, i);
        bytes += c->def.range ? gen_range_length(&c->def, row)
                              : gen_seeded_length(&c->def, c->seed, row);
    }
    TRY(buffer_new(m, bytes, &heap, err));
    st = vector_add_heap(out, heap, &index, err);
    for (uint32_t i = 0; i < w->n && st >= 0; i++) {
        uint64_t row = wanted_row(w, i);
        uint8_t *dst = heap->data + at;
        uint32_t len;
        if (c->def.range) {
            uint64_t value = row / c->stride % c->def.range;
            len = gen_range_length(&c->def, value);
            gen_range_text(&c->def, value, dst);
        } else {
            len = gen_seeded_length(&c->def, c->seed, row);
            gen_seeded_text(&c->def, c->seed, row, dst);
        }
        ((view *)out->data)[i] = view_make(dst, (int32_t)len, index, (int32_t)at);
        at += len;
    }
    buffer_unref(heap);
    return st;
}

static nrw_status read_flat(const column *c, const wanted *w, mem *m, vector *out, nrw_error *err)
{
    const type *t = &c->def.type;

    TRY(vector_flat(m, t, w->n, out, err));
    out->len = w->n;
    if (type_is_view(t))
        return read_text(c, w, m, out, err);
    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t row = wanted_row(w, i);
        uint8_t *dst = out->data + (size_t)i * t->width;
        if (c->def.range)
            gen_range_fixed(&c->def, row / c->stride % c->def.range, dst);
        else
            gen_seeded_fixed(&c->def, c->seed, row, dst);
    }
    return NRW_OK;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    gen *g = self;
    column *c = &g->columns[g->chosen[tag]];
    bool text = type_is_view(&c->def.type) && !c->dict;
    uint32_t width = c->dict ? 4 : c->def.type.width + (text ? c->def.max_length : 0);
    wanted w = {.g = g,
                .row = (uint64_t)(uintptr_t)b->source_state + b->offset,
                .first = first,
                .n = sel ? n_sel : max_rows,
                .sel = sel};
    nrw_status st;

    *out = (vector){0};
    if (w.n > max_rows)
        w.n = max_rows;
    if (max_bytes / (width ? width : 1) < w.n)
        w.n = (uint32_t)(max_bytes / width) ? (uint32_t)(max_bytes / width) : 1;
    if (c->dict && !g->shuffle && !sel && c->stride >= 8 && c->def.nulls <= 0)
        return read_runs(c, &w, m, out, err);
    if (c->dict && w.n > INDEX_MOST)
        w.n = INDEX_MOST;
    st = c->dict ? read_dict(c, &w, m, out, err) : read_flat(c, &w, m, out, err);
    if (st >= 0)
        st = add_nulls(c, &w, out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

static void columns_done(void *self, batch *b, uint32_t tag)
{
    (void)self;
    (void)b;
    (void)tag;
}

static const column_source gen_columns = {.read = columns_read, .done = columns_done};

static void gen_close(reader *base)
{
    gen *g = (gen *)base;

    for (uint32_t i = 0; g->columns && i < g->schema.n_fields; i++)
        dict_unref(g->columns[i].dict);
    arena_free(g->a);
    mem_free(g->m, g, sizeof *g);
}

/* Ranges come out in order, unless shuffled or with nulls. */
static nrw_status gen_carries(reader *base, arena *a, carried *out, nrw_error *err)
{
    const gen *g = (const gen *)base;
    uint32_t n = 0;

    *out = (carried){0};
    while (!g->shuffle && n < g->schema.n_fields && g->columns[n].def.range &&
           g->columns[n].def.nulls <= 0)
        n++;
    TRY(arena_alloc(a, n * sizeof *out->sorted + 1, (void **)&out->sorted, err));
    for (uint32_t i = 0; i < n; i++)
        out->sorted[i] = (sort_key){.column = (int32_t)i};
    out->n_sorted = n;
    return NRW_OK;
}

static const reader_class gen_class = {
    .name = "gen",
    .schema = gen_schema,
    .rows = gen_rows,
    .budget = gen_budget,
    .start = gen_start,
    .next = gen_next,
    .close = gen_close,
    .carries = gen_carries,
};

static nrw_status count_rows(gen *g, const gen_options *opts, nrw_error *err)
{
    bool ranges = false;

    g->rows = 1;
    for (uint32_t i = opts->n_columns; i-- > 0;) {
        column *c = &g->columns[i];
        if (!c->def.range)
            continue;
        ranges = true;
        c->stride = g->rows;
        if (__builtin_mul_overflow(g->rows, c->def.range, &g->rows) || g->rows > INT64_MAX)
            return err_set(err, NRW_E_ARG,
                           "the ranges make more than 9,223,372,036,854,775,807 rows");
    }
    if (!ranges && opts->rows == 0) {
        err_next(err, "give --range NAME=COUNT or --rows N");
        return err_set(err, NRW_E_ARG, "how many rows is not said");
    }
    if (opts->rows && (!ranges || opts->rows < g->rows))
        g->rows = opts->rows;
    return NRW_OK;
}

static nrw_status copy_columns(gen *g, const gen_options *opts, nrw_error *err)
{
    TRY(schema_new(g->a, opts->n_columns, &g->schema, err));
    TRY(arena_alloc(g->a, opts->n_columns * sizeof *g->columns, (void **)&g->columns, err));
    for (uint32_t i = 0; i < opts->n_columns; i++) {
        const gen_column *def = &opts->columns[i];
        char *name;
        TRY(arena_strndup(g->a, def->name, strlen(def->name), &name, err));
        g->columns[i].def = *def;
        g->columns[i].def.name = name;
        g->columns[i].seed = gen_column_seed(opts->seed, i);
        g->schema.fields[i] =
            (field){.name = name, .type = def->type, .nullable = def->nulls > 0, .field_id = -1};
    }
    return NRW_OK;
}

nrw_status gen_open(mem *m, const gen_options *opts, reader **out, nrw_error *err)
{
    gen *g;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *g, (void **)&g, err));
    g->base.class = &gen_class;
    g->m = m;
    TRY_OUT(arena_new(m, &g->a, err));
    TRY_OUT(copy_columns(g, opts, err));
    TRY_OUT(count_rows(g, opts, err));
    g->shuffle = opts->shuffle;
    g->permutation = gen_permutation_of(g->rows, gen_column_seed(opts->seed, UINT32_MAX));
    *out = &g->base;
    return NRW_OK;
out:
    gen_close(&g->base);
    return st;
}
