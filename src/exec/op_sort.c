#include "exec/op_sort.h"

#include "base/fetch.h"
#include "exec/dense.h"
#include "exec/sort_best.h"
#include "exec/sort_run.h"

#include <pthread.h>

#define LEAVE_ROWS  4096u
#define GATHER_ROWS 4096u
#define CUT_ROWS    16384u
#define AHEAD       16u

typedef struct sort_worker {
    mem *m;
    rows rows;
    sort_entry *entries;
    uint64_t n, cap;
    bytes keys;
    run_writer out;
    bool full; /* the first rows are there: what comes behind `last` is not looked at */
    bytes last;
    uint64_t cut; /* rows that were left when those beyond `each` were dropped */
    rows leaving; /* rows of the morsel that leaves */
    uint8_t **left;
    uint32_t n_left;
} sort_worker;

typedef struct op_sort {
    op base;
    source source;
    mem *m;
    sort_spec spec;
    row_layout layout; /* the key, then the columns */
    sort_worker *workers;
    sort_best *best; /* NULL: no row goes before it is sorted */
    spill *spill;
    pthread_mutex_t lock; /* guards runs while rows come */
    sort_run *runs;
    uint32_t n_runs, cap_runs;
    sort_merge merge;
    bool merging;
    uint8_t *row; /* the merge's */
    uint64_t gone, morsel;
} op_sort;

static nrw_status add_run(op_sort *o, const sort_run *r, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    if (o->n_runs == o->cap_runs) {
        void *p = o->runs;
        uint32_t cap = o->cap_runs ? o->cap_runs * 2 : 16;
        st = mem_realloc(o->m, &p, o->cap_runs * sizeof *r, cap * sizeof *r, err);
        if (st >= 0) {
            o->runs = p;
            o->cap_runs = cap;
        }
    }
    if (st >= 0)
        o->runs[o->n_runs++] = *r;
    pthread_mutex_unlock(&o->lock);
    return st;
}

static uint32_t block_bytes(const op_sort *o)
{
    return o->spec.merging < 64 * RUN_BLOCK ? RUN_SMALL_BLOCK : RUN_BLOCK;
}

static run_writer run_writer_for(op_sort *o)
{
    bool texts = false;

    for (uint32_t i = 0; i < o->spec.n_orders; i++)
        texts |= type_is_view(&o->spec.types[o->spec.orders[i].column]);
    return run_writer_of(&o->layout, texts, o->m, o->spill);
}

/* ---- rows come ---- */

/* Of a row: how many bytes of its key tell which rows are alike. */
static span alike(const op_sort *o, const uint8_t *row)
{
    return (span){row_value(&o->layout, row, 0).data, load_u32(row + 4)};
}

/* Rows lie as they came, entries as they are to leave: those that are next come into the cache. */
FETCHES fetch(const sort_worker *w, uint64_t i, uint32_t bytes)
{
    if (i + AHEAD < w->n)
        fetch_bytes(w->entries[i + AHEAD].row, bytes);
}

/* In order; of rows that are alike only the first stay. */
static void order_entries(op_sort *o, sort_worker *w)
{
    uint64_t kept = 0, same = 0;
    span last = {0};

    sort_entries(&o->layout, w->entries, w->n, o->base.cancel);
    for (uint64_t i = 0; o->spec.each && i < w->n; i++) {
        span now;
        fetch(w, i, 64);
        now = alike(o, w->entries[i].row);
        same = i && span_equal(now, last) ? same + 1 : 1;
        last = now;
        if (same <= o->spec.each)
            w->entries[kept++] = w->entries[i];
    }
    if (o->spec.each) {
        op_count(&o->base, 0, w->n - kept);
        w->n = kept;
    }
}

/* What w gathered becomes a run of the spill file. */
static nrw_status spill_run(op_sort *o, sort_worker *w, nrw_error *err)
{
    sort_run run = {.block = block_bytes(o)};
    nrw_status st = NRW_OK;

    order_entries(o, w);
    for (uint64_t i = 0; st >= 0 && i < w->n; i++) {
        fetch(w, i, o->layout.fixed + 64);
        st = sort_run_put(&run, &w->out, w->entries[i].row, err);
        if (st >= 0 && i % LEAVE_ROWS == 0)
            st = op_check(&o->base, err);
    }
    if (st >= 0)
        st = sort_run_end(&run, &w->out, err);
    if (st >= 0)
        st = add_run(o, &run, err);
    if (st < 0)
        sort_run_free(&run, o->m, o->spill);
    rows_release(&w->rows); /* the books are to say what is free */
    w->n = w->cut = 0;
    return st;
}

