/* Evaluating: columns are shared, constants are one run, calls see flat vectors.
 *
 * A call whose only argument that is not a constant is a dictionary or runs is evaluated once per
 * entry or run. An entry that no row uses may fail where the rows would not: on failure the rows
 * are evaluated instead. */
#include "expr/function.h"

#include "kernel/kernel.h"

#include <stdlib.h>

static bool is_one_run(const vector *v)
{
    return v->form == VECTOR_RUNS && v->n_runs == 1;
}

/* Row run(i) of `values`, which is taken, for each row i; ends[] holds where each run ends. Nested
 * vectors have no runs. */
static nrw_status spread_runs(vector *values, const uint32_t *ends, uint32_t n_runs, uint32_t rows,
                              mem *m, vector *out, nrw_error *err)
{
    uint32_t *idx, run = 0;
    nrw_status st;
    void *p;

    st = mem_alloc(m, rows * sizeof *idx, &p, err);
    if (st == NRW_OK) {
        idx = p;
        for (uint32_t i = 0; i < rows; i++) {
            run += run + 1 < n_runs && i == ends[run];
            idx[i] = run;
        }
        st = vector_pick(values, idx, rows, m, out, err);
        mem_free(m, p, rows * sizeof *idx);
    }
    vector_release(values);
    return st;
}

/* `rows` rows of the one value of `one`, which is taken. */
static nrw_status one_run(vector *one, uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    if (type_is_nested(&one->type))
        return spread_runs(one, &rows, 1, rows, m, out, err);
    TRY(vector_runs(m, one, rows, out, err));
    store_u32(out->data, rows);
    vector_count_nulls(out);
    return NRW_OK;
}

static nrw_status constant_eval(const expr *e, uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    vector one;

    if (rows == 0)
        return vector_flat(m, &e->type, 0, out, err);
    TRY(vector_constant(e->constant, 0, NULL, m, &one, err));
    return one_run(&one, rows, m, out, err);
}

void settle_nulls(vector *v)
{
    v->null_count = 0;
    if (!v->validity)
        return;
    v->null_count = v->len - (uint32_t)kernels_get()->popcount_bits(v->validity, 0, v->len);
    if (v->null_count == 0 || type_is_nested(&v->type))
        return;
    for (uint32_t i = 0; i < v->len; i++)
        if (!bit_get(v->validity, i))
            memset(v->data + (size_t)i * v->type.width, 0, v->type.width);
}

nrw_status row_null(vector *out, uint32_t i, nrw_error *err)
{
    if (!out->validity)
        TRY(vector_add_validity(out, err));
    bit_clear(out->validity, i);
    return NRW_OK;
}

/* ---- calls ---- */

/* The bitmap of rows for which no argument is null. *all: there is none for which none is. */
static nrw_status join_validity(const vector *const *at, const bool *constant, uint32_t n,
                                vector *out, bool *none, nrw_error *err)
{
    size_t bytes = ((size_t)out->len + 7) / 8;

    *none = false;
    for (uint32_t k = 0; k < n; k++) {
        const uint8_t *bits = at[k]->validity;
        if (!bits)
            continue;
        if (constant[k]) {
            *none |= !bit_get(bits, 0);
            continue;
        }
        if (!out->validity)
            TRY(vector_add_validity(out, err));
        for (size_t b = 0; b < bytes; b++)
            out->validity[b] &= bits[b];
    }
    return NRW_OK;
}

/* flat[k] of `rows` rows, or one that stands for all. */
static nrw_status call_flat(const expr *e, const vector *const *flat, const bool *constant,
                            uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    scalar_args args = {.rows = rows, .n = e->n_args, .at = flat, .constant = constant, .m = m};
    bool none = false;
    nrw_status st;

    TRY(vector_flat(m, &e->type, rows, out, err));
    out->len = rows;
    st = e->sees_nulls ? NRW_OK : join_validity(flat, constant, e->n_args, out, &none, err);
    if (st == NRW_OK && none) {
        vector_release(out);
        return vector_nulls(m, &e->type, rows, out, err);
    }
    if (st == NRW_OK)
        st = e->eval(e, &args, out, err);
    if (st < 0) {
        vector_release(out);
        return st;
    }
    settle_nulls(out);
    return NRW_OK;
}

/* Room for the bookkeeping of a call's arguments: on the stack for few. */
#define FEW 8

typedef struct flat_args {
    vector *own; /* what was made here */
    const vector **at;
    bool *constant;
    uint32_t n;
    mem *m;
    vector few_own[FEW];
    const vector *few_at[FEW];
    bool few_constant[FEW];
} flat_args;

