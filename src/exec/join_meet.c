/* Who meets whom. Candidates with equal keys are gathered until there is room for no more of them;
 * then the condition is asked, and what is left leaves. A left row is complete when all its
 * candidates were seen. */
#include "exec/join_own.h"

nrw_status meet_room_open(meet_room *w, mem *m, nrw_error *err)
{
    if (w->pairs)
        return NRW_OK;
    TRY(mem_alloc(m, 2 * EMIT_ROWS * sizeof(pair), (void **)&w->pairs, err));
    w->leaving = w->pairs + EMIT_ROWS;
    return NRW_OK;
}

void meet_room_close(meet_room *w, mem *m)
{
    mem_free(m, w->pairs, w->pairs ? 2 * EMIT_ROWS * sizeof(pair) : 0);
    w->pairs = NULL;
}

/* ---- the condition ---- */

static void want(void *self, uint32_t column)
{
    ((bool *)self)[column] = true;
}

/* The condition of n pairs. */
static nrw_status test_pairs(const meeting *t, const pair *p, uint32_t n, vector *out,
                             nrw_error *err)
{
    uint32_t all = t->spec->n_left + t->spec->n_right;
    size_t bytes = all * (sizeof(vector) + sizeof(vector *) + 1) + 1;
    vector *columns, whole = {0};
    const vector **at;
    bool *wanted;
    nrw_status st;

    TRY(mem_zalloc(t->b->m, bytes, (void **)&columns, err));
    at = (const vector **)(void *)(columns + all);
    wanted = (bool *)(at + all);
    expr_columns(t->spec->condition, want, wanted);
    st = pair_columns(t, p, n, wanted, columns, err);
    for (uint32_t c = 0; c < all; c++)
        at[c] = wanted[c] ? &columns[c] : NULL;
    if (st >= 0)
        st = expr_eval(t->spec->condition, at, n, t->b->m, &whole, err);
    if (st >= 0)
        st = vector_flatten(&whole, t->b->m, out, err);
    vector_release(&whole);
    for (uint32_t c = 0; c < all; c++)
        vector_release(&columns[c]);
    mem_free(t->b->m, columns, bytes);
    return st;
}

/* Drops pairs for which the condition is not true. Where it is null the row has not met, but is not
 * known to have met nobody. */
static nrw_status keep_true(meeting *t, nrw_error *err)
{
    meet_room *w = t->w;
    uint32_t kept = 0;
    vector v;

    if (!t->spec->condition || w->n == 0)
        return NRW_OK;
    TRY(test_pairs(t, w->pairs, w->n, &v, err));
    for (uint32_t i = 0; i < w->n; i++) {
        pair p = w->pairs[i];
        bool null = !vector_is_valid(&v, i);
        if (null && t->spec->kind == JOIN_RIGHT_MARK)
            build_leave_open(p.right);
        if (null && t->met[p.left] == UNMET)
            t->met[p.left] = OPEN;
        if (!null && v.data[i])
            w->pairs[kept++] = p;
    }
    vector_release(&v);
    w->n = kept;
    return NRW_OK;
}

/* ---- what leaves ---- */

bool join_only_right(join_kind k)
{
    return k == JOIN_RIGHT_SEMI || k == JOIN_RIGHT_ANTI || k == JOIN_RIGHT_MARK;
}

bool join_keeps_right(join_kind k)
{
    return k == JOIN_RIGHT || k == JOIN_FULL || join_only_right(k);
}

bool join_needs_match(join_kind k)
{
    return k == JOIN_INNER || k == JOIN_SEMI || k == JOIN_RIGHT || join_only_right(k);
}

bool join_gives_pairs(join_kind k)
{
    return k != JOIN_SEMI && k != JOIN_ANTI && k != JOIN_MARK && !join_only_right(k);
}

uint32_t join_width(const join_spec *s)
{
    if (join_gives_pairs(s->kind))
        return s->n_left + s->n_right;
    if (join_only_right(s->kind))
        return s->n_right + (s->kind == JOIN_RIGHT_MARK);
    return s->n_left + (s->kind == JOIN_MARK);
}

type join_type(const join_spec *s, uint32_t c)
{
    uint32_t n_left = join_only_right(s->kind) ? 0 : s->n_left;

    if (c < n_left)
        return s->left_types[c];
    return s->kind == JOIN_MARK || c - n_left == s->n_right ? type_of(TYPE_BOOL)
                                                            : s->right_types[c - n_left];
}

static bool keeps_left(join_kind k)
{
    return k == JOIN_LEFT || k == JOIN_FULL || k == JOIN_SINGLE;
}

static nrw_status leave(meeting *t, uint32_t *n, pair p, nrw_error *err)
{
    if (*n == EMIT_ROWS) {
        TRY(emit_pairs(t, t->w->leaving, *n, err));
        *n = 0;
    }
    t->w->leaving[(*n)++] = p;
    return NRW_OK;
}