/* Rows without an entry go. */
static nrw_status keep_entries(sort_worker *w, nrw_error *err)
{
    rows kept = {.m = w->m};

    for (uint64_t i = 0; i < w->n; i++) {
        uint8_t *row;
        nrw_status st;
        fetch(w, i, row_bytes(w->entries[i].row));
        st = rows_new(&kept, row_bytes(w->entries[i].row), &row, err);
        if (st < 0) {
            rows_release(&kept);
            return st;
        }
        memcpy(row, w->entries[i].row, row_bytes(w->entries[i].row));
        w->entries[i].row = row;
    }
    rows_release(&w->rows);
    w->rows = kept;
    return NRW_OK;
}

/* Only the first `limit` rows stay. */
static nrw_status cut_to_first(op_sort *o, sort_worker *w, nrw_error *err)
{
    span key;

    sort_entries(&o->layout, w->entries, w->n, o->base.cancel);
    w->n = o->spec.limit;
    TRY(keep_entries(w, err));
    key = row_value(&o->layout, w->entries[w->n - 1].row, 0);
    w->last.len = 0;
    w->full = true;
    return bytes_append(&w->last, key.data, key.len, err);
}

/* Where twice as many rows are there as were left before, and both fit for a moment: of rows that
 * are alike only the first stay. */
static nrw_status cut_each(op_sort *o, sort_worker *w, nrw_error *err)
{
    if (!o->spec.each || w->n < CUT_ROWS || w->n / 2 < w->cut ||
        mem_used(w->m) > mem_limit(w->m) / 2)
        return NRW_OK;
    order_entries(o, w);
    w->cut = w->n;
    return keep_entries(w, err);
}

/* Entries to have room for, if n more come. */
static uint64_t entries_wanted(const sort_worker *w, uint64_t n)
{
    uint64_t cap = w->cap ? w->cap : 1024;

    while (cap < w->n + n)
        cap *= 2;
    return cap;
}

static nrw_status make_room(op_sort *o, sort_worker *w, uint32_t n, uint64_t row_bytes_,
                            nrw_error *err)
{
    uint64_t need = rows_cost(row_bytes_), limit = mem_limit(w->m);
    uint64_t cap = entries_wanted(w, n);
    void *p = w->entries;

    if (cap != w->cap)
        need += mem_cost(cap * sizeof *w->entries);
    if (w->n && mem_used(w->m) + need > limit - limit / 8)
        TRY(spill_run(o, w, err));
    cap = entries_wanted(w, n);
    if (cap == w->cap)
        return NRW_OK;
    TRY(mem_realloc(w->m, &p, w->cap * sizeof *w->entries, cap * sizeof *w->entries, err));
    w->entries = p;
    w->cap = cap;
    return NRW_OK;
}

/* Room for what is known of some rows of a batch. */
typedef struct stretch {
    const vector **at;
    uint8_t **made;
    uint32_t *alike;
    uint16_t *sel;
} stretch;

/* The keys of all rows, as a column; rows that are known not to be wanted are left out: t->sel has
 * those that stay. */
