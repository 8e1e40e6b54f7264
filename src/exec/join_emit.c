/* Columns of what was found. */
#include "exec/dense.h"
#include "exec/join_own.h"

static nrw_status place_column(mem *m, uint32_t n, vector *out, nrw_error *err)
{
    const type t = type_of(TYPE_INT64);

    TRY(vector_flat(m, &t, n, out, err));
    out->len = n;
    return NRW_OK;
}

static uint64_t *places_of(vector *v)
{
    return (uint64_t *)(void *)v->data;
}

/* The places of both rows as columns at, at + 1 of a batch; right[i] NULL: zero. */
static nrw_status put_places(const meeting *t, batch *out, uint32_t at, const pair *p, uint32_t n,
                             nrw_error *err)
{
    vector left, right;

    if (!t->ordinals)
        return NRW_OK;
    TRY(place_column(t->b->m, n, &left, err));
    for (uint32_t i = 0; i < n; i++)
        places_of(&left)[i] = t->ordinals[p[i].left];
    TRY(dense_put(out, at, &left, err));
    TRY(place_column(t->b->m, n, &right, err));
    for (uint32_t i = 0; i < n; i++)
        places_of(&right)[i] = p[i].right ? build_link_of(p[i].right)->ordinal : 0;
    return dense_put(out, at + 1, &right, err);
}

static uint32_t width_of(const meeting *t)
{
    return join_width(t->spec) + (t->ordinals ? 2 : 0);
}

/* A result of n rows; its columns are put in by the caller, who passes it on and frees it. */
static nrw_status begin(const meeting *t, uint32_t n, batch *out, nrw_error *err)
{
    TRY(dense_new(t->b, width_of(t), n, out, err));
    out->last = false;
    out->offset = t->w->offset;
    t->w->offset += n;
    return NRW_OK;
}

/* ---- pairs ---- */

/* Who met nobody is given a right row that has nothing. */
nrw_status pair_columns(const meeting *t, const pair *p, uint32_t n, const bool *wanted,
                        vector *out, nrw_error *err)
{
    const row_layout *l = &t->build->layout;
    uint32_t n_left = t->spec->n_left, *left;
    uint8_t none[l->fixed];
    const uint8_t **right;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(t->b->m, EMIT_ROWS * sizeof *right, (void **)&right, err));
    left = (uint32_t *)(void *)right; /* one side at a time */
    for (uint32_t i = 0; i < n; i++)
        left[i] = p[i].left;
    for (uint32_t c = 0; st >= 0 && c < n_left; c++)
        if (!wanted || wanted[c])
            st = vector_pick(&t->columns[c], left, n, t->b->m, &out[c], err);
    memset(none, 0, sizeof none);
    for (uint32_t i = 0; i < n; i++)
        right[i] = p[i].right ? p[i].right : none;
    for (uint32_t c = 0; st >= 0 && c < t->spec->n_right; c++)
        if (!wanted || wanted[n_left + c])
            st = rows_column(l, right, n, c, t->b->m, &out[n_left + c], err);
    mem_free(t->b->m, right, EMIT_ROWS * sizeof *right);
    return st;
}

static nrw_status emit(meeting *t, const pair *p, uint32_t n, nrw_error *err)
{
    uint32_t width = join_width(t->spec);
    vector *columns;
    batch out;
    nrw_status st;

    TRY(begin(t, n, &out, err));
    st = mem_zalloc(t->b->m, width * sizeof *columns + 1, (void **)&columns, err);
    if (st >= 0) {
        st = pair_columns(t, p, n, NULL, columns, err);
        for (uint32_t c = 0; c < width; c++)
            if (st >= 0)
                st = dense_put(&out, c, &columns[c], err);
            else
                vector_release(&columns[c]);
        mem_free(t->b->m, columns, width * sizeof *columns + 1);
    }
    if (st >= 0)
        st = put_places(t, &out, width, p, n, err);
    if (st >= 0)
        st = op_pass(t->to, &out, err);
    dense_free(&out, width_of(t));
    return st;
}

