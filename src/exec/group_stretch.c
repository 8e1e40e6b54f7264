/* What lies between two marks, while it is gathered: lists of groups, morsel behind morsel, and
 * those that passed the limit in the spill file, in the same order. */
#include "exec/group_own.h"

#include "column/compare.h"
#include "exec/hash_rows.h"

#define STRETCH_BLOCK (48u << 10) /* so that a block has no more rows than leave at a time */
#define AMPLE         (16u << 20)
#define HASHED        512u

/* ---- rows and keys ---- */

bool group_walk_next(const rows *r, group_walk *w, uint8_t **row)
{
    for (; w->block < r->n_blocks; w->block++, w->at = 0)
        while (w->at < r->blocks[w->block].len) {
            *row = r->blocks[w->block].data + w->at;
            w->at += row_bytes(*row);
            if (!group_gone(*row))
                return true;
        }
    return false;
}

static span key_of(const op_group *o, const uint8_t *row)
{
    return row_value(&o->shape.layout, row, o->spec.marked_key);
}

int group_key_order(const op_group *o, const uint8_t *x, const uint8_t *y)
{
    int order = value_compare(&o->spec.marks->type, key_of(o, x), key_of(o, y));

    return o->spec.marks->descending ? -order : order;
}

bool group_same_key(const op_group *o, const uint8_t *x, const uint8_t *y)
{
    return span_equal(row_values(&o->shape.layout, x), row_values(&o->shape.layout, y));
}

static int order_to_mark(const op_group *o, const uint8_t *row, const key_mark *mark)
{
    int order = value_compare(&o->spec.marks->type, key_of(o, row), mark->key);

    return o->spec.marks->descending ? -order : order;
}

/* The states of `from` join those of `into`. */
static nrw_status merge(op_group *o, uint8_t *into, uint8_t *from, nrw_error *err)
{
    const group_shape *s = &o->shape;

    for (uint32_t i = 0; i < s->n_aggregates; i++)
        TRY(s->aggregates[i].class->merge(&s->aggregates[i], into + s->states[i],
                                          from + s->states[i], o->m, err));
    group_drop_states(s, from, o->m);
    group_go(from);
    return NRW_OK;
}

/* A copy that takes the states along. */
static nrw_status move_row(op_group *o, uint8_t *row, rows *to, uint8_t **out, nrw_error *err)
{
    TRY(rows_new(to, row_bytes(row), out, err));
    memcpy(*out + 4, row + 4, row_bytes(row) - 4);
    store_u32(*out + 4, 0);
    for (uint32_t i = 0; i < o->shape.n_aggregates; i++)
        memset(row + o->shape.states[i], 0, o->shape.aggregates[i].state_bytes);
    group_go(row);
    return NRW_OK;
}

void group_rows_free(op_group *o, rows *r)
{
    group_walk at = {0};
    uint8_t *row;

    while (o->hang && group_walk_next(r, &at, &row))
        group_drop_states(&o->shape, row, o->m);
    rows_release(r);
}

nrw_status group_hash_rows(op_group *o, uint8_t *const *row, uint32_t n, mem *m, nrw_error *err)
{
    const row_layout *l = &o->shape.layout;
    uint64_t hashes[HASHED];

    for (uint32_t from = 0; from < n; from += HASHED) {
        uint32_t some = n - from < HASHED ? n - from : HASHED;
        for (uint32_t c = 0; c < l->n; c++) {
            vector v;
            TRY(rows_column(l, (const uint8_t *const *)row + from, some, c, m, &v, err));
            hash_vector(&v, some, c > 0, hashes);
            vector_release(&v);
        }
        for (uint32_t i = 0; i < some; i++)
            store_u64(row[from + i] + 8, hashes[i]);
    }
    return NRW_OK;
}

/* ---- marks ---- */

nrw_status group_wrong(const op_group *o, nrw_error *err)
{
    const key_marks *m = o->spec.marks;

    err_at_object(err, m->object);
    err_at_column(err, m->column);
    err_next(err, "narrows verify shows what the statistics say wrongly");
    return err_set(err, NRW_E_CORRUPT,
                   "values are not within the bounds that the row groups' statistics give");
}

const key_mark *group_mark_before(const op_group *o, uint32_t stretch)
{
    return stretch ? &o->spec.marks->at[stretch - 1] : NULL;
}

const key_mark *group_mark_behind(const op_group *o, uint32_t stretch)
{
    return stretch < o->spec.marks->n ? &o->spec.marks->at[stretch] : NULL;
}

static nrw_status put_aside(op_group *o, group_worker *w, uint32_t kind, uint8_t *row,
                            nrw_error *err)
{
    if (w->aside[kind])
        return merge(o, w->aside[kind], row, err);
    w->aside[kind] = row;
    group_go(row);
    return NRW_OK;
}

