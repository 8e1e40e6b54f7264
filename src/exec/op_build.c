#include "exec/join_own.h"

#include "exec/dense.h"
#include "exec/hash_rows.h"
#include "exec/join_room.h"

#define REST_ROWS    4096u
#define STRETCH_ROWS 4096u
#define LONG         65536u /* rows that take a while */

#define FILTER_PART 16u /* of the memory, for a filter */

/* ---- rows come ---- */

static nrw_status flush(op_build *o, join_rows *w, nrw_error *err)
{
    for (uint64_t i = 0; i < w->n && o->filter.n; i++)
        join_filter_add(&o->filter, row_hash(w->at[i]));
    return join_rows_flush(w, &o->right, err);
}

static nrw_status begin_spilling(op_build *o, nrw_error *err)
{
    const join_spec *s = &o->spec;

    if (o->right.at) /* another worker's try has failed */
        return NRW_OK;
    if (s->n_keys && join_needs_match(s->kind))
        TRY(join_filter_open(&o->filter, o->m, s->memory / FILTER_PART, err));
    return hash_parts_open(&o->right, &o->layout, o->m, o->spill, s->memory / s->workers,
                           o->base.cancel, err);
}

/* The rows of all workers go to the spill file, and from now on those of each when its share is
 * used up. */
static nrw_status spill_all(op_build *o, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->spilling);
    if (!atomic_load(&o->spilled)) {
        st = begin_spilling(o, err);
        for (uint32_t i = 0; st >= 0 && i < o->spec.workers; i++) {
            pthread_mutex_lock(&o->locks[i]);
            st = flush(o, &o->workers[i], err);
            pthread_mutex_unlock(&o->locks[i]);
        }
        if (st >= 0)
            atomic_store(&o->spilled, 1);
    }
    pthread_mutex_unlock(&o->spilling);
    return st;
}

/* What putting the rows in order and into a table will take. */
static uint64_t table_need(const op_build *o, uint64_t rows)
{
    return rows * sizeof *o->order + join_table_slots(o, rows) * sizeof *o->table.slots;
}

static nrw_status make_room(op_build *o, join_rows *w, const vector *columns, uint32_t rows,
                            nrw_error *err)
{
    const uint64_t memory = o->spec.memory, share = memory / o->spec.workers * 3 / 4;
    uint64_t need;

    pthread_mutex_lock(&o->locks[w - o->workers]);
    need = join_rows_need(w, &o->layout, columns, o->spec.n_right, rows);
    pthread_mutex_unlock(&o->locks[w - o->workers]);
    if (o->can_spill && !atomic_load(&o->spilled) &&
        mem_used(o->m) + need + table_need(o, atomic_load(&o->base.rows_in)) > memory - memory / 8)
        TRY(spill_all(o, err));
    if (!atomic_load(&o->spilled) || w->n == 0 || mem_used(w->m) + need <= share)
        return NRW_OK;
    return flush(o, w, err);
}

static void note_null_keys(op_build *o, const vector *keys)
{
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        if (keys[k].null_count && !o->spec.null_equal[k])
            atomic_store(&o->null_key, 1);
}

/* Rows of `columns`, which `keys` has room for the keys of and `at` for the row's columns. */
static nrw_status keep(op_build *o, batch *b, uint64_t ordinal, const vector *columns,
                       uint32_t rows, vector *keys, const vector **at, uint64_t *hashes,
                       nrw_error *err)
{
    join_rows *w = &o->workers[b->worker];
    uint8_t **made;
    nrw_status st;

    TRY(join_keys(columns, o->spec.right_keys, o->spec.n_keys, rows, false, b->m, keys, hashes,
                  err));
    note_null_keys(o, keys);
    for (uint32_t c = 0; c < o->spec.n_right; c++)
        at[c] = &columns[c];
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        if (o->key_at[k] >= o->spec.n_right)
            at[o->key_at[k]] = &keys[k];
    TRY(make_room(o, w, columns, rows, err));
    pthread_mutex_lock(&o->locks[b->worker]);
    st = join_rows_add(w, &o->layout, at, rows, hashes, b->m, &made, err);
    for (uint32_t i = 0; st >= 0 && i < rows; i++)
        build_link_of(made[i])->ordinal = ordinal + i;
    pthread_mutex_unlock(&o->locks[b->worker]);
    return st;
}

