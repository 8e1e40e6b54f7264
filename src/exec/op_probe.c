/* The left side: each batch meets the right side, or goes after it to the spill file. Where only
 * right rows leave nothing is passed on. */
#include "exec/dense.h"
#include "exec/join_own.h"

typedef struct probe_worker {
    meet_room room;
    uint64_t morsel;
    bool begun;
} probe_worker;

typedef struct op_probe {
    op base;
    mem *m;
    op_build *build;
    probe_worker *workers;
} op_probe;

static nrw_status end_morsel(op_probe *o, batch *b, nrw_error *err)
{
    batch none;
    nrw_status st;

    if (join_only_right(o->build->spec.kind))
        return NRW_OK;
    TRY(dense_new(b, join_width(&o->build->spec), 0, &none, err));
    none.last = true;
    none.offset = o->workers[b->worker].room.offset;
    st = op_pass(&o->base, &none, err);
    dense_free(&none, none.n_cols);
    return st;
}

/* What marks of right rows are open for. */
static void note_left(op_build *o, const meeting *t)
{
    atomic_store_explicit(&o->any_left, 1, memory_order_relaxed);
    for (uint32_t k = 0; k < t->spec->n_keys; k++)
        if (t->keys[k].null_count && !t->spec->null_equal[k])
            atomic_store_explicit(&o->left_null_key, 1, memory_order_relaxed);
}

static nrw_status meet(op_probe *o, meeting *t, nrw_error *err)
{
    TRY(join_keys(t->columns, t->spec->left_keys, t->spec->n_keys, t->rows, true, t->b->m, t->keys,
                  t->hashes, err));
    if (t->spec->kind == JOIN_RIGHT_MARK)
        note_left(o->build, t);
    if (atomic_load_explicit(&o->build->spilled, memory_order_relaxed))
        return join_left_take(o->build, t, err);
    TRY(meet_room_open(t->w, o->m, err));
    return join_meet(t, err);
}

static nrw_status probe_push(op *base, batch *b, nrw_error *err)
{
    op_probe *o = (op_probe *)base;
    probe_worker *w = &o->workers[b->worker];
    const join_spec *spec = &o->build->spec;
    meeting t = {.to = base,
                 .build = o->build,
                 .spec = spec,
                 .table = &o->build->table,
                 .w = &w->room,
                 .b = b,
                 .final = true};
    size_t head = (spec->n_left + spec->n_keys) * sizeof(vector) + 1, body;
    nrw_status st;

    if (!w->begun || w->morsel != b->morsel) {
        w->begun = true;
        w->morsel = b->morsel;
        w->room.offset = 0;
    }
    if (batch_alive(b) == 0)
        return b->last ? end_morsel(o, b, err) : NRW_OK;
    TRY(mem_zalloc(b->m, head, (void **)&t.columns, err));
    t.keys = t.columns + spec->n_left;
    TRY_OUT(batch_take(b, NULL, spec->n_left, spec->held, t.columns, err));
    t.rows = spec->n_left ? t.columns[0].len : batch_alive(b);
    op_count(base, t.rows, 0);
    body = t.rows * (sizeof *t.hashes + 1);
    TRY_OUT(mem_zalloc(b->m, body, (void **)&t.hashes, err));
    t.met = (uint8_t *)(t.hashes + t.rows);
    st = meet(o, &t, err);
    mem_free(b->m, t.hashes, body);
out:
    for (uint32_t c = 0; c < spec->n_left + spec->n_keys; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, head);
    return st >= 0 && b->last ? end_morsel(o, b, err) : st;
}

static void probe_close(op *base)
{
    op_probe *o = (op_probe *)base;
    uint32_t n = o->build->spec.workers;

    for (uint32_t i = 0; o->workers && i < n; i++)
        meet_room_close(&o->workers[i].room, o->m);
    mem_free(o->m, o->workers, n * sizeof *o->workers);
}

static const op_class probe_class = {"probe", probe_push, NULL, NULL, probe_close};

nrw_status op_probe_new(arena *a, mem *m, op *build, op **out, nrw_error *err)
{
    op_build *b = (op_build *)build;
    op_probe *o;

    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_probe){.base.class = &probe_class, .m = m, .build = b};
    TRY(mem_zalloc(m, b->spec.workers * sizeof *o->workers, (void **)&o->workers, err));
    *out = &o->base;
    return NRW_OK;
}