static nrw_status make_keys(op_sort *o, sort_worker *w, const batch *b, uint32_t first,
                            const vector *const *columns, uint32_t rows, stretch *t, uint32_t *n,
                            vector *out, nrw_error *err)
{
    const type binary = type_of(TYPE_BINARY);
    uint64_t ordinal = (b->morsel << 32 | b->offset) + first;
    uint32_t *ends;
    buffer *heap = NULL;
    int32_t index;
    view *views;
    nrw_status st;

    *n = 0;
    w->keys.len = 0;
    TRY(mem_alloc(b->m, rows * sizeof *ends, (void **)&ends, err));
    for (uint32_t i = 0; i < rows; i++) {
        size_t from = w->keys.len;
        uint64_t place = __builtin_bswap64(ordinal + i);
        TRY_OUT(sort_key_append(&w->keys, columns, o->spec.orders, o->spec.n_alike, i, err));
        t->alike[*n] = (uint32_t)(w->keys.len - from);
        TRY_OUT(sort_key_append(&w->keys, columns, o->spec.orders + o->spec.n_alike,
                                o->spec.n_orders - o->spec.n_alike, i, err));
        TRY_OUT(bytes_append(&w->keys, &place, sizeof place, err));
        if (w->full && span_compare((span){w->keys.data + from, w->keys.len - from},
                                    (span){w->last.data, w->last.len}) > 0) {
            w->keys.len = from;
            continue;
        }
        ends[*n] = (uint32_t)w->keys.len;
        t->sel[(*n)++] = (uint16_t)i;
    }
    if (o->best) {
        uint32_t all = *n;
        *n = sort_best_pass(o->best, &(sort_best_keys){&w->keys, ends, t->alike, t->sel}, all);
        op_count(&o->base, 0, all - *n);
    }
    TRY_OUT(vector_flat(b->m, &binary, *n, out, err));
    out->len = *n;
    TRY_OUT(buffer_new(b->m, w->keys.len, &heap, err));
    heap->len = w->keys.len;
    if (w->keys.len)
        memcpy(heap->data, w->keys.data, w->keys.len);
    TRY_OUT(vector_add_heap(out, heap, &index, err));
    views = (view *)(void *)out->data;
    for (uint32_t i = 0; i < *n; i++) {
        uint32_t from = i ? ends[i - 1] : 0;
        views[i] = view_make(heap->data + from, (int32_t)(ends[i] - from), index, (int32_t)from);
    }
    st = NRW_OK;
out:
    buffer_unref(heap);
    if (st < 0)
        vector_release(out);
    mem_free(b->m, ends, rows * sizeof *ends);
    return st;
}

/* Rows from `first` on of the batch: columns[1..] are theirs, columns[0] is for the keys. */
static nrw_status gather(op_sort *o, sort_worker *w, batch *b, uint32_t first, vector *columns,
                         uint32_t rows, stretch *t, nrw_error *err)
{
    const vector **at = t->at;
    uint32_t n, n_columns = o->spec.n_columns;
    uint64_t bytes = 0;

    for (uint32_t c = 0; c < n_columns; c++) {
        vector flat;
        TRY(vector_expand(&columns[c + 1], b->m, &flat, err));
        vector_release(&columns[c + 1]);
        columns[c + 1] = flat;
        at[c] = &columns[c + 1];
    }
    TRY(make_keys(o, w, b, first, at, rows, t, &n, &columns[0], err));
    for (uint32_t c = 0; c < n_columns && n < rows; c++) {
        vector some;
        TRY(vector_take(&columns[c + 1], t->sel, n, b->m, &some, err));
        vector_release(&columns[c + 1]);
        columns[c + 1] = some;
    }
    for (uint32_t c = 0; c <= n_columns; c++) {
        at[c] = &columns[c];
        bytes += vector_bytes(&columns[c]);
        if (columns[c].form == VECTOR_DICT && type_is_view(&columns[c].type))
            bytes +=
                (uint64_t)n * 64; /* texts of a dictionary, about: make_room leaves an eighth */
    }
    bytes += (uint64_t)n * (o->layout.fixed + 8);
    TRY(make_room(o, w, n, bytes, err));
    TRY(rows_add(&w->rows, &o->layout, at, n, NULL, b->m, t->made, err));
    for (uint32_t i = 0; i < n; i++) {
        store_u32(t->made[i] + 4, t->alike[i]);
        w->entries[w->n++] = sort_entry_of(&o->layout, t->made[i]);
    }
    if (o->spec.limit != UINT64_MAX && w->n > o->spec.limit && w->n / 2 >= o->spec.limit)
        TRY(cut_to_first(o, w, err));
    return cut_each(o, w, err);
}

/* A stretch of the batch's rows: some at a time, so that what they take beside what was gathered
 * stays small. */
static nrw_status gather_stretch(op_sort *o, batch *b, const vector *whole, uint32_t first,
                                 uint32_t rows, nrw_error *err)
{
    uint32_t n = o->spec.n_columns;
    size_t head = (n + 1) * (sizeof(vector) + sizeof(vector *));
    size_t body = rows * (sizeof(uint8_t *) + sizeof(uint32_t) + sizeof(uint16_t));
    vector *columns;
    stretch t;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(b->m, head + body, (void **)&columns, err));
    t.at = (const vector **)(void *)(columns + n + 1);
    t.made = (uint8_t **)(void *)((char *)columns + head);
    t.alike = (uint32_t *)(void *)(t.made + rows);
    t.sel = (uint16_t *)(void *)(t.alike + rows);
    for (uint32_t c = 0; st >= 0 && c < n; c++)
        st = vector_slice(&whole[c], first, rows, b->m, &columns[c + 1], err);
    if (st >= 0)
        st = gather(o, &o->workers[b->worker], b, first, columns, rows, &t, err);
    for (uint32_t c = 0; c <= n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, head + body);
    return st;
}