static nrw_status check_row(op_group *o, group_worker *w, uint8_t *row, nrw_error *err)
{
    const key_mark *before = group_mark_before(o, w->stretch),
                   *behind = group_mark_behind(o, w->stretch);
    bool strict = o->spec.marks->strict;
    int order;

    if (group_key_is_null(o, row))
        return strict ? group_wrong(o, err) : put_aside(o, w, GROUP_NULL, row, err);
    order = before ? order_to_mark(o, row, before) : 1;
    if (order < 0)
        return group_wrong(o, err);
    if (order == 0 && !strict)
        return put_aside(o, w, GROUP_PASSED, row, err);
    order = behind ? order_to_mark(o, row, behind) : -1;
    if (order > 0 || (order == 0 && strict))
        return group_wrong(o, err);
    return order == 0 ? put_aside(o, w, GROUP_MARK, row, err) : NRW_OK;
}

/* Of rows whose key rises only the ends can lie at a mark. */
nrw_status group_check_marks(op_group *o, group_worker *w, nrw_error *err)
{
    group_walk at = {0};
    uint8_t *row;

    if (w->aside[GROUP_NULL] && o->spec.marks->strict)
        return group_wrong(o, err);
    if (w->first_run)
        TRY(check_row(o, w, w->first_run, err));
    if (w->last_run && w->last_run != w->first_run)
        TRY(check_row(o, w, w->last_run, err));
    while (w->table.n && group_walk_next(&w->table.rows, &at, &row))
        TRY(check_row(o, w, row, err));
    return NRW_OK;
}

/* ---- a stretch ---- */

void group_stretch_init(const op_group *o, group_stretch *s, uint32_t number)
{
    *s = (group_stretch){.number = number, .heads.m = o->m, .next.m = o->m};
}

void group_stretch_free(op_group *o, group_stretch *s)
{
    group_rows_free(o, &s->heads);
    group_rows_free(o, &s->next);
    group_part_free(o, &s->spilled);
    for (uint32_t i = 0; i < s->n; i++)
        group_rows_free(o, &s->lists[i].rows);
    mem_free(o->m, s->lists, s->cap * sizeof *s->lists);
    s->lists = NULL;
    s->n = s->cap = 0;
}

static nrw_status new_list(op_group *o, group_stretch *s, bool hashed, rows **out, nrw_error *err)
{
    void *p = s->lists;

    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 8;
        TRY(mem_realloc(o->m, &p, s->cap * sizeof *s->lists, cap * sizeof *s->lists, err));
        s->lists = p;
        s->cap = cap;
    }
    s->lists[s->n++] = (group_list){.rows.m = o->m, .hashed = hashed};
    *out = &s->lists[s->n - 1].rows;
    return NRW_OK;
}

/* Lists of few rows are put into one. *last follows its row. */
static nrw_status append_rows(op_group *o, group_stretch *s, rows *r, bool hashed, uint8_t **last,
                              nrw_error *err)
{
    rows *to = s->n ? &s->lists[s->n - 1].rows : NULL;
    group_walk at = {0};
    uint8_t *row, *moved;

    if (!to || s->lists[s->n - 1].hashed != hashed || r->bytes >= ROWS_BLOCK / 2)
        TRY(new_list(o, s, hashed, &to, err));
    if (to->n_blocks == 0 && r->bytes >= ROWS_BLOCK / 2) {
        *to = *r;
        s->bytes += r->bytes;
        *r = (rows){.m = r->m};
        return NRW_OK;
    }
    while (group_walk_next(r, &at, &row)) {
        TRY(move_row(o, row, to, &moved, err));
        s->bytes += row_bytes(moved);
        if (*last == row)
            *last = moved;
    }
    rows_clear(r);
    return NRW_OK;
}

/* Where the rows of w begin, those of the stretch end: is it the same group, or the next one, or
 * does the key fall here? */
static nrw_status join_ends(op_group *o, group_worker *w, group_stretch *s, nrw_error *err)
{
    const key_mark *mark = group_mark_behind(o, s->number);
    int order;

    if (!w->first_run)
        return NRW_OK;
    if (s->at_mark) {
        s->mixed |= order_to_mark(o, w->first_run, mark) < 0;
        return NRW_OK;
    }
    order = s->last ? group_key_order(o, s->last, w->first_run) : -1;
    if (order == 0 && !group_gone(w->first_run) && group_same_key(o, s->last, w->first_run))
        return merge(o, s->last, w->first_run, err);
    s->mixed |= order >= 0;
    return NRW_OK;
}

/* To the group of one key that the rows of many morsels belong to. */
static nrw_status give(op_group *o, uint8_t *row, rows *to, uint8_t **have, nrw_error *err)
{
    if (!row)
        return NRW_OK;
    if (*have && group_same_key(o, *have, row))
        return merge(o, *have, row, err);
    return move_row(o, row, to, have, err);
}