/* Pairs of the left rows from `from` on; complete rows that met nobody, those before `to`, stand
 * between them. */
static nrw_status emit_with_left(meeting *t, uint32_t from, uint32_t to, nrw_error *err)
{
    meet_room *w = t->w;
    uint32_t n = 0, at = 0;

    for (uint32_t i = from; i <= to; i++) {
        if (i < to && t->met[i] != MET)
            TRY(leave(t, &n, (pair){NULL, i}, err));
        for (; at < w->n && w->pairs[at].left == i; at++)
            TRY(leave(t, &n, w->pairs[at], err));
    }
    return emit_pairs(t, w->leaving, n, err);
}

/* The candidates found since `from` are settled; left rows before `to` are complete. */
static nrw_status settle(meeting *t, uint32_t from, uint32_t to, nrw_error *err)
{
    meet_room *w = t->w;
    nrw_status st = NRW_OK;

    TRY(op_check(&t->build->base, err));
    TRY(keep_true(t, err));
    for (uint32_t i = 0; i < w->n; i++) {
        if (t->spec->kind == JOIN_SINGLE && t->met[w->pairs[i].left] == MET)
            return err_set(err, NRW_E_ARG,
                           "a subquery that stands for one value gave more than one row");
        t->met[w->pairs[i].left] = MET;
        build_meet(w->pairs[i].right);
    }
    if (t->final && keeps_left(t->spec->kind))
        st = emit_with_left(t, from, to, err);
    else if (join_gives_pairs(t->spec->kind))
        st = emit_pairs(t, w->pairs, w->n, err);
    w->n = 0;
    return st;
}

/* ---- meeting ---- */

static bool key_is(const meeting *t, const uint8_t *row, uint32_t i)
{
    const row_layout *l = &t->build->layout;

    for (uint32_t k = 0; k < t->spec->n_keys; k++) {
        const vector *v = &t->keys[k];
        uint32_t c = t->build->key_at[k];
        bool here = vector_is_valid(v, i);
        span mine, theirs;
        if (here != row_has(l, row, c))
            return false;
        if (!here)
            continue;
        mine = flat_span(v, i);
        theirs = row_value(l, row, c);
        if (mine.len != theirs.len || memcmp(mine.data, theirs.data, mine.len) != 0)
            return false;
    }
    return true;
}

bool has_null_key(const meeting *t, uint32_t i)
{
    for (uint32_t k = 0; k < t->spec->n_keys; k++)
        if (!vector_is_valid(&t->keys[k], i) && !t->spec->null_equal[k])
            return true;
    return false;
}

/* Left row i and all it may meet. */
static nrw_status meet_row(meeting *t, uint32_t i, uint32_t *from, nrw_error *err)
{
    bool one = !join_gives_pairs(t->spec->kind), sure = one && !t->spec->condition;
    uint8_t *row = t->table->slots[t->hashes[i] & (t->table->n_slots - 1)];

    for (; row && !(one && t->met[i] == MET); row = build_link_of(row)->next) {
        if (row_hash(row) != t->hashes[i] || !key_is(t, row, i))
            continue;
        if (t->w->n == EMIT_ROWS) {
            TRY(settle(t, *from, i, err));
            *from = i;
        }
        t->w->pairs[t->w->n++] = (pair){row, i};
        if (sure)
            break;
    }
    return NRW_OK;
}

static uint8_t *load_row(uint8_t *const *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* Left row i, and the right rows that are to know of it. Those that have met are taken out of their
 * chain on the way, so that many rows of one key do not meet over and over. Several threads may do
 * so at once: whatever link they leave behind leads further, over rows that have met alone. */
static nrw_status pass_by(meeting *t, uint32_t i, nrw_error *err)
{
    uint8_t **at = &t->table->slots[t->hashes[i] & (t->table->n_slots - 1)], *row;

    while ((row = load_row(at))) {
        uint8_t **next = &build_link_of(row)->next;
        if (build_was_met(row)) {
            __atomic_store_n(at, load_row(next), __ATOMIC_RELAXED);
            continue;
        }
        at = next;
        if (row_hash(row) != t->hashes[i] || !key_is(t, row, i))
            continue;
        if (!t->spec->condition) {
            build_meet(row);
            continue;
        }
        if (t->w->n == EMIT_ROWS)
            TRY(settle(t, i, i, err));
        t->w->pairs[t->w->n++] = (pair){row, i};
    }
    return NRW_OK;
}

nrw_status join_meet(meeting *t, nrw_error *err)
{
    bool only_right = join_only_right(t->spec->kind);
    uint32_t from = 0;

    t->w->n = 0;
    for (uint32_t i = 0; i < t->rows; i++)
        if (!has_null_key(t, i))
            TRY(only_right ? pass_by(t, i, err) : meet_row(t, i, &from, err));
    TRY(settle(t, from, t->rows, err));
    return only_right || join_gives_pairs(t->spec->kind) || !t->final ? NRW_OK : emit_left(t, err);
}