static nrw_status keep_stretch(op_build *o, batch *b, const vector *whole, uint32_t first,
                               uint32_t rows, nrw_error *err)
{
    uint32_t n_keys = o->spec.n_keys, n_right = o->spec.n_right, n = n_keys + n_right;
    size_t head = n * (sizeof(vector) + sizeof(vector *)), body = rows * sizeof(uint64_t);
    uint64_t *hashes;
    vector *columns;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(b->m, head + body, (void **)&columns, err));
    hashes = (uint64_t *)(void *)((char *)columns + head);
    for (uint32_t c = 0; st >= 0 && c < n_right; c++)
        st = rows == whole[c].len ? vector_share(&whole[c], &columns[c], err)
                                  : vector_slice(&whole[c], first, rows, b->m, &columns[c], err);
    if (st >= 0)
        st = keep(o, b, (b->morsel << 32 | b->offset) + first, columns, rows, columns + n_right,
                  (const vector **)(void *)(columns + n), hashes, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, head + body);
    return st;
}

static nrw_status build_push(op *base, batch *b, nrw_error *err)
{
    op_build *o = (op_build *)base;
    uint32_t n = o->spec.n_right, rows, some = STRETCH_ROWS;
    vector *columns;
    nrw_status st;

    if (batch_alive(b) == 0)
        return NRW_OK;
    TRY(mem_zalloc(b->m, n * sizeof *columns + 1, (void **)&columns, err));
    st = batch_take(b, NULL, n, o->spec.held, columns, err);
    rows = st >= 0 && n ? columns[0].len : batch_alive(b);
    if (st >= 0)
        op_count(base, rows, 0);
    if (st >= 0)
        some = rows_that_fit(&o->layout, columns, n, o->spec.memory / o->spec.workers / 8,
                             STRETCH_ROWS);
    for (uint32_t at = 0; st >= 0 && at < rows; at += some)
        st = keep_stretch(o, b, columns, at, rows - at < some ? rows - at : some, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, n * sizeof *columns + 1);
    if (st == NRW_E_MEMLIMIT) {
        st = err_wrap(err, st, "the right side of a join does not fit: %llu rows so far",
                      (unsigned long long)atomic_load(&base->rows_in));
        err_next(err, "give more --memory, or put the smaller side to the right");
    }
    return st;
}

/* ---- all are there ---- */

/* The workers' rows in the order of the input: each worker's are already. */
static nrw_status put_in_order(op_build *o, nrw_error *err)
{
    uint64_t next[o->spec.workers];

    memset(next, 0, sizeof next);
    for (uint32_t i = 0; i < o->spec.workers; i++)
        o->n += o->workers[i].n;
    TRY(mem_alloc(o->m, o->n * sizeof *o->order + 1, (void **)&o->order, err));
    for (uint64_t i = 0; i < o->n; i++) {
        uint32_t best = UINT32_MAX;
        uint64_t least = UINT64_MAX;
        for (uint32_t k = 0; k < o->spec.workers; k++) {
            const join_rows *w = &o->workers[k];
            if (next[k] == w->n)
                continue;
            uint64_t ordinal = build_link_of(w->at[next[k]])->ordinal;
            if (best == UINT32_MAX || ordinal < least) {
                best = k;
                least = ordinal;
            }
        }
        o->order[i] = o->workers[best].at[next[best]++];
        if (i % LONG == 0)
            TRY(op_check(&o->base, err));
    }
    return NRW_OK;
}

static nrw_status build_finish(op *base, nrw_error *err)
{
    op_build *o = (op_build *)base;

    if (o->can_spill && !atomic_load(&o->spilled) &&
        mem_used(o->m) + table_need(o, atomic_load(&base->rows_in)) > o->spec.memory)
        TRY(spill_all(o, err));
    if (atomic_load(&o->spilled)) {
        for (uint32_t i = 0; i < o->spec.workers; i++) {
            TRY(flush(o, &o->workers[i], err));
            join_rows_empty(&o->workers[i]);
        }
        if (atomic_load(&base->rows_in) > join_filter_rows(&o->filter))
            join_filter_close(&o->filter, o->m);
        return join_parts_begin(o, err);
    }
    TRY(put_in_order(o, err));
    o->table.n_slots = join_table_slots(o, o->n);
    TRY(mem_zalloc(o->m, o->table.n_slots * sizeof *o->table.slots, (void **)&o->table.slots, err));
    join_table_fill(o, &o->table, o->order, o->n);
    return op_check(base, err);
}

uint64_t join_table_slots(const op_build *o, uint64_t rows)
{
    return o->spec.n_keys ? join_slots(rows) : 1;
}

bool build_meets_nobody(const op_build *o, const uint8_t *row)
{
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        if (!row_has(&o->layout, row, o->key_at[k]) && !o->spec.null_equal[k])
            return true;
    return false;
}

void join_table_fill(const op_build *o, join_table *t, uint8_t **rows, uint64_t n)
{
    for (uint64_t i = n; i-- > 0;) { /* backwards: each slot's list begins with the first */
        uint8_t *row = rows[i], **slot = &t->slots[row_hash(row) & (t->n_slots - 1)];
        if (i % LONG == 0 && is_cancelled(o->base.cancel))
            return;
        if (build_meets_nobody(o, row))
            continue;
        build_link_of(row)->next = *slot;
        *slot = row;
    }
}