static nrw_status flat_args_new(flat_args *f, uint32_t n, mem *m, nrw_error *err)
{
    void *p;

    f->n = n;
    f->m = m;
    f->own = f->few_own;
    f->at = f->few_at;
    f->constant = f->few_constant;
    if (n > FEW) {
        TRY(mem_zalloc(m, n * (sizeof(vector) + sizeof(void *) + sizeof(bool)), &p, err));
        f->own = p;
        f->at = (const vector **)(void *)(f->own + n);
        f->constant = (bool *)(void *)(f->at + n);
    }
    memset(f->own, 0, n * sizeof *f->own);
    memset(f->constant, 0, n * sizeof *f->constant);
    return NRW_OK;
}

static void flat_args_end(flat_args *f)
{
    for (uint32_t k = 0; k < f->n; k++)
        vector_release(&f->own[k]);
    if (f->own != f->few_own)
        mem_free(f->m, f->own, f->n * (sizeof(vector) + sizeof(void *) + sizeof(bool)));
}

/* Each argument flat, constants as one row. With `all`, constants are spread too where nothing
 * else tells the rows apart. */
static nrw_status flatten_args(flat_args *f, vector *args, nrw_error *err)
{
    for (uint32_t k = 0; k < f->n; k++) {
        f->at[k] = &args[k];
        if (is_one_run(&args[k])) {
            f->constant[k] = true;
            f->at[k] = args[k].values;
            if (args[k].values->form == VECTOR_FLAT)
                continue;
            TRY(vector_flatten(args[k].values, f->m, &f->own[k], err));
            f->at[k] = &f->own[k];
        } else if (args[k].form != VECTOR_FLAT) {
            TRY(vector_flatten(&args[k], f->m, &f->own[k], err));
            f->at[k] = &f->own[k];
        }
    }
    return NRW_OK;
}

static nrw_status call_rows(const expr *e, vector *args, uint32_t rows, mem *m, vector *out,
                            nrw_error *err)
{
    flat_args f;
    nrw_status st;

    TRY(flat_args_new(&f, e->n_args, m, err));
    st = flatten_args(&f, args, err);
    if (st == NRW_OK)
        st = call_flat(e, f.at, f.constant, rows, m, out, err);
    flat_args_end(&f);
    return st;
}

/* All arguments are constants: one row is evaluated, unless each row is another. */
static nrw_status call_once(const expr *e, vector *args, uint32_t rows, mem *m, vector *out,
                            nrw_error *err)
{
    static const bool none[FEW] = {false};
    flat_args f;
    vector one;
    nrw_status st;

    TRY(flat_args_new(&f, e->n_args, m, err));
    st = flatten_args(&f, args, err);
    if (st == NRW_OK && e->changes) {
        st = call_flat(e, f.at, f.constant, rows, m, out, err);
    } else if (st == NRW_OK) {
        memset(f.constant, 0, f.n * sizeof *f.constant);
        st = call_flat(e, f.at, f.n ? f.constant : none, 1, m, &one, err);
        if (st == NRW_OK)
            st = one_run(&one, rows, m, out, err);
    }
    flat_args_end(&f);
    return st;
}

/* The call over the entries of argument k. */
static nrw_status call_entries(const expr *e, vector *args, uint32_t k, const vector *entries,
                               mem *m, vector *out, nrw_error *err)
{
    vector kept = args[k];
    nrw_status st;

    args[k] = *entries;
    st = call_rows(e, args, entries->len, m, out, err);
    args[k] = kept;
    return st;
}

/* A result that has one entry per entry of v's dictionary, back as rows. Consumes `entries`. */
static nrw_status over_dict(const vector *v, vector *entries, mem *m, vector *out, nrw_error *err)
{
    nrw_status st;
    dict *d;

    if (entries->null_count || type_is_nested(&entries->type) || entries->type.width <= 1) {
        void *p;
        uint32_t *idx;
        st = mem_alloc(m, v->len * sizeof *idx, &p, err);
        if (st == NRW_OK) {
            idx = p;
            for (uint32_t i = 0; i < v->len; i++)
                idx[i] = vector_is_valid(v, i) ? load_u32(v->data + 4 * (size_t)i) : VECTOR_NULL;
            st = vector_pick(entries, idx, v->len, m, out, err);
            mem_free(m, p, v->len * sizeof *idx);
        }
        vector_release(entries);
        return st;
    }
    TRY(dict_new(m, entries, &d, err));
    st = vector_dict(m, &d->values.type, d, 0, out, err);
    dict_unref(d);
    if (st < 0)
        return st;
    buffer_unref(out->data_buf);
    out->data_buf = buffer_ref(v->data_buf);
    out->data = v->data;
    if (v->validity) {
        out->validity_buf = buffer_ref(v->validity_buf);
        out->validity = v->validity;
    }
    out->len = v->len;
    out->null_count = v->null_count;
    return NRW_OK;
}