/* Long rows leave fewer at a time. */
nrw_status emit_pairs(meeting *t, const pair *p, uint32_t n, nrw_error *err)
{
    const uint64_t most = rows_bytes_at_once(&t->build->layout, EMIT_BYTES);
    uint32_t from = 0;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < n; i++) {
        bytes += p[i].right ? row_bytes(p[i].right) : 0;
        if (bytes < most && i + 1 < n)
            continue;
        TRY(emit(t, p + from, i + 1 - from, err));
        from = i + 1;
        bytes = 0;
    }
    return NRW_OK;
}

/* ---- left rows ---- */

/* Whether a null leaves it open if row i has a match: a null that was compared, or a key that is
 * null, on whichever side. */
static bool is_open(const meeting *t, uint32_t i)
{
    if (!t->spec->in_nulls || t->met[i] == MET)
        return false;
    if (t->spec->condition)
        return t->met[i] == OPEN;
    return atomic_load(&t->build->base.rows_in) > 0 &&
           (atomic_load(&t->build->null_key) || has_null_key(t, i));
}

static nrw_status mark_column(mem *m, uint32_t n, vector *out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);
    nrw_status st;

    TRY(vector_flat(m, &boolean, n, out, err));
    out->len = n;
    st = vector_add_validity(out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

static void set_mark(vector *v, uint32_t i, bool met, bool open)
{
    v->data[i] = met;
    if (open)
        bit_clear(v->validity, i);
    v->null_count += open;
}

static nrw_status put_marks(const meeting *t, batch *out, uint32_t at, uint32_t n, nrw_error *err)
{
    vector v;

    TRY(mark_column(t->b->m, n, &v, err));
    for (uint32_t i = 0; i < n; i++)
        set_mark(&v, i, t->met[i] == MET, is_open(t, i));
    return dense_put(out, at, &v, err);
}

static nrw_status put_left(const meeting *t, batch *out, const uint16_t *sel, uint32_t n,
                           nrw_error *err)
{
    vector v;

    for (uint32_t c = 0; c < t->spec->n_left; c++) {
        if (n == t->rows)
            TRY(vector_share(&t->columns[c], &v, err));
        else
            TRY(vector_take(&t->columns[c], sel, n, t->b->m, &v, err));
        TRY(dense_put(out, c, &v, err));
    }
    return NRW_OK;
}

static nrw_status put_left_places(const meeting *t, batch *out, const uint16_t *sel, uint32_t n,
                                  nrw_error *err)
{
    const uint32_t width = join_width(t->spec);
    vector v;

    if (!t->ordinals)
        return NRW_OK;
    for (uint32_t k = 0; k < 2; k++) {
        TRY(place_column(t->b->m, n, &v, err));
        for (uint32_t i = 0; i < n; i++)
            places_of(&v)[i] = k ? 0 : t->ordinals[sel[i]];
        TRY(dense_put(out, width + k, &v, err));
    }
    return NRW_OK;
}

nrw_status emit_left(meeting *t, nrw_error *err)
{
    bool mark = t->spec->kind == JOIN_MARK, want_met = t->spec->kind == JOIN_SEMI;
    uint32_t n = 0;
    uint16_t *sel;
    batch out = {0};
    nrw_status st = NRW_OK;

    TRY(mem_alloc(t->b->m, t->rows * sizeof *sel + 1, (void **)&sel, err));
    for (uint32_t i = 0; i < t->rows; i++)
        if (mark || (t->met[i] == MET) == want_met)
            sel[n++] = (uint16_t)i;
    if (n) {
        TRY_OUT(begin(t, n, &out, err));
        TRY_OUT(put_left(t, &out, sel, n, err));
        if (mark)
            TRY_OUT(put_marks(t, &out, t->spec->n_left, n, err));
        TRY_OUT(put_left_places(t, &out, sel, n, err));
        st = op_pass(t->to, &out, err);
    }
out:
    if (out.cols)
        dense_free(&out, width_of(t));
    mem_free(t->b->m, sel, t->rows * sizeof *sel + 1);
    return st;
}

/* ---- right rows that leave at the end ---- */

bool leaves_at_end(const op_build *o, uint8_t *row)
{
    join_kind k = o->spec.kind;

    return k == JOIN_RIGHT_MARK || build_was_met(row) == (k == JOIN_RIGHT_SEMI);
}

/* As is_open says of left rows. */
static bool right_is_open(const op_build *o, uint8_t *row)
{
    if (!o->spec.in_nulls || build_was_met(row))
        return false;
    if (o->spec.condition)
        return *build_state(row) == OPEN;
    return atomic_load(&o->any_left) &&
           (atomic_load(&o->left_null_key) || build_meets_nobody(o, row));
}

static nrw_status put_right_marks(const op_build *o, batch *out, uint8_t *const *rows, uint32_t n,
                                  nrw_error *err)
{
    vector v;

    TRY(mark_column(out->m, n, &v, err));
    for (uint32_t i = 0; i < n; i++)
        set_mark(&v, i, build_was_met(rows[i]), right_is_open(o, rows[i]));
    return dense_put(out, o->spec.n_right, &v, err);
}

nrw_status put_rest(const op_build *o, batch *out, uint8_t *const *rows, uint32_t n, nrw_error *err)
{
    const join_spec *s = &o->spec;
    uint32_t n_left = join_only_right(s->kind) ? 0 : s->n_left;
    vector v;

    for (uint32_t c = 0; c < n_left; c++) {
        TRY(vector_nulls(out->m, &s->left_types[c], n, &v, err));
        TRY(dense_put(out, c, &v, err));
    }
    for (uint32_t c = 0; c < s->n_right; c++) {
        TRY(rows_column(&o->layout, (const uint8_t *const *)rows, n, c, out->m, &v, err));
        TRY(dense_put(out, n_left + c, &v, err));
    }
    return s->kind == JOIN_RIGHT_MARK ? put_right_marks(o, out, rows, n, err) : NRW_OK;
}

/* Behind all left rows, in their own order. */
static nrw_status put_rest_places(batch *out, uint32_t at, uint8_t *const *rows, uint32_t n,
                                  nrw_error *err)
{
    vector v;

    for (uint32_t k = 0; k < 2; k++) {
        TRY(place_column(out->m, n, &v, err));
        for (uint32_t i = 0; i < n; i++)
            places_of(&v)[i] = k ? build_link_of(rows[i])->ordinal : INT64_MAX;
        TRY(dense_put(out, at + k, &v, err));
    }
    return NRW_OK;
}

static nrw_status emit_some(const op_build *o, op *to, const batch *b, uint8_t *const *rows,
                            uint32_t n, nrw_error *err)
{
    uint32_t width = join_width(&o->spec);
    batch out;
    nrw_status st;

    if (n == 0)
        return NRW_OK;
    TRY(dense_new(b, width + 2, n, &out, err));
    out.last = false;
    st = put_rest(o, &out, rows, n, err);
    if (st >= 0)
        st = put_rest_places(&out, width, rows, n, err);
    if (st >= 0)
        st = op_pass(to, &out, err);
    dense_free(&out, width + 2);
    return st;
}

nrw_status emit_rest(const op_build *o, op *to, const batch *b, uint8_t *const *rows, uint64_t n,
                     nrw_error *err)
{
    const uint64_t most = rows_bytes_at_once(&o->layout, EMIT_BYTES);
    uint8_t *some[256];
    uint64_t bytes = 0;
    uint32_t at = 0;

    for (uint64_t i = 0; i < n; i++) {
        if (!leaves_at_end(o, rows[i]))
            continue;
        bytes += row_bytes(rows[i]);
        some[at++] = rows[i];
        if (at < 256 && bytes < most)
            continue;
        TRY(emit_some(o, to, b, some, at, err));
        bytes = at = 0;
    }
    return emit_some(o, to, b, some, at, err);
}