static nrw_status sort_push(op *base, batch *b, nrw_error *err)
{
    op_sort *o = (op_sort *)base;
    uint32_t n = o->spec.n_columns, rows, some = GATHER_ROWS;
    vector *columns;
    nrw_status st;

    if (batch_alive(b) == 0 || o->spec.limit == 0)
        return NRW_OK;
    TRY(mem_zalloc(b->m, n * sizeof *columns, (void **)&columns, err));
    st = dense_take(b, NULL, n, o->spec.held, columns, err);
    rows = columns[0].len;
    op_count(base, rows, 0);
    if (st >= 0)
        some = rows_that_fit(&o->layout, columns, n, mem_limit(o->workers[b->worker].m) / 4,
                             GATHER_ROWS);
    for (uint32_t at = 0; st >= 0 && at < rows; at += some)
        st = gather_stretch(o, b, columns, at, rows - at < some ? rows - at : some, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, n * sizeof *columns);
    return st;
}

/* ---- rows leave ---- */

/* More runs than can be open at once: the first ones become one. */
static nrw_status merge_some(op_sort *o, uint32_t n, nrw_error *err)
{
    run_writer out = run_writer_for(o);
    sort_run whole = {.block = block_bytes(o)};
    sort_merge g = {0};
    uint8_t *row = NULL;
    nrw_status st;

    TRY_OUT(sort_merge_open(&g, &o->layout, o->m, o->spill, o->runs, n, err));
    for (uint64_t i = 0; (st = sort_merge_next(&g, &row, err)) == NRW_OK; i++) {
        TRY_OUT(sort_run_put(&whole, &out, row, err));
        if (i % LEAVE_ROWS == 0)
            TRY_OUT(op_check(&o->base, err));
    }
    if (st == NRW_END)
        st = sort_run_end(&whole, &out, err);
out:
    sort_merge_close(&g);
    run_writer_release(&out);
    if (st < 0) {
        sort_run_free(&whole, o->m, o->spill);
        return st;
    }
    for (uint32_t i = 0; i < n; i++)
        sort_run_free(&o->runs[i], o->m, o->spill);
    memmove(o->runs, o->runs + n, (o->n_runs - n) * sizeof *o->runs);
    o->n_runs -= n;
    o->runs[o->n_runs++] = whole;
    return NRW_OK;
}

static nrw_status sort_finish(op *base, nrw_error *err)
{
    op_sort *o = (op_sort *)base;
    uint64_t fan = o->spec.merging / (block_bytes(o) + 4096);
    bool spilled = o->n_runs > 0;

    fan = fan < 8 ? 8 : fan;
    sort_best_free(o->best);
    o->best = NULL;
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        sort_worker *w = &o->workers[i];
        if (spilled && w->n)
            TRY(spill_run(o, w, err));
        if (!spilled && w->n) {
            order_entries(o, w);
            TRY(add_run(o, &(sort_run){.entries = w->entries, .n = w->n}, err));
        }
        if (spilled) {
            run_writer_release(&w->out);
            rows_release(&w->rows);
            mem_free(w->m, w->entries, w->cap * sizeof *w->entries);
            w->entries = NULL;
            w->cap = w->n = 0;
        }
        mem_set_limit(w->m, MEM_NO_LIMIT);
    }
    TRY(op_check(base, err));
    if (mem_limit(o->m) < o->spec.merging / 2 * 3)
        mem_set_limit(o->m, o->spec.merging / 2 * 3);
    while (spilled && o->n_runs > fan)
        TRY(merge_some(o, (uint32_t)fan, err));
    o->merging = true;
    return sort_merge_open(&o->merge, &o->layout, o->m, o->spill, o->runs, o->n_runs, err);
}

static op_sort *sort_of(source *s)
{
    return (op_sort *)(void *)((char *)s - offsetof(op_sort, source));
}

