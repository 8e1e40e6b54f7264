/* Record batches for somebody in this process: the builders' memory goes along, nothing is
 * encoded. Dictionaries come with every batch, shared while they stay the same. */
#include "column/arrow_schema.h"
#include "format/arrow/write.h"

nrw_status ipc_arrays_head(ipc_writer *w, span message, nrw_error *err)
{
    void *p;

    TRY(arena_alloc(w->a, w->n_dictionaries * sizeof *w->shared + 1, &p, err));
    w->shared = p;
    memset(p, 0, w->n_dictionaries * sizeof *w->shared);
    return w->taker->schema(w->taker, message, err);
}

static nrw_status share_values(ipc_writer *w, uint32_t i, nrw_error *err)
{
    struct ArrowArray values = {0};
    arrow_builder b = {0};
    arrow_c_shared *shared;
    nrw_status st = ipc_values_of(w, i, 0, &b, err);

    if (st >= 0)
        st = arrow_c_export(&b, NULL, &values, err);
    arrow_builder_release(&b);
    TRY(st);
    arrow_c_hand_out(&values, w->taker->books);
    TRY(arrow_c_share(arrow_books_mem(w->taker->books), &values, &shared, err));
    arrow_c_shared_unref(w->shared[i]);
    w->shared[i] = shared;
    w->entries[i].sent = w->entries[i].n;
    return NRW_OK;
}

nrw_status ipc_arrays_close(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    void *at;

    if (!p->shared) {
        TRY(mem_zalloc(w->m, (w->n_dictionaries + 1) * sizeof *p->shared, &at, err));
        p->shared = at;
    }
    for (uint32_t i = 0; i < w->n_dictionaries; i++) {
        if (!w->shared[i] || w->entries[i].sent != w->entries[i].n)
            TRY(share_values(w, i, err));
        p->shared[i] = arrow_c_shared_ref(w->shared[i]);
    }
    return NRW_OK;
}

nrw_status ipc_arrays_encode(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    return arrow_c_export_rows(p->columns, w->n, p->rows, w->m, p->shared, &p->array, err);
}

void ipc_arrays_drop(ipc_writer *w, ipc_pack *p)
{
    if (p->array.release)
        p->array.release(&p->array);
    for (uint32_t i = 0; p->shared && i < w->n_dictionaries; i++) {
        arrow_c_shared_unref(p->shared[i]);
        p->shared[i] = NULL;
    }
}

void ipc_arrays_end(ipc_writer *w)
{
    for (uint32_t i = 0; w->shared && i < w->n_dictionaries; i++)
        arrow_c_shared_unref(w->shared[i]);
}
