#include "exec/dense.h"
#include "exec/op_sort.h"
#include "exec/window_own.h"

#include <stdlib.h>

/* Of a segment at a time; texts and numbers are shared or small, nested values are copied. */
#define LEAVE_ROWS  4096u
#define LEAVE_BYTES (512u << 10)
/* What an aggregate's value that is a vector of its own takes. */
#define PART_BYTES 400u
/* For the next rows, and those that the sort merges. */
#define FREE (192u << 10)

typedef struct op_window {
    op base;
    source source;
    mem *m;
    window_spec spec;
    op *sort;
    uint32_t n_partition, n_keys; /* of all keys the first ones are the partition's */
    sort_order *keys;
    /* what was read and has not left: `parts` one behind the other */
    vector **parts; /* each n_columns vectors */
    uint32_t n_parts, cap_parts;
    uint32_t rows;
    uint64_t bytes; /* of their values */
    uint32_t whole; /* of them before the last partition that has begun: those of whole ones; where
                       all calls run on, before the last peers; where they stop anywhere, all */
    bool runs_on, stops_anywhere;
    bool at_end, given, begun;
    bytes last, now; /* keys of the row before and this one */
    size_t last_part;
    uint32_t *starts; /* of each of the rows, bit 0: a partition starts, bit 1: peers do */
    uint32_t cap_starts;
    /* the segment that leaves */
    vector *columns;       /* n_columns + n_calls */
    uint32_t n, at, leave; /* rows, those that have left, how many do at a time */
    window_carry carry;
    window_progress *progress; /* of each call */
    uint32_t results;          /* bytes that the values of a row take while they are computed */
    window_tape *tape;
    uint64_t tape_at;     /* rows of it that were segments */
    uint32_t tape_begins; /* what begins with its first row, as in `starts` */
} op_window;

bool window_same_keys(const window_call *x, const window_call *y)
{
    if (x->n_partition != y->n_partition || x->n_orders != y->n_orders)
        return false;
    for (uint32_t i = 0; i < x->n_partition; i++)
        if (x->partition[i] != y->partition[i])
            return false;
    for (uint32_t i = 0; i < x->n_orders; i++)
        if (x->orders[i].column != y->orders[i].column ||
            x->orders[i].descending != y->orders[i].descending ||
            x->orders[i].nulls_first != y->orders[i].nulls_first)
            return false;
    return true;
}

static nrw_status window_push(op *base, batch *b, nrw_error *err)
{
    op *sort = ((op_window *)base)->sort;

    TRY(sort->class->push(sort, b, err)); /* which may cut the batch short */
    op_count(base, batch_alive(b), 0);
    return NRW_OK;
}

static nrw_status window_finish(op *base, nrw_error *err)
{
    op *sort = ((op_window *)base)->sort;

    TRY(sort->class->finish(sort, err));
    op_count(base, 0, sort->rows_filtered); /* nobody asks for their numbers */
    return NRW_OK;
}

/* ---- rows in order come in ---- */

/* Marks where partitions and peers begin among the rows of one part. */
static nrw_status mark_starts(op_window *o, const vector *columns, uint32_t n, nrw_error *err)
{
    const vector *at[o->spec.n_columns + 1];
    void *p = o->starts;

    if (o->rows + n > o->cap_starts) {
        uint32_t cap = (o->rows + n) * 2;
        TRY(mem_realloc(o->m, &p, o->cap_starts * sizeof *o->starts, cap * sizeof *o->starts, err));
        o->starts = p;
        o->cap_starts = cap;
    }
    for (uint32_t c = 0; c < o->spec.n_columns; c++)
        at[c] = &columns[c];
    for (uint32_t i = 0; i < n; i++) {
        size_t part;
        bytes swap;
        bool same_part, same;
        o->now.len = 0;
        TRY(sort_key_append(&o->now, at, o->keys, o->n_partition, i, err));
        part = o->now.len;
        TRY(sort_key_append(&o->now, at, o->keys + o->n_partition, o->n_keys - o->n_partition, i,
                            err));
        same_part = o->given && part == o->last_part &&
                    (part == 0 || memcmp(o->now.data, o->last.data, part) == 0);
        same = same_part && o->now.len == o->last.len &&
               (o->now.len == part ||
                memcmp(o->now.data + part, o->last.data + part, o->now.len - part) == 0);
        o->starts[o->rows + i] = !same_part ? 3 : !same ? 2 : 0;
        if (!same_part || (!same && o->runs_on))
            o->whole = o->rows + i;
        swap = o->last;
        o->last = o->now;
        o->now = swap;
        o->last_part = part;
        o->given = true;
    }
    if (o->stops_anywhere)
        o->whole = o->rows + n;
    return NRW_OK;
}