static nrw_status give_aside(op_group *o, group_worker *w, group_stretch *s, nrw_error *err)
{
    TRY(give(o, w->aside[GROUP_NULL], &o->nulls, &o->null, err));
    TRY(give(o, w->aside[GROUP_PASSED], &s->heads, &s->head, err));
    TRY(give(o, w->aside[GROUP_MARK], &s->next, &s->next_head, err));
    s->at_mark |= w->aside[GROUP_MARK] != NULL;
    memset(w->aside, 0, sizeof w->aside);
    return NRW_OK;
}

/* Whether blocks of rows are small beside what a worker may take. */
static bool is_ample(const op_group *o)
{
    return o->spec.memory / o->spec.workers >= AMPLE;
}

uint64_t group_reserve(const op_group *o)
{
    return o->spec.memory / (is_ample(o) ? 3 : 2);
}

/* Whether no more may be gathered: others may be leaving at the same time, and what hangs from
 * states is in no row. */
static bool is_full(const op_group *o, const group_stretch *s)
{
    uint64_t most = is_ample(o) ? o->spec.memory / 20 * 11 / o->spec.workers
                                : o->spec.memory / 2 / (o->spec.workers + 1);

    return s->bytes > most || (o->hang && mem_room(o->m) < group_reserve(o));
}

nrw_status group_hand_over(op_group *o, group_worker *w, nrw_error *err)
{
    group_stretch *s = &o->current;
    uint8_t *last;

    TRY(join_ends(o, w, s, err));
    s->mixed |= w->mixed;
    last = w->last_run && !group_gone(w->last_run) ? w->last_run : s->last;
    TRY(give_aside(o, w, s, err));
    if (w->runs.n)
        TRY(append_rows(o, s, &w->runs, false, &last, err));
    s->last = s->mixed || s->at_mark ? NULL : last;
    w->first_run = w->last_run = NULL;
    if (w->table.n) {
        TRY(append_rows(o, s, &w->table.rows, true, &last, err));
        group_table_forget(&w->table);
    }
    return is_full(o, s) ? group_stretch_spill(o, w, s, err) : NRW_OK;
}

nrw_status group_stretch_follow(op_group *o, group_stretch *from, group_stretch *to, nrw_error *err)
{
    const key_mark *mark = group_mark_behind(o, from->number);

    to->heads = from->next;
    to->head = from->next_head;
    from->next = (rows){.m = o->m};
    from->next_head = NULL;
    if (from->head && mark && order_to_mark(o, from->head, mark) == 0)
        TRY(give(o, from->head, &to->heads, &to->head, err));
    return NRW_OK;
}

/* ---- to the spill file ---- */

static nrw_status save_row(op_group *o, group_worker *w, group_stretch *s, uint8_t *row,
                           nrw_error *err)
{
    TRY(group_save_row(o, row, &w->out, &s->spilled, STRETCH_BLOCK, err));
    group_drop_states(&o->shape, row, o->m);
    group_go(row);
    return w->out.len < STRETCH_BLOCK ? NRW_OK : group_write_block(o, &w->out, &s->spilled, err);
}

static nrw_status save_list(op_group *o, group_worker *w, group_stretch *s, const group_list *l,
                            nrw_error *err)
{
    uint8_t *some[HASHED], *row;
    group_walk at = {0};
    uint32_t n;

    do {
        n = 0;
        while (n < HASHED && group_walk_next(&l->rows, &at, &row))
            if (row != s->last)
                some[n++] = row;
        if (!l->hashed)
            TRY(group_hash_rows(o, some, n, o->m, err));
        for (uint32_t i = 0; i < n; i++)
            TRY(save_row(o, w, s, some[i], err));
    } while (n == HASHED);
    return NRW_OK;
}

/* All but the last group, which may go on. */
nrw_status group_stretch_spill(op_group *o, group_worker *w, group_stretch *s, nrw_error *err)
{
    rows kept = {.m = o->m}, *list;
    uint8_t *last = NULL;
    nrw_status st = NRW_OK;

    w->out.len = 0;
    for (uint32_t i = 0; i < s->n; i++)
        TRY(save_list(o, w, s, &s->lists[i], err));
    TRY(group_write_block(o, &w->out, &s->spilled, err));
    if (s->last)
        st = move_row(o, s->last, &kept, &last, err);
    for (uint32_t i = 0; i < s->n; i++)
        group_rows_free(o, &s->lists[i].rows);
    s->n = 0;
    s->bytes = 0;
    s->last = last;
    if (st >= 0 && last) {
        st = new_list(o, s, false, &list, err);
        if (st >= 0)
            *list = kept;
        else
            group_rows_free(o, &kept);
    }
    return st;
}
