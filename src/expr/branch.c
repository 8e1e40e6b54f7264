/* The forms that decide which of their parts are looked at: each part is evaluated for the rows
 * that are still undecided, and for these alone where it may fail. */
#include "expr/function.h"

/* ---- rows of the columns ---- */

typedef struct narrowed {
    const vector **at;
    vector *own;
    uint32_t n;
    mem *m;
} narrowed;

static void see_most(void *self, uint32_t column)
{
    uint32_t *most = self;

    if (column + 1 > *most)
        *most = column + 1;
}

typedef struct taking {
    narrowed *n;
    const vector *const *columns;
    const uint16_t *rows;
    uint32_t count;
    nrw_status st;
    nrw_error *err;
} taking;

static void see_take(void *self, uint32_t c)
{
    taking *t = self;

    if (t->st < 0 || t->n->at[c])
        return;
    t->st = vector_take(t->columns[c], t->rows, t->count, t->n->m, &t->n->own[c], t->err);
    if (t->st == NRW_OK)
        t->n->at[c] = &t->n->own[c];
}

static void narrowed_end(narrowed *n)
{
    for (uint32_t i = 0; i < n->n; i++)
        vector_release(&n->own[i]);
    mem_free(n->m, n->own, n->n * (sizeof(vector) + sizeof(void *)));
}

/* e for the rows named alone; the result has `count` rows. */
static nrw_status eval_some(const expr *e, const vector *const *columns, const uint16_t *rows,
                            uint32_t count, mem *m, vector *out, nrw_error *err)
{
    narrowed n = {.m = m};
    taking t = {.n = &n, .columns = columns, .rows = rows, .count = count, .err = err};
    void *p;

    expr_columns(e, see_most, &n.n);
    TRY(mem_zalloc(m, n.n * (sizeof(vector) + sizeof(void *)), &p, err));
    n.own = p;
    n.at = (const vector **)(void *)(n.own + n.n);
    expr_columns(e, see_take, &t);
    if (t.st == NRW_OK)
        t.st = expr_eval(e, n.at, count, m, out, err);
    narrowed_end(&n);
    return t.st;
}

/* A boolean as a byte a row: 0 false, 1 true, 2 null. */
static nrw_status truth_of(const vector *v, mem *m, uint8_t *out, nrw_error *err)
{
    vector flat;

    TRY(vector_flatten(v, m, &flat, err));
    for (uint32_t i = 0; i < flat.len; i++)
        out[i] = vector_is_valid(&flat, i) ? flat.data[i] : 2;
    vector_release(&flat);
    return NRW_OK;
}

typedef struct scratch {
    uint8_t *truth, *part;
    uint16_t *rows;
    void *p;
    size_t bytes;
} scratch;

static nrw_status scratch_new(uint32_t rows, mem *m, scratch *s, nrw_error *err)
{
    s->bytes = (size_t)rows * 4;
    TRY(mem_alloc(m, s->bytes, &s->p, err));
    s->rows = s->p;
    s->truth = (uint8_t *)(s->rows + rows);
    s->part = s->truth + rows;
    return NRW_OK;
}

/* ---- AND, OR ---- */

static nrw_status bool_result(const uint8_t *truth, uint32_t rows, const type *t, mem *m,
                              vector *out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    TRY(vector_flat(m, t, rows, out, err));
    out->len = rows;
    for (uint32_t i = 0; i < rows && st == NRW_OK; i++) {
        out->data[i] = truth[i] & 1;
        if (truth[i] == 2)
            st = row_null(out, i, err);
    }
    if (st < 0)
        vector_release(out);
    else
        settle_nulls(out);
    return st;
}

/* Joins `part`, of the rows named, to the truth so far. `decides`: false for AND, true for OR. */
static void join_truth(scratch *s, const uint16_t *rows, uint32_t n, uint8_t decides)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *t = &s->truth[rows ? rows[i] : i];
        if (s->part[i] == decides || (s->part[i] == 2 && *t != decides))
            *t = s->part[i];
    }
}