static nrw_status keep_part(op_window *o, vector *columns, nrw_error *err)
{
    void *p = o->parts;

    if (o->n_parts == o->cap_parts) {
        uint32_t cap = o->cap_parts ? o->cap_parts * 2 : 16;
        TRY(mem_realloc(o->m, &p, o->cap_parts * sizeof *o->parts, cap * sizeof *o->parts, err));
        o->parts = p;
        o->cap_parts = cap;
    }
    o->parts[o->n_parts++] = columns;
    o->rows += columns[0].len;
    for (uint32_t c = 0; c < o->spec.n_columns; c++)
        o->bytes += vector_bytes(&columns[c]);
    return NRW_OK;
}

static void part_free(op_window *o, vector *columns)
{
    for (uint32_t c = 0; c < o->spec.n_columns; c++)
        vector_release(&columns[c]);
    mem_free(o->m, columns, o->spec.n_columns * sizeof *columns);
}

static void drop_parts(op_window *o)
{
    for (uint32_t i = 0; i < o->n_parts; i++)
        part_free(o, o->parts[i]);
    o->n_parts = 0;
    o->rows = o->whole = 0;
    o->bytes = 0;
}

/* The next batch of the sort. */
static nrw_status read_part(op_window *o, nrw_error *err)
{
    source *from = op_sort_source(o->sort);
    uint32_t n = o->spec.n_columns;
    batch_column cols[n];
    batch b = {.cols = cols, .n_cols = n, .m = o->m, .last = true};
    vector *columns;
    nrw_status st = from->class->next(from, &b, err);

    if (st == NRW_END) {
        o->at_end = true;
        return NRW_OK;
    }
    TRY(st);
    memset(cols, 0, sizeof cols);
    for (uint32_t c = 0; c < n; c++)
        cols[c].state = COLUMN_TAKEN;
    TRY(mem_zalloc(o->m, n * sizeof *columns, (void **)&columns, err));
    st = from->class->fill(from, &b, err);
    for (uint32_t c = 0; st >= 0 && c < n; c++)
        st = vector_share(cols[c].held, &columns[c], err);
    batch_release(&b);
    if (st >= 0)
        st = mark_starts(o, columns, columns[0].len, err);
    if (st >= 0)
        st = keep_part(o, columns, err);
    if (st < 0)
        part_free(o, columns);
    return st;
}

/* ---- a segment ---- */

/* The first n rows of all parts become the segment's columns; the rest is one part. */
static nrw_status take_segment(op_window *o, uint32_t n, nrw_error *err)
{
    uint32_t n_columns = o->spec.n_columns, left = o->rows - n;
    vector *parts, *rest = NULL, whole;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(o->m, o->n_parts * sizeof *parts, (void **)&parts, err));
    if (left)
        st = mem_zalloc(o->m, n_columns * sizeof *rest, (void **)&rest, err);
    for (uint32_t c = 0; st >= 0 && c < n_columns; c++) {
        for (uint32_t i = 0; i < o->n_parts; i++)
            parts[i] = o->parts[i][c];
        st = vector_concat(parts, o->n_parts, o->m, &whole, err);
        if (st >= 0) {
            st = vector_slice(&whole, 0, n, o->m, &o->columns[c], err);
            if (st >= 0 && left)
                st = vector_slice(&whole, n, left, o->m, &rest[c], err);
            if (st >= 0 && left) /* not all texts that ever came with such rows */
                st = vector_compact(&rest[c], o->m, err);
            vector_release(&whole);
        }
    }
    mem_free(o->m, parts, o->n_parts * sizeof *parts);
    drop_parts(o);
    if (rest && st >= 0)
        st = keep_part(o, rest, err);
    if (rest && st < 0)
        part_free(o, rest);
    return st;
}

/* Where partitions and peers begin and end, for each row. */
static void fill_bounds(const uint32_t *starts, uint32_t n, uint32_t *b)
{
    uint32_t *part = b, *peers = b + n, *part_end = b + 2 * (size_t)n,
             *peers_end = b + 3 * (size_t)n;
    uint32_t p = 0, q = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || starts[i] & 1)
            p = i;
        if (i == 0 || starts[i] & 2)
            q = i;
        part[i] = p;
        peers[i] = q;
    }
    p = q = n;
    for (uint32_t i = n; i-- > 0;) {
        part_end[i] = p;
        peers_end[i] = q;
        if (part[i] == i)
            p = i;
        if (peers[i] == i)
            q = i;
    }
}

