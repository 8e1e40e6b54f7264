/* Groups that are complete before all rows came. Between two marks everything is as ever: tables,
 * spilling, partitions. At a mark the groups below it leave, in the order of their hashes; of a
 * single key at most two go on, which are kept aside meanwhile. */
#include "exec/group_own.h"

#include "column/compare.h"

enum { KEPT_NULL, KEPT_MARK };

static nrw_status wrong(const op_group *o, nrw_error *err)
{
    const key_marks *m = o->spec.marks;

    err_at_object(err, m->object);
    err_at_column(err, m->column);
    err_next(err, "narrows verify shows what the statistics say wrongly");
    return err_set(err, NRW_E_CORRUPT,
                   "values are not within the bounds that the row groups' statistics give");
}

/* In the order of the marks. */
static int compare(const key_marks *m, span key, const key_mark *mark)
{
    int order = value_compare(&m->type, key, mark->key);

    return m->descending ? -order : order;
}

/* What the row's own states hold goes with the copy. */
static nrw_status keep(op_group *o, uint32_t kind, uint8_t *row, nrw_error *err)
{
    const group_shape *s = &o->shape;
    void *copy;

    if (o->kept[kind]) /* a key comes once */
        return wrong(o, err);
    TRY(mem_alloc(o->m, row_bytes(row), &copy, err));
    memcpy(copy, row, row_bytes(row));
    o->kept[kind] = copy;
    for (uint32_t i = 0; i < s->n_aggregates; i++)
        memset(row + s->states[i], 0, s->aggregates[i].state_bytes);
    return NRW_OK;
}

nrw_status group_leaving(op_group *o, uint8_t **rows, uint32_t *n, nrw_error *err)
{
    const key_marks *m = o->spec.marks;
    uint32_t leaving = 0;

    for (uint32_t i = 0; i < *n; i++) {
        int order = -1;
        if (!row_has(&o->shape.layout, rows[i], o->spec.marked_key)) {
            if (m->strict)
                return wrong(o, err);
            if (o->mark)
                TRY(keep(o, KEPT_NULL, rows[i], err));
            else
                rows[leaving++] = rows[i];
            continue;
        }
        span key = row_value(&o->shape.layout, rows[i], o->spec.marked_key);
        if (o->passed && compare(m, key, o->passed) < 0)
            return wrong(o, err);
        if (o->mark)
            order = compare(m, key, o->mark);
        if (order > 0 || (order == 0 && m->strict))
            return wrong(o, err);
        if (order == 0)
            TRY(keep(o, KEPT_MARK, rows[i], err));
        else
            rows[leaving++] = rows[i];
    }
    *n = leaving;
    return NRW_OK;
}

void group_kept_free(op_group *o)
{
    for (uint32_t k = 0; k < GROUP_KEPT; k++) {
        uint8_t *row = o->kept[k];
        if (!row)
            continue;
        group_drop_states(&o->shape, row, o->m);
        mem_free(o->m, row, row_bytes(row));
        o->kept[k] = NULL;
    }
}

nrw_status op_group_ready(op *base, const key_mark *mark, bool *any, nrw_error *err)
{
    op_group *o = (op_group *)base;

    TRY(group_settle(o, err));
    *any = o->parts;
    for (uint32_t i = 0; i < o->spec.workers; i++)
        *any |= o->workers[i].table.n > 0;
    o->mark = mark;
    o->next_part = 0;
    return NRW_OK;
}

static nrw_status take_back(op_group *o, uint32_t k, nrw_error *err)
{
    group_table *t = &o->workers[0].table;
    uint8_t *row, *kept = o->kept[k];

    TRY(rows_new(&t->rows, row_bytes(kept), &row, err));
    memcpy(row, kept, row_bytes(kept));
    TRY(group_table_adopt(t, row, err));
    mem_free(o->m, kept, row_bytes(kept));
    o->kept[k] = NULL;
    return NRW_OK;
}

nrw_status op_group_again(op *base, nrw_error *err)
{
    op_group *o = (op_group *)base;

    mem_free(o->m, o->parts, o->parts ? GROUP_PARTITIONS * sizeof *o->parts : 0);
    o->parts = NULL;
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        group_table_clear(&w->table);
        rows_release(&w->read);
        mem_set_limit(w->m, group_share(o));
    }
    for (uint32_t k = 0; k < GROUP_KEPT; k++)
        if (o->kept[k])
            TRY(take_back(o, k, err));
    o->passed = o->mark;
    return NRW_OK;
}