static nrw_status eval_logic(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                             scratch *s, nrw_error *err)
{
    const uint8_t decides = e->kind == EXPR_OR;

    memset(s->truth, !decides, rows);
    for (uint32_t k = 0; k < e->n_args; k++) {
        const expr *arg = e->args[k];
        uint32_t n = 0;
        vector v;
        nrw_status st;
        bool some;

        for (uint32_t i = 0; i < rows; i++) {
            s->rows[n] = (uint16_t)i;
            n += s->truth[i] != decides;
        }
        if (n == 0)
            return NRW_OK;
        some = n < rows && (arg->fails || n < rows / 2);
        if (some)
            st = eval_some(arg, columns, s->rows, n, m, &v, err);
        else
            st = expr_eval(arg, columns, rows, m, &v, err);
        TRY(st);
        st = truth_of(&v, m, s->part, err);
        vector_release(&v);
        TRY(st);
        join_truth(s, some ? s->rows : NULL, some ? n : rows, decides);
    }
    return NRW_OK;
}

static nrw_status logic_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                             vector *out, nrw_error *err)
{
    scratch s;
    nrw_status st;

    TRY(scratch_new(rows, m, &s, err));
    st = eval_logic(e, columns, rows, m, &s, err);
    if (st == NRW_OK)
        st = bool_result(s.truth, rows, &e->type, m, out, err);
    mem_free(m, s.p, s.bytes);
    return st;
}

/* ---- results put together of parts ---- */

/* parts[k] holds the values of some rows; from[i]: which row of all parts joined row i is. */
typedef struct pieces {
    vector *parts;
    uint32_t n, cap, total;
    uint32_t *from;
    uint16_t *left; /* rows still undecided */
    uint32_t n_left;
    void *p;
    size_t bytes;
    mem *m;
} pieces;

static nrw_status pieces_new(uint32_t parts, uint32_t rows, mem *m, pieces *out, nrw_error *err)
{
    pieces x = {.cap = parts, .m = m, .n_left = rows};

    x.bytes = parts * sizeof(vector) + rows * (sizeof(uint32_t) + sizeof(uint16_t));
    TRY(mem_zalloc(m, x.bytes, &x.p, err));
    x.parts = x.p;
    x.from = (uint32_t *)(void *)(x.parts + parts);
    x.left = (uint16_t *)(void *)(x.from + rows);
    for (uint32_t i = 0; i < rows; i++) {
        x.from[i] = VECTOR_NULL;
        x.left[i] = (uint16_t)i;
    }
    *out = x;
    return NRW_OK;
}

static void pieces_end(pieces *x)
{
    for (uint32_t i = 0; i < x->n; i++)
        vector_release(&x->parts[i]);
    mem_free(x->m, x->p, x->bytes);
}

static nrw_status pieces_join(pieces *x, const type *t, uint32_t rows, vector *out, nrw_error *err)
{
    vector all;
    nrw_status st;

    if (x->n == 0)
        return vector_nulls(x->m, t, rows, out, err);
    if (x->n == 1 && x->total == rows && x->n_left == 0 && x->from[0] == 0 &&
        x->from[rows - 1] == rows - 1) {
        *out = x->parts[0];
        x->n = 0;
        return NRW_OK;
    }
    TRY(vector_concat(x->parts, x->n, x->m, &all, err));
    st = vector_pick(&all, x->from, rows, x->m, out, err);
    vector_release(&all);
    return st;
}

/* e for the rows named, as one more part. */
static nrw_status pieces_add(pieces *x, const expr *e, const vector *const *columns, uint32_t rows,
                             const uint16_t *which, uint32_t n, nrw_error *err)
{
    if (n == rows)
        TRY(expr_eval(e, columns, rows, x->m, &x->parts[x->n], err));
    else
        TRY(eval_some(e, columns, which, n, x->m, &x->parts[x->n], err));
    for (uint32_t i = 0; i < n; i++)
        x->from[which[i]] = x->total + i;
    x->n++;
    x->total += n;
    return NRW_OK;
}

/* ---- CASE ---- */

/* Splits the rows left by the condition: those for which it is true go to `hit`. */
static nrw_status split(pieces *x, const expr *when, const vector *const *columns, uint32_t rows,
                        scratch *s, uint32_t *hits, nrw_error *err)
{
    uint32_t keep = 0, hit = 0;
    vector v;
    nrw_status st;

    if (x->n_left == rows)
        st = expr_eval(when, columns, rows, x->m, &v, err);
    else
        st = eval_some(when, columns, x->left, x->n_left, x->m, &v, err);
    TRY(st);
    st = truth_of(&v, x->m, s->part, err);
    vector_release(&v);
    TRY(st);
    for (uint32_t i = 0; i < x->n_left; i++) {
        if (s->part[i] == 1)
            s->rows[hit++] = x->left[i];
        else
            x->left[keep++] = x->left[i];
    }
    x->n_left = keep;
    *hits = hit;
    return NRW_OK;
}