/* ---- rows that leave at the end ---- */

static op_build *build_of(source *s)
{
    return (op_build *)(void *)((char *)s - offsetof(op_build, rest));
}

/* A morsel is a stretch of the right side. */
static nrw_status rest_next(source *s, batch *b, nrw_error *err)
{
    op_build *o = build_of(s);

    (void)err;
    if (o->rest_at >= o->n)
        return NRW_END;
    b->morsel = o->rest_morsel++;
    o->rest_at += REST_ROWS;
    return NRW_OK;
}

/* Long rows leave in several batches; b->offset of the stretch's have left. */
static nrw_status rest_fill(source *s, batch *b, nrw_error *err)
{
    op_build *o = build_of(s);
    const uint64_t most = rows_bytes_at_once(&o->layout, EMIT_BYTES);
    uint64_t i = b->source_number * REST_ROWS, bytes = 0;
    const uint64_t to = i + REST_ROWS < o->n ? i + REST_ROWS : o->n;
    uint8_t *rows[REST_ROWS];
    uint32_t n = 0, gone = b->offset;

    for (; i < to && bytes < most; i++) {
        if (!leaves_at_end(o, o->order[i]))
            continue;
        if (gone) {
            gone--;
            continue;
        }
        bytes += row_bytes(o->order[i]);
        rows[n++] = o->order[i];
    }
    b->rows = n;
    b->last = i == to;
    return n ? put_rest(o, b, rows, n, err) : NRW_OK;
}

static const source_class rest_class = {"rest", rest_next, rest_fill, NULL, NULL, NULL, NULL};

source *op_build_rest(op *build)
{
    return &((op_build *)build)->rest;
}

/* ---- life ---- */

static void build_close(op *base)
{
    op_build *o = (op_build *)base;

    join_parts_close(o);
    join_filter_close(&o->filter, o->m);
    hash_parts_close(&o->right);
    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        join_rows_close(&o->workers[i]);
        pthread_mutex_destroy(&o->locks[i]);
    }
    pthread_mutex_destroy(&o->spilling);
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
    mem_free(o->m, o->order, o->order ? o->n * sizeof *o->order + 1 : 0);
    mem_free(o->m, o->table.slots, o->table.slots ? o->table.n_slots * sizeof *o->table.slots : 0);
    mem_free_account(o->m);
}

static const op_class build_class = {"build", build_push, build_finish, NULL, build_close};

/* Right columns, then those keys whose values have several spellings. */
static nrw_status lay_out(op_build *o, nrw_error *err)
{
    const join_spec *s = &o->spec;
    uint32_t n = s->n_right;
    nrw_error other = NRW_ERROR_INIT;
    type *types;

    TRY(arena_alloc(o->a, (n + s->n_keys) * sizeof *types + 1, (void **)&types, err));
    TRY(arena_alloc(o->a, s->n_keys * sizeof *o->key_at + 1, (void **)&o->key_at, err));
    for (uint32_t c = 0; c < n; c++)
        types[c] = s->right_types[c];
    for (uint32_t k = 0; k < s->n_keys; k++) {
        const type *t = &s->right_types[s->right_keys[k]];
        o->key_at[k] = key_is_canonical(t) ? s->right_keys[k] : n;
        if (!key_is_canonical(t))
            types[n++] = *t;
    }
    TRY(row_layout_new(o->a, types, n, sizeof(build_link), &o->layout, err));
    o->can_spill = row_layout_new(o->a, s->left_types, s->n_left, sizeof(uint64_t), &o->left_layout,
                                  &other) >= 0;
    TRY(hash_row_layout(o->a, &o->layout, o->key_at, s->n_keys, err));
    return o->can_spill ? hash_row_layout(o->a, &o->left_layout, s->left_keys, s->n_keys, err)
                        : NRW_OK;
}

nrw_status op_build_new(arena *a, mem *m, const join_spec *spec, spill *s, op **out, nrw_error *err)
{
    op_build *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_build){.base.class = &build_class, .spec = *spec, .a = a, .spill = s};
    o->rest = (source){&rest_class, join_width(spec), false};
    TRY(arena_alloc(a, spec->workers * sizeof *o->locks, (void **)&o->locks, err));
    TRY(lay_out(o, err));
    TRY(join_parts_new(o, err));
    TRY(mem_child(m, "join", spec->memory, &o->m, err));
    pthread_mutex_init(&o->spilling, NULL);
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++)
        pthread_mutex_init(&o->locks[i], NULL);
    for (uint32_t i = 0; i < spec->workers; i++)
        TRY_OUT(join_rows_open(&o->workers[i], o->m, spec->memory, err));
    *out = &o->base;
    return NRW_OK;
out:
    build_close(&o->base);
    return st;
}