static nrw_status over_runs(const vector *v, vector *entries, mem *m, vector *out, nrw_error *err)
{
    if (type_is_nested(&entries->type))
        return spread_runs(entries, (const uint32_t *)(const void *)v->data, v->n_runs, v->len, m,
                           out, err);
    TRY(vector_runs(m, entries, v->len, out, err));
    memcpy(out->data, v->data, v->n_runs * sizeof(uint32_t));
    vector_count_nulls(out);
    return NRW_OK;
}

/* Whether evaluating the entries of v is less work than its rows, and means the same. */
static bool entries_pay(const expr *e, const vector *v)
{
    if (e->changes)
        return false;
    if (v->form == VECTOR_RUNS)
        return v->n_runs <= v->len / 2;
    return v->form == VECTOR_DICT && v->dict->values.len <= v->len / 2 &&
           !(e->sees_nulls && v->null_count);
}

static nrw_status call_by_entries(const expr *e, vector *args, uint32_t k, mem *m, vector *out,
                                  nrw_error *err)
{
    const vector *v = &args[k];
    vector entries;

    TRY(call_entries(e, args, k, v->form == VECTOR_RUNS ? v->values : &v->dict->values, m, &entries,
                     err));
    return v->form == VECTOR_RUNS ? over_runs(v, &entries, m, out, err)
                                  : over_dict(v, &entries, m, out, err);
}

nrw_status call_eval(const expr *e, vector *args, uint32_t rows, mem *m, vector *out,
                     nrw_error *err)
{
    uint32_t varying = 0, at = 0;

    if (rows == 0)
        return vector_flat(m, &e->type, 0, out, err);
    for (uint32_t k = 0; k < e->n_args; k++)
        if (!is_one_run(&args[k])) {
            varying++;
            at = k;
        }
    if (varying == 0)
        return call_once(e, args, rows, m, out, err);
    if (varying == 1 && entries_pay(e, &args[at])) {
        nrw_error unused = {0};
        nrw_status st = call_by_entries(e, args, at, m, out, e->fails ? &unused : err);
        if (st == NRW_OK || !e->fails)
            return st;
    }
    return call_rows(e, args, rows, m, out, err);
}

static nrw_status eval_call(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                            vector *out, nrw_error *err)
{
    vector few[FEW] = {0}, *args = few;
    nrw_status st = NRW_OK;
    void *p;

    if (e->n_args > FEW) {
        TRY(mem_zalloc(m, e->n_args * sizeof *args, &p, err));
        args = p;
    }
    for (uint32_t k = 0; k < e->n_args && st == NRW_OK; k++)
        st = expr_eval(e->args[k], columns, rows, m, &args[k], err);
    if (st == NRW_OK)
        st = call_eval(e, args, rows, m, out, err);
    for (uint32_t k = 0; k < e->n_args; k++)
        vector_release(&args[k]);
    if (args != few)
        mem_free(m, args, e->n_args * sizeof *args);
    return st;
}

nrw_status expr_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                     vector *out, nrw_error *err)
{
    nrw_status st;

    *out = (vector){0};
    switch (e->kind) {
    case EXPR_COLUMN: st = vector_share(columns[e->column], out, err); break;
    case EXPR_CONSTANT: st = constant_eval(e, rows, m, out, err); break;
    case EXPR_CALL: st = eval_call(e, columns, rows, m, out, err); break;
    default: st = branch_eval(e, columns, rows, m, out, err); break;
    }
    if (st < 0)
        *out = (vector){0};
    return st;
}

/* ---- conditions ---- */

static uint32_t select_flat(const vector *v, uint16_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->len; i++) {
        out[n] = (uint16_t)i;
        n += v->data[i] & (v->validity ? bit_get(v->validity, i) : 1);
    }
    return n;
}

nrw_status expr_select(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                       uint16_t *out, uint32_t *n, nrw_error *err)
{
    vector v, flat;
    nrw_status st;

    *n = 0;
    TRY(expr_eval(e, columns, rows, m, &v, err));
    if (is_one_run(&v) && v.null_count) {
        vector_release(&v);
        return NRW_OK;
    }
    st = vector_flatten(&v, m, &flat, err);
    vector_release(&v);
    if (st < 0)
        return st;
    *n = flat.type.id == TYPE_BOOL ? select_flat(&flat, out) : 0;
    vector_release(&flat);
    return NRW_OK;
}
