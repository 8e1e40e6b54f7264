/* The keys of rows that wait, part by part: a part's state is of its groups alone. Where that is
 * full, too, what it could not decide on is dealt out by further bits of the hashes. Each time some
 * ids get in, so it comes to an end, whatever the keys. */
#include "exec/dense.h"
#include "exec/first_own.h"

typedef struct deciding {
    first_late *l;
    first_state state;
    uint16_t out[FIRST_KEYS], again[FIRST_KEYS];
    uint32_t had[FIRST_KEYS], taken[FIRST_KEYS];
    uint8_t late[FIRST_KEYS / 8];
    vector **cols; /* the batch's */
    first_task task;
    uint64_t rows; /* of it, those that were decided on */
    uint64_t at;   /* and those that came before the batch */
    uint64_t n;    /* rows of all of the part, whose marks are open */
} deciding;

/* The rows at keys.at[0..n) as a batch. */
static nrw_status keys_batch(deciding *d, uint32_t n, batch *b, nrw_error *err)
{
    first_keys *k = &d->l->keys;
    const batch like = {.m = d->l->m};

    TRY(dense_new(&like, k->layout.n, n, b, err));
    for (uint32_t c = 0; c < k->layout.n; c++) {
        vector v;
        TRY(rows_column(&k->layout, (const uint8_t *const *)k->at, n, c, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
        d->cols[c] = b->cols[c].held;
    }
    for (uint32_t i = 0; i < n; i++)
        d->had[i] = load_u32(k->at[i] + 4);
    return NRW_OK;
}

static nrw_status decide_rows(deciding *d, batch *b, nrw_error *err)
{
    first_keys *k = &d->l->keys;
    picking p = {.out = d->out, .late = d->late, .taken = d->taken, .had = d->had};
    uint32_t n = 0;

    memset(d->late, 0, sizeof d->late);
    TRY(first_state_begin(&d->state, b, err));
    TRY(first_state_pick(&d->state, b, &p, err));
    for (uint32_t i = 0; i < p.n; i++) {
        const uint16_t row = p.out[i];
        if (d->task.all)
            store_u64(k->at[row] + 8, d->at + row);
        if (!bit_get(d->late, row)) {
            TRY(first_marks_put(&d->l->marks, row_hash(k->at[row]), err));
            continue;
        }
        d->taken[n] = d->taken[row];
        d->again[n++] = row;
    }
    op_count(&d->l->of->base, 0, b->rows - p.n);
    d->rows += b->rows - n;
    d->at += b->rows;
    return first_keys_again(k, (const vector *const *)d->cols, b->rows, d->again, n, d->taken, err);
}

static nrw_status decide_block(deciding *d, uint32_t n, nrw_error *err)
{
    batch b = {0};
    nrw_status st = keys_batch(d, n, &b, err);

    if (st >= 0)
        st = decide_rows(d, &b, err);
    if (b.cols)
        dense_free(&b, d->l->keys.layout.n);
    return st;
}

static nrw_status decide_blocks(deciding *d, spill_chain *part, nrw_error *err)
{
    uint32_t n;
    nrw_status st;

    d->rows = d->at = 0;
    while ((st = first_keys_read(&d->l->keys, part, &n, err)) == NRW_OK) {
        TRY(op_check(&d->l->of->base, err));
        TRY(decide_block(d, n, err));
    }
    TRY(st);
    if (d->rows == 0)
        return first_state_explain(
            &d->state, err_set(err, NRW_E_MEMLIMIT, "no room for a single key of those that wait"),
            err);
    return NRW_OK;
}

static nrw_status decide_part(deciding *d, spill_chain *part, nrw_error *err)
{
    const op_first *o = d->l->of;
    nrw_status st;

    d->state = (first_state){.spec = &d->l->asked, .freezes = true};
    st = mem_child(o->m, "first of a part", o->spec.memory - mem_limit(d->l->m), &d->state.m, err);
    if (st >= 0)
        st = first_state_open(&d->state, 0, err);
    if (st >= 0)
        st = decide_blocks(d, part, err);
    first_state_close(&d->state);
    return st;
}

/* The part is through: what it says of its rows stays. */
static nrw_status end_part(deciding *d, uint32_t part, nrw_error *err)
{
    first_late *l = d->l;
    nrw_status st = NRW_OK;

    if (l->marks.m)
        st = first_answers_put(&l->answers, part, &l->marks, d->n, err);
    first_marks_release(&l->marks);
    l->marks.m = NULL;
    return st;
}

static nrw_status decide_task(deciding *d, const first_task *t, nrw_error *err)
{
    first_late *l = d->l;
    spill_chain blocks = spill_chain_of(&t->blocks);
    nrw_status st = NRW_OK;

    if (t->all) {
        st = end_part(d, d->task.part, err);
        d->n = t->n;
        if (st >= 0)
            st = first_marks_open(&l->marks, t->n, first_late_marks(l->of->spec.memory), l->m,
                                  l->keys.spill, err);
    }
    d->task = *t;
    if (st >= 0)
        st = decide_part(d, &blocks, err);
    spill_chain_free(&blocks, l->keys.spill);
    return st;
}

static nrw_status decide_all(deciding *d, nrw_error *err)
{
    first_task t;
    nrw_status st;

    while ((st = first_keys_part(&d->l->keys, &t, err)) == NRW_OK)
        TRY(decide_task(d, &t, err));
    return st < 0 ? st : end_part(d, d->task.part, err);
}

nrw_status first_late_decide(first_late *l, nrw_error *err)
{
    const size_t bytes = sizeof(deciding) + l->keys.layout.n * sizeof(vector *);
    deciding *d;
    nrw_status st;

    first_state_close(&l->of->state);
    TRY(first_keys_end(&l->keys, FIRST_KEYS_LEAST, err));
    mem_set_limit(l->m, first_late_deciding(&l->of->spec));
    TRY(first_answers_open(&l->answers, first_late_marks(l->of->spec.memory), l->m, l->keys.spill,
                           err));
    TRY(mem_zalloc(l->m, bytes, (void **)&d, err));
    d->l = l;
    d->cols = (vector **)(void *)(d + 1);
    st = decide_all(d, err);
    mem_free(l->m, d, bytes);
    first_keys_release(&l->keys);
    mem_set_limit(l->m, l->of->spec.memory);
    return st;
}