/* Takes the rows of a morsel out of the merge, as copies. */
static nrw_status source_next(source *s, batch *b, nrw_error *err)
{
    op_sort *o = sort_of(s);
    sort_worker *w = &o->workers[b->worker];
    nrw_status st = NRW_OK;

    rows_clear(&w->leaving);
    if (!w->left)
        TRY(mem_alloc(w->m, LEAVE_ROWS * sizeof *w->left, (void **)&w->left, err));
    for (w->n_left = 0; w->n_left < LEAVE_ROWS && o->gone < o->spec.limit; o->gone++) {
        uint8_t *copy;
        if (w->leaving.bytes > (256u << 10))
            break;
        st = sort_merge_next(&o->merge, &o->row, err);
        if (st != NRW_OK)
            break;
        TRY(rows_new(&w->leaving, row_bytes(o->row), &copy, err));
        memcpy(copy, o->row, row_bytes(o->row));
        w->left[w->n_left++] = copy;
    }
    if (st < 0)
        return st;
    if (w->n_left == 0)
        return NRW_END;
    b->morsel = o->morsel++;
    return NRW_OK;
}

static nrw_status source_fill(source *s, batch *b, nrw_error *err)
{
    op_sort *o = sort_of(s);
    sort_worker *w = &o->workers[b->worker];
    vector v;

    b->rows = w->n_left;
    b->last = true;
    for (uint32_t c = 0; c < o->spec.n_columns; c++) {
        TRY(rows_column(&o->layout, (const uint8_t *const *)w->left, w->n_left, c + 1, b->m, &v,
                        err));
        TRY(dense_put(b, c, &v, err));
    }
    return NRW_OK;
}

static const source_class sort_source_class = {"sort", source_next, source_fill, NULL,
                                               NULL,   NULL,        NULL};

/* ---- life ---- */

static void sort_close(op *base)
{
    op_sort *o = (op_sort *)base;

    if (o->merging)
        sort_merge_close(&o->merge);
    sort_best_free(o->best);
    for (uint32_t i = 0; i < o->n_runs; i++)
        sort_run_free(&o->runs[i], o->m, o->spill);
    mem_free(o->m, o->runs, o->cap_runs * sizeof *o->runs);
    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        sort_worker *w = &o->workers[i];
        rows_release(&w->rows);
        rows_release(&w->leaving);
        bytes_release(&w->keys);
        run_writer_release(&w->out);
        bytes_release(&w->last);
        mem_free(w->m, w->entries, w->cap * sizeof *w->entries);
        mem_free(w->m, w->left, w->left ? LEAVE_ROWS * sizeof *w->left : 0);
        mem_free_account(w->m);
    }
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
    pthread_mutex_destroy(&o->lock);
    mem_free_account(o->m);
}

static const op_class sort_class = {"sort", sort_push, sort_finish, NULL, sort_close};

nrw_status op_sort_new(arena *a, mem *m, const sort_spec *spec, spill *s, op **out, nrw_error *err)
{
    uint64_t share = spec->memory / spec->workers;
    type *types;
    op_sort *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_sort){
        .base = {.class = &sort_class, .cancel = spec->cancel}, .spec = *spec, .spill = s};
    o->source = (source){&sort_source_class, spec->n_columns, false};
    TRY(arena_alloc(a, (spec->n_columns + 1) * sizeof *types, (void **)&types, err));
    types[0] = type_of(TYPE_BINARY);
    for (uint32_t c = 0; c < spec->n_columns; c++)
        types[c + 1] = spec->types[c];
    TRY(row_layout_new(a, types, spec->n_columns + 1, 0, &o->layout, err));
    pthread_mutex_init(&o->lock, NULL);
    TRY(mem_child(m, "sort", spec->memory, &o->m, err));
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++) {
        sort_worker *w = &o->workers[i];
        TRY_OUT(mem_child(o->m, "rows of a worker", share - share / 8, &w->m, err));
        w->rows.m = w->leaving.m = w->m;
        w->keys = w->last = bytes_init(w->m, UINT32_MAX);
        w->out = run_writer_for(o);
    }
    TRY_OUT(sort_best_new(m, o->spec.types, o->spec.orders, o->spec.n_alike, o->spec.each,
                          o->spec.beside, &o->best, err));
    *out = &o->base;
    return NRW_OK;
out:
    sort_close(&o->base);
    return st;
}

source *op_sort_source(op *o)
{
    return &((op_sort *)o)->source;
}