static nrw_status case_parts(const expr *e, const vector *const *columns, uint32_t rows, pieces *x,
                             scratch *s, nrw_error *err)
{
    uint32_t hits, k = 0;

    for (; k + 1 < e->n_args && x->n_left; k += 2) {
        TRY(split(x, e->args[k], columns, rows, s, &hits, err));
        if (hits)
            TRY(pieces_add(x, e->args[k + 1], columns, rows, s->rows, hits, err));
    }
    if (x->n_left) {
        TRY(pieces_add(x, e->args[e->n_args - 1], columns, rows, x->left, x->n_left, err));
        x->n_left = 0;
    }
    return NRW_OK;
}

static nrw_status case_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                            vector *out, nrw_error *err)
{
    scratch s;
    pieces x;
    nrw_status st;

    TRY(scratch_new(rows, m, &s, err));
    st = pieces_new(e->n_args / 2 + 1, rows, m, &x, err);
    if (st == NRW_OK) {
        st = case_parts(e, columns, rows, &x, &s, err);
        if (st == NRW_OK)
            st = pieces_join(&x, &e->type, rows, out, err);
        pieces_end(&x);
    }
    mem_free(m, s.p, s.bytes);
    return st;
}

/* ---- COALESCE ---- */

static bool null_at(const vector *v, uint32_t i)
{
    bool null;

    if (v->form == VECTOR_FLAT)
        return !vector_is_valid(v, i);
    vector_value(v, i, &null);
    return null;
}

/* Rows of the last part that are null stay undecided. */
static void keep_nulls(pieces *x)
{
    const vector *v = &x->parts[x->n - 1];
    uint32_t keep = 0;

    if (v->null_count)
        for (uint32_t i = 0; i < x->n_left; i++)
            if (null_at(v, i))
                x->left[keep++] = x->left[i];
    x->n_left = keep;
}

static nrw_status coalesce_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                                vector *out, nrw_error *err)
{
    pieces x;
    nrw_status st = NRW_OK;

    TRY(pieces_new(e->n_args, rows, m, &x, err));
    for (uint32_t k = 0; k < e->n_args && x.n_left && st == NRW_OK; k++) {
        st = pieces_add(&x, e->args[k], columns, rows, x.left, x.n_left, err);
        if (st == NRW_OK)
            keep_nulls(&x);
    }
    x.n_left = 0;
    if (st == NRW_OK)
        st = pieces_join(&x, &e->type, rows, out, err);
    pieces_end(&x);
    return st;
}

/* ---- TRY ---- */

static nrw_status try_rows(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                           vector *out, nrw_error *err)
{
    pieces x;
    nrw_status st = NRW_OK;

    TRY(pieces_new(rows, rows, m, &x, err));
    for (uint32_t i = 0; i < rows && st == NRW_OK; i++) {
        nrw_error unused = {0};
        uint16_t row = (uint16_t)i;
        st = pieces_add(&x, e->args[0], columns, rows, &row, 1, &unused);
        if (st == NRW_E_VALUE)
            st = NRW_OK;
        else if (st < 0)
            st = err_set(err, st, "%s", unused.message);
    }
    x.n_left = 0;
    if (st == NRW_OK)
        st = pieces_join(&x, &e->type, rows, out, err);
    pieces_end(&x);
    return st;
}

static nrw_status try_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                           vector *out, nrw_error *err)
{
    nrw_error unused = {0};
    nrw_status st = expr_eval(e->args[0], columns, rows, m, out, &unused);

    if (st == NRW_OK)
        return st;
    if (rows == 1 && st == NRW_E_VALUE)
        return vector_nulls(m, &e->type, 1, out, err);
    return try_rows(e, columns, rows, m, out, err);
}

nrw_status branch_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                       vector *out, nrw_error *err)
{
    if (rows == 0)
        return vector_flat(m, &e->type, 0, out, err);
    if (rows > BATCH_MAX_ROWS)
        return err_set(err, NRW_E_UNSUPPORTED, "a batch of %u rows", rows);
    switch (e->kind) {
    case EXPR_CASE: return case_eval(e, columns, rows, m, out, err);
    case EXPR_COALESCE: return coalesce_eval(e, columns, rows, m, out, err);
    case EXPR_TRY: return try_eval(e, columns, rows, m, out, err);
    default: return logic_eval(e, columns, rows, m, out, err);
    }
}