/* What the segment's last partition has come to. */
static void carry_on(op_window *o, const window_segment *s)
{
    uint32_t part = s->part[s->n - 1], peers = s->peers[s->n - 1];
    window_carry *c = &o->carry;

    if (part > 0 || !s->goes_on)
        c->rows = c->peers = 0;
    if (peers > 0 || !s->peers_go_on)
        c->peers_rows = 0;
    for (uint32_t i = part; i < s->n; i++)
        c->peers += s->peers[i] == i && (i > 0 || !s->peers_go_on);
    c->rows += s->n - part;
    c->peers_rows += s->n - peers;
    c->base += s->n;
}

static uint32_t leave_rows(const op_window *o)
{
    uint64_t bytes = 1, rows;

    for (uint32_t c = 0; c < o->source.n_cols; c++)
        bytes += vector_bytes(&o->columns[c]);
    rows = (uint64_t)LEAVE_BYTES * o->n / bytes;
    return rows < 1 ? 1 : rows < LEAVE_ROWS ? (uint32_t)rows : LEAVE_ROWS;
}

/* The calls over the n rows of o->columns, of which `starts` tells where partitions and peers
 * begin. s: what else the segment is. */
static nrw_status compute(op_window *o, const uint32_t *starts, uint32_t n, window_segment s,
                          nrw_error *err)
{
    size_t bytes = 4 * (size_t)n * sizeof(uint32_t);
    uint32_t *bounds;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(o->m, bytes, (void **)&bounds, err));
    fill_bounds(starts, n, bounds);
    s.n = n;
    s.columns = o->columns;
    s.part = bounds;
    s.peers = bounds + n;
    s.part_end = bounds + 2 * (size_t)n;
    s.peers_end = bounds + 3 * (size_t)n;
    s.m = o->m;
    s.cancel = o->base.cancel;
    s.goes_on = !(starts[0] & 1);
    s.peers_go_on = !(starts[0] & 2);
    s.carry = o->carry;
    for (uint32_t k = 0; st >= 0 && k < o->spec.n_calls; k++)
        st = window_compute(&s, &o->spec.calls[k], &o->progress[k],
                            &o->columns[o->spec.n_columns + k], err);
    carry_on(o, &s);
    mem_free(o->m, bounds, bytes);
    o->n = n;
    o->at = 0;
    o->leave = leave_rows(o);
    return st;
}

/* ---- rows that do not fit ---- */

/* Whether the parts should become a segment before more rows come: they are there three times
 * meanwhile, and beside them bounds, places and the values of the calls. */
static bool is_full(const op_window *o)
{
    uint64_t beside = 2 * o->bytes + (uint64_t)o->rows * (32 + o->results);

    return beside + o->spec.memory / 16 + FREE > mem_room(o->m);
}

/* Rows from n on of the only part take its place. */
static nrw_status keep_rest(op_window *o, uint32_t n, nrw_error *err)
{
    const vector *columns = o->parts[0];
    vector *rest;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(o->m, o->spec.n_columns * sizeof *rest, (void **)&rest, err));
    for (uint32_t c = 0; st >= 0 && c < o->spec.n_columns; c++) {
        st = vector_slice(&columns[c], n, columns[c].len - n, o->m, &rest[c], err);
        if (st >= 0) /* not the texts in front of it */
            st = vector_compact(&rest[c], o->m, err);
    }
    if (st >= 0) {
        drop_parts(o);
        st = keep_part(o, rest, err);
    }
    if (st < 0)
        part_free(o, rest);
    return st;
}

/* How many of the first part's rows are of the partition (the peers) that goes on. */
static uint32_t rows_going_on(const op_window *o)
{
    const uint32_t begins = o->runs_on ? 2 : 1;
    uint32_t n = 0;

    while (n < o->rows && !(o->starts[n] & begins))
        n++;
    return n;
}

/* The first n rows of the only part go to the tape. */
static nrw_status move_rows(op_window *o, uint32_t n, nrw_error *err)
{
    uint32_t left = o->rows - n, whole = o->whole > n ? o->whole - n : 0;

    TRY(window_tape_add(o->tape, o->parts[0], 0, n, o->starts, err));
    if (left == 0)
        drop_parts(o);
    else if (n)
        TRY(keep_rest(o, n, err));
    memmove(o->starts, o->starts + n, left * sizeof *o->starts);
    o->whole = whole;
    return NRW_OK;
}

