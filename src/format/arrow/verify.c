/* Everything is read once, a record batch and a column at a time. A column that is damaged does not
 * keep the others from being looked at; behind a damaged header there is nothing to go by. */
#include "format/arrow/verify.h"

enum { STEP = 4096 };

typedef struct verifier {
    const ipc_contents *c;
    ipc_file file;
    ipc_dictionaries dictionaries;
    fault_found fault;
    void *self;
    int64_t batches, dictionary_batches, rows;
    uint64_t bytes;
} verifier;

static nrw_status read_column(verifier *v, ipc_record *r, uint32_t column, nrw_error *err)
{
    const arrow_layout *l = &v->c->layouts[column];
    ipc_arrays arrays = ipc_arrays_of(r, column, l);
    const uint64_t rows = (uint64_t)r->rows;
    uint64_t step = STEP;
    vector some;

    for (uint64_t at = 0; at < rows;) {
        uint64_t n = rows - at < step ? rows - at : step;
        nrw_status st = arrow_read(&arrays.base, l, at, (uint32_t)n, v->file.m, &some, err);
        if (st == NRW_E_MEMLIMIT && n > 1) { /* fewer at a time */
            *err = (nrw_error)NRW_ERROR_INIT;
            step = n / 2;
            continue;
        }
        TRY(st);
        vector_release(&some);
        at += n;
    }
    return NRW_OK;
}

static nrw_status verify_columns(verifier *v, ipc_record *r, nrw_error *err)
{
    for (uint32_t i = 0; i < v->c->n; i++) {
        nrw_error what = NRW_ERROR_INIT;
        nrw_status st;
        if (arrow_layout_refusal(&v->c->layouts[i]))
            continue;
        st = read_column(v, r, i, &what);
        ipc_column_done(r, i);
        if (st >= 0)
            continue;
        err_at_object(&what, v->c->f->name);
        err_at_column(&what, v->c->layouts[i].f->name);
        err_at_offset(&what, (int64_t)r->at);
        TRY(verify_tell(v->fault, v->self, st, &what, err));
    }
    return NRW_OK;
}

static nrw_status verify_batch(verifier *v, const ipc_message *m, bytes *meta, nrw_error *err)
{
    nrw_error what = NRW_ERROR_INIT;
    ipc_record *r = NULL;
    nrw_status st;

    v->batches++;
    v->bytes += m->body_len;
    st = ipc_record_open(&v->file, m, &m->header, meta, &v->c->places, v->c->n, &r, &what);
    if (st >= 0)
        st = ipc_dictionaries_hold(&v->dictionaries, &r->dictionaries, &r->n_dictionaries, &what);
    if (st < 0) {
        ipc_record_unref(r);
        return verify_tell(v->fault, v->self, st, &what, err);
    }
    v->rows += r->rows;
    st = verify_columns(v, r, err);
    ipc_record_unref(r);
    return st;
}

static nrw_status walk(verifier *v, nrw_error *err)
{
    bytes meta = bytes_init(v->file.m, INT32_MAX);
    ipc_walk w = v->c->begin;
    nrw_status st;

    for (;;) {
        nrw_error what = NRW_ERROR_INIT;
        ipc_message m;
        st = ipc_walk_next(&w, &meta, &m, &what);
        if (st == NRW_OK && m.kind == ARROW_HEADER_DICTIONARY) {
            v->dictionary_batches++;
            v->bytes += m.body_len;
            st = ipc_dictionaries_take(&v->dictionaries, &m, &what);
        } else if (st == NRW_OK) {
            st = verify_batch(v, &m, &meta, &what);
        }
        if (st == NRW_OK)
            continue;
        if (st < 0)
            st = verify_tell(v->fault, v->self, st, &what, err);
        break;
    }
    bytes_release(&meta);
    return st < 0 ? st : NRW_OK;
}

static nrw_status start(verifier *v, arena *a, nrw_error *err)
{
    const arrow_layout **wanted;

    TRY(arena_alloc(a, v->c->n * sizeof *wanted + 1, (void **)&wanted, err));
    for (uint32_t i = 0; i < v->c->n; i++)
        wanted[i] = &v->c->layouts[i];
    return ipc_dictionaries_init(&v->dictionaries, &v->file, a, wanted, v->c->n, err);
}

nrw_status ipc_verify(const ipc_contents *c, spill *sp, mem *m, fault_found fault, void *self,
                      verify_counts *out, nrw_error *err)
{
    verifier v = {.c = c, .fault = fault, .self = self};
    arena *a = NULL;
    nrw_status st;

    ipc_file_init(&v.file, c->f, m, sp, (uint64_t)1 << 20);
    st = arena_new(m, &a, err);
    if (st >= 0)
        st = start(&v, a, err);
    if (st >= 0)
        st = walk(&v, err);
    ipc_dictionaries_release(&v.dictionaries);
    ipc_file_release(&v.file);
    arena_free(a);
    *out = (verify_counts){.n = 3,
                           .at = {{"record batches", v.batches, false},
                                  {"dictionaries", v.dictionary_batches, true},
                                  {"rows", v.rows, false}},
                           .bytes = v.bytes};
    return st;
}
