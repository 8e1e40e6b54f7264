/* Rows that come to a sort: each worker gathers them behind keys, and makes a run of them when its
 * share is used up. */
#include "base/fetch.h"
#include "exec/dense.h"
#include "exec/sort_own.h"

#define CUT_ROWS 16384u
#define AHEAD    16u

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

run_writer sort_run_writer(op_sort *o)
{
    bool texts = false;

    for (uint32_t i = 0; i < o->spec.n_orders; i++)
        texts |= type_is_view(&o->spec.types[o->spec.orders[i].column]);
    return run_writer_of(&o->layout, texts, sort_block_bytes(o->spec.merging), o->m, o->spill);
}

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

nrw_status sort_spill_run(op_sort *o, sort_worker *w, nrw_error *err)
{
    sort_run run = {0};
    nrw_status st = NRW_OK;

    order_entries(o, w);
    for (uint64_t i = 0; st >= 0 && i < w->n; i++) {
        fetch(w, i, o->layout.fixed + 64);
        st = run_writer_put(&w->out, w->entries[i].row, err);
        if (st >= 0 && i % SORT_LEAVE_ROWS == 0)
            st = op_check(&o->base, err);
    }
    if (st >= 0)
        st = run_writer_end(&w->out, &run, err);
    if (st >= 0)
        st = add_run(o, &run, err);
    if (st < 0)
        sort_run_free(&run, o->spill);
    rows_release(&w->rows); /* the books are to say what is free */
    w->n = w->cut = 0;
    return st;
}