/* All rows up to the end of the partition (the peers) that has begun go to the tape. */
static nrw_status fill_tape(op_window *o, nrw_error *err)
{
    uint32_t at = 0;

    o->tape_begins = o->starts[0];
    for (uint32_t i = 0; i < o->n_parts; i++) {
        uint32_t n = o->parts[i][0].len;
        TRY(window_tape_add(o->tape, o->parts[i], 0, n, o->starts + at, err));
        at += n;
    }
    drop_parts(o);
    while (o->rows == 0 && !o->at_end) {
        TRY(op_check(&o->base, err));
        TRY(read_part(o, err));
        if (o->rows)
            TRY(move_rows(o, rows_going_on(o), err));
    }
    o->tape_at = 0;
    return window_tape_end(o->tape, err);
}

static bool tape_has_rows(const op_window *o)
{
    return o->tape_at < window_tape_rows(o->tape);
}

/* The next block of the tape. */
static nrw_status next_block(op_window *o, nrw_error *err)
{
    window_segment s = {.tape = o->tape, .tape_row = (int64_t)o->tape_at};
    const uint64_t rows = window_tape_rows(o->tape);
    uint64_t first, end;
    uint32_t n, *starts;
    nrw_status st;

    TRY(op_check(&o->base, err));
    TRY(window_tape_block(o->tape, o->tape_at, &first, &n, err));
    for (uint32_t c = 0; c < o->spec.n_columns; c++)
        TRY(window_tape_column(o->tape, first, c, &o->columns[c], err));
    TRY(window_tape_peers(o->tape, first + n, &end, err));
    s.part_more = rows - (first + n);
    s.peers_more = end - (first + n);
    s.ends = !o->runs_on && s.part_more == 0;
    TRY(mem_alloc(o->m, n * sizeof *starts, (void **)&starts, err));
    st = window_tape_starts(o->tape, first, starts, err);
    if (first == 0)
        starts[0] = o->tape_begins;
    if (st >= 0)
        st = compute(o, starts, n, s, err);
    mem_free(o->m, starts, n * sizeof *starts);
    o->tape_at += n;
    return st;
}

static nrw_status next_segment(op_window *o, nrw_error *err)
{
    uint32_t n, before;

    if (tape_has_rows(o))
        return next_block(o, err);
    window_tape_clear(o->tape);
    while (!o->at_end && o->whole == 0) {
        TRY(op_check(&o->base, err));
        if (is_full(o)) {
            TRY(fill_tape(o, err));
            return next_block(o, err);
        }
        TRY(read_part(o, err));
    }
    before = o->rows;
    n = o->at_end ? before : o->whole;
    if (n == 0)
        return NRW_OK;
    TRY(take_segment(o, n, err));
    TRY(compute(o, o->starts, n, (window_segment){.ends = !o->runs_on}, err));
    memmove(o->starts, o->starts + n, (before - n) * sizeof *o->starts);
    return NRW_OK;
}

static void segment_free(op_window *o)
{
    for (uint32_t c = 0; o->columns && c < o->spec.n_columns + o->spec.n_calls; c++) {
        vector_release(&o->columns[c]);
        o->columns[c] = (vector){0};
    }
    o->n = o->at = 0;
}

/* ---- the source: one morsel ---- */

static op_window *window_of(source *s)
{
    return (op_window *)(void *)((char *)s - offsetof(op_window, source));
}

static nrw_status source_next(source *s, batch *b, nrw_error *err)
{
    op_window *o = window_of(s);

    (void)err;
    if (o->begun)
        return NRW_END;
    o->begun = true;
    b->morsel = 0;
    return NRW_OK;
}