nrw_status sort_keep_run(op_sort *o, sort_worker *w, nrw_error *err)
{
    order_entries(o, w);
    return add_run(o, &(sort_run){.entries = w->entries, .n = w->n}, err);
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

/* Whether there is room for copies of all rows that have an entry. A row that begins a block leaves
 * less than itself free in the one before. */
static bool fits_twice(const sort_worker *w)
{
    uint64_t bytes = 0, largest = 0;

    for (uint64_t i = 0; i < w->n; i++) {
        const uint64_t row = row_bytes(w->entries[i].row);
        bytes += row;
        largest = row > largest ? row : largest;
    }
    bytes += largest < ROWS_BLOCK / 16 ? bytes / 8 : bytes;
    return mem_used(w->m) + rows_cost(bytes) <= sort_full(mem_limit(w->m));
}

/* Only the first `limit` rows stay; the others in memory, where there is no room to copy those. */
static nrw_status cut_to_first(op_sort *o, sort_worker *w, nrw_error *err)
{
    span key;

    sort_entries(&o->layout, w->entries, w->n, o->base.cancel);
    w->n = o->spec.limit;
    if (fits_twice(w))
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

static nrw_status make_room(op_sort *o, sort_worker *w, uint32_t n, uint64_t row_bytes_,
                            nrw_error *err)
{
    uint64_t need = rows_more_cost(&w->rows, row_bytes_), cap = sort_entries_cap(w->cap, w->n + n);
    void *p = w->entries;

    if (cap != w->cap)
        need += mem_cost(cap * sizeof *w->entries);
    if (w->n && mem_used(w->m) + need > sort_full(mem_limit(w->m)))
        TRY(sort_spill_run(o, w, err));
    cap = sort_entries_cap(w->cap, w->n + n);
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

/* *alike: how many bytes of it tell which rows are alike. */
static nrw_status append_key(const op_sort *o, bytes *keys, const vector *const *columns,
                             uint32_t row, uint64_t ordinal, uint32_t *alike, nrw_error *err)
{
    const uint32_t n = o->spec.n_alike;
    const size_t from = keys->len;
    const uint64_t place = __builtin_bswap64(ordinal);

    TRY(sort_key_append(keys, columns, o->spec.orders, n, row, err));
    *alike = (uint32_t)(keys->len - from);
    TRY(sort_key_append(keys, columns, o->spec.orders + n, o->spec.n_orders - n, row, err));
    return o->spec.unique ? NRW_OK : bytes_append(keys, &place, sizeof place, err);
}

/* The same of plain columns (sort_key.h); there is room for it. */
static uint32_t put_plain(const op_sort *o, bytes *keys, const vector *const *columns, uint32_t row,
                          uint64_t ordinal)
{
    const uint32_t n = o->spec.n_alike;
    uint8_t *from = keys->data + keys->len,
            *to = sort_key_put_plain(from, columns, o->spec.orders, n, row);
    const uint32_t alike = (uint32_t)(to - from);

    to = sort_key_put_plain(to, columns, o->spec.orders + n, o->spec.n_orders - n, row);
    if (!o->spec.unique) {
        store_u64(to, __builtin_bswap64(ordinal));
        to += 8;
    }
    keys->len = (size_t)(to - keys->data);
    return alike;
}

/* The keys of all rows, as a column; rows that are known not to be wanted are left out: t->sel has
 * those that stay. */
static nrw_status make_keys(op_sort *o, sort_worker *w, const batch *b, uint32_t first,
                            const vector *const *columns, uint32_t rows, stretch *t, uint32_t *n,
                            vector *out, nrw_error *err)
{
    const type binary = type_of(TYPE_BINARY);
    uint64_t ordinal = (b->morsel << 32 | b->offset) + first;
    uint32_t *ends, plain;
    buffer *heap = NULL;
    int32_t index;
    view *views;
    nrw_status st;

    *n = 0;
    w->keys.len = 0;
    plain = sort_key_plain_bytes(columns, o->spec.orders, o->spec.n_orders);
    TRY(mem_alloc(b->m, rows * sizeof *ends, (void **)&ends, err));
    if (plain)
        TRY_OUT(bytes_reserve(&w->keys, rows * ((size_t)plain + 8) + 8, err));
    for (uint32_t i = 0; i < rows; i++) {
        size_t from = w->keys.len;
        if (plain)
            t->alike[*n] = put_plain(o, &w->keys, columns, i, ordinal + i);
        else
            TRY_OUT(append_key(o, &w->keys, columns, i, ordinal + i, &t->alike[*n], err));
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
    uint32_t n, n_columns = o->spec.n_columns, kept = sort_columns(o);
    uint64_t bytes = 0;

    for (uint32_t c = 0; c < n_columns; c++) {
        vector flat;
        TRY(vector_expand(&columns[c + 1], b->m, &flat, err));
        vector_release(&columns[c + 1]);
        columns[c + 1] = flat;
        at[c] = &columns[c + 1];
    }
    TRY(make_keys(o, w, b, first, at, rows, t, &n, &columns[0], err));
    for (uint32_t c = 0; c < kept && n < rows; c++) {
        vector some;
        TRY(vector_take(&columns[c + 1], t->sel, n, b->m, &some, err));
        vector_release(&columns[c + 1]);
        columns[c + 1] = some;
    }
    for (uint32_t c = 0; c <= kept; c++) {
        at[c] = &columns[c];
        bytes += rows_text(&columns[c]);
    }
    bytes += (uint64_t)n * (o->layout.fixed + 8);
    bytes += bytes / 8; /* what stays empty at the end of blocks */
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

/* Bytes of rows that are taken at a time: their keys lie beside the batch for a while, and so does
 * what is nested. */
static uint64_t at_once(const op_sort *o, const sort_worker *w, const batch *b)
{
    const uint64_t most = sort_take_bytes(mem_limit(w->m)), room = mem_room(b->m) / 4;

    return rows_bytes_at_once(&o->layout, most < room ? most : room);
}

nrw_status sort_take(op_sort *o, batch *b, nrw_error *err)
{
    uint32_t n = o->spec.n_columns, rows, some = SORT_TAKE_ROWS;
    vector *columns;
    nrw_status st;

    TRY(mem_zalloc(b->m, n * sizeof *columns, (void **)&columns, err));
    st = batch_take(b, NULL, n, o->spec.held, columns, err);
    rows = columns[0].len;
    op_count(&o->base, rows, 0);
    if (st >= 0)
        some = rows_that_fit(&o->layout, columns, sort_columns(o),
                             at_once(o, &o->workers[b->worker], b), SORT_TAKE_ROWS);
    for (uint32_t at = 0; st >= 0 && at < rows; at += some)
        st = gather_stretch(o, b, columns, at, rows - at < some ? rows - at : some, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, n * sizeof *columns);
    return st;
}