static nrw_status source_fill(source *s, batch *b, nrw_error *err)
{
    op_window *o = window_of(s);
    uint32_t n;

    if (o->at == o->n) {
        segment_free(o);
        TRY(next_segment(o, err));
    }
    n = o->n - o->at < o->leave ? o->n - o->at : o->leave;
    for (uint32_t c = 0; n && c < s->n_cols; c++) {
        vector v;
        TRY(vector_slice(&o->columns[c], o->at, n, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
    }
    o->at += n;
    b->rows = n;
    b->last = o->at == o->n && o->at_end && o->rows == 0 && !tape_has_rows(o);
    return NRW_OK;
}

static const source_class window_source_class = {"window", source_next, source_fill, NULL,
                                                 NULL,     NULL,        NULL};

/* ---- life ---- */

/* What calls remember, and what their values take. */
static nrw_status make_progress(arena *a, op_window *o, nrw_error *err)
{
    uint32_t n = o->spec.n_calls;

    o->runs_on = o->stops_anywhere = true;
    TRY(arena_alloc(a, n * sizeof *o->progress + 1, (void **)&o->progress, err));
    memset(o->progress, 0, n * sizeof *o->progress);
    for (uint32_t k = 0; k < n; k++) {
        const window_call *c = &o->spec.calls[k];
        bool parts = type_is_nested(&c->result);
        o->runs_on &= window_runs_on(c);
        o->stops_anywhere &= window_stops_anywhere(c);
        o->results += 1 + c->result.width;
        if (c->kind != WINDOW_AGGREGATE)
            continue;
        o->results += parts ? PART_BYTES : 0;
        TRY(mem_zalloc(o->m, aggregate_room(&c->aggregate), (void **)&o->progress[k].state, err));
    }
    return NRW_OK;
}

static void free_progress(op_window *o)
{
    for (uint32_t k = 0; o->progress && k < o->spec.n_calls; k++) {
        const window_call *c = &o->spec.calls[k];
        uint8_t *state = o->progress[k].state;
        window_forget(&o->progress[k], c, o->m);
        mem_free(o->m, state, state ? aggregate_room(&c->aggregate) : 0);
    }
}

/* Blocks are such that their segments take an eighth of the memory, about. */
static nrw_status make_tape(arena *a, op_window *o, spill *s, nrw_error *err)
{
    uint64_t rows = o->spec.memory / 8 / (64 + o->results);

    rows = rows < 64 ? 64 : rows < TAPE_ROWS ? rows : TAPE_ROWS;
    return window_tape_new(a, o->m, o->spec.types, o->spec.n_columns, (uint32_t)rows,
                           o->spec.memory / 16, s, o->base.cancel, &o->tape, err);
}

static void window_close(op *base)
{
    op_window *o = (op_window *)base;

    segment_free(o);
    free_progress(o);
    drop_parts(o);
    window_tape_free(o->tape);
    mem_free(o->m, o->parts, o->cap_parts * sizeof *o->parts);
    mem_free(o->m, o->starts, o->cap_starts * sizeof *o->starts);
    bytes_release(&o->last);
    bytes_release(&o->now);
    op_close(o->sort);
    mem_free_account(o->m);
}

static const op_class window_class = {"window", window_push, window_finish, NULL, window_close};

/* The keys that all calls have in common: partition, then order. */
static nrw_status make_keys(arena *a, op_window *o, nrw_error *err)
{
    const window_call *c = &o->spec.calls[0];

    o->n_partition = c->n_partition;
    o->n_keys = c->n_partition + c->n_orders;
    TRY(arena_alloc(a, o->n_keys * sizeof *o->keys + 1, (void **)&o->keys, err));
    for (uint32_t i = 0; i < c->n_partition; i++)
        o->keys[i] = (sort_order){.column = c->partition[i]};
    for (uint32_t i = 0; i < c->n_orders; i++)
        o->keys[c->n_partition + i] = c->orders[i];
    return NRW_OK;
}

nrw_status op_window_new(arena *a, mem *m, const window_spec *spec, spill *s, op **out,
                         nrw_error *err)
{
    const uint64_t sorting =
        window_sort_memory(spec->memory, window_gathers(spec->calls, spec->n_calls));
    sort_spec sort = {.n_columns = spec->n_columns,
                      .types = spec->types,
                      .limit = UINT64_MAX,
                      .workers = spec->workers,
                      .memory = sorting,
                      .beside = spec->memory / 4,
                      .merging = sort_merging(sorting),
                      .cancel = spec->cancel,
                      .held = spec->held};
    op_window *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_window){.base = {.class = &window_class, .cancel = spec->cancel}, .spec = *spec};
    o->source = (source){&window_source_class, spec->n_columns + spec->n_calls, false};
    TRY(arena_alloc(a, o->source.n_cols * sizeof *o->columns + 1, (void **)&o->columns, err));
    TRY(make_keys(a, o, err));
    TRY(mem_child(m, "window", spec->memory, &o->m, err));
    o->last = o->now = bytes_init(o->m, UINT32_MAX);
    sort.orders = o->keys;
    sort.n_orders = o->n_keys;
    if (spec->n_calls == 1 && spec->calls[0].kind == WINDOW_ROW_NUMBER) {
        sort.n_alike = o->n_partition;
        sort.each = spec->calls[0].most;
    }
    TRY_OUT(make_progress(a, o, err));
    TRY_OUT(make_tape(a, o, s, err));
    TRY_OUT(op_sort_new(a, o->m, &sort, s, &o->sort, err));
    *out = &o->base;
    return NRW_OK;
out:
    window_close(&o->base);
    return st;
}

source *op_window_source(op *o)
{
    return &((op_window *)o)->source;
}
