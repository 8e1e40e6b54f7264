/* The end of partitioned writing: direct files are finished by all workers, their memory is given
 * back, and what was sorted is written folder by folder. */
#include "exec/partition_own.h"

#include "exec/op_sort.h"
#include "exec/pipeline.h"

#include <stdlib.h>

/* ---- the end of direct files ---- */

/* Morsel i of this source is direct partition i, without rows: to have all workers at it. */
typedef struct ending {
    source from;
    op to;
    op_partition *o;
    uint64_t next;
} ending;

static nrw_status ending_next(source *s, batch *b, nrw_error *err)
{
    ending *e = (ending *)s;

    (void)err;
    if (e->next == e->o->table.n)
        return NRW_END;
    b->morsel = e->next++;
    return NRW_OK;
}

static nrw_status ending_fill(source *s, batch *b, nrw_error *err)
{
    (void)s;
    (void)err;
    b->last = true;
    return NRW_OK;
}

static bool cancelled(const op_partition *o)
{
    return o->spec.cancel && atomic_load_explicit(o->spec.cancel, memory_order_relaxed);
}

static nrw_status ending_push(op *base, batch *b, nrw_error *err)
{
    ending *e = (ending *)(void *)((char *)base - offsetof(ending, to));
    direct_part *p = &e->o->table.at[b->morsel];
    writer *w = p->writer;
    file_summary is;
    nrw_status st;

    if (cancelled(e->o))
        return err_set(err, NRW_E_CANCELLED, "interrupted");
    if (p->kept)
        return folder_files_lacks(&p->files, p->kept, err);
    if (!w)
        return NRW_OK;
    st = w->class->finish(w, &is, err);
    p->writer = NULL;
    w->class->close(w);
    return st;
}

static nrw_status finish_direct(op_partition *o, nrw_error *err)
{
    static const source_class from = {
        .name = "direct partitions", .next = ending_next, .fill = ending_fill};
    static const op_class to = {.name = "finish partitions", .push = ending_push};
    ending e = {.from = {&from, 0, false}, .to.class = &to, .o = o};
    pipeline p = {.source = &e.from,
                  .first = &e.to,
                  .batches = o->m,
                  .workers = o->spec.workers,
                  .limit = -1};

    return pipeline_run(&p, err);
}

/* ---- the list of files ---- */

static uint64_t order_of(const char *folder)
{
    return folder_order((span){(const uint8_t *)folder, strlen(folder)});
}

static int by_folder(const void *a, const void *b, void *self)
{
    const op_partition *o = self;
    uint64_t x = order_of(o->table.at[*(const uint32_t *)a].files.folder);
    uint64_t y = order_of(o->table.at[*(const uint32_t *)b].files.folder);

    return (x > y) - (x < y);
}

static nrw_status sort_names(op_partition *o, nrw_error *err)
{
    void *p;

    TRY(arena_alloc(o->a, o->table.most * sizeof *o->by_name, &p, err));
    o->by_name = p;
    for (uint32_t i = 0; i < o->table.n; i++)
        o->by_name[i] = i;
    qsort_r(o->by_name, o->table.n, sizeof *o->by_name, by_folder, o);
    return NRW_OK;
}

/* Direct partitions that stand before `folder` (NULL: all that are left). */
static nrw_status list_direct(op_partition *o, const char *folder, nrw_error *err)
{
    for (; o->listed < o->table.n; o->listed++) {
        const folder_files *f = &o->table.at[o->by_name[o->listed]].files;
        if (folder && order_of(f->folder) > order_of(folder))
            return NRW_OK;
        TRY(parquet_footers_append(o->files, f->footers, err));
    }
    return NRW_OK;
}

static nrw_status list_rest(void *self, const char *folder, const parquet_footers *f,
                            nrw_error *err)
{
    op_partition *o = self;

    TRY(list_direct(o, folder, err));
    return parquet_footers_append(o->files, f, err);
}

/* ---- the end of all others ---- */

static nrw_status write_rest(op_partition *o, op_rest *rest, nrw_error *err)
{
    pipeline p = {.source = op_sort_source(o->sort),
                  .first = &rest->base,
                  .batches = o->m,
                  .workers = o->spec.workers,
                  .limit = -1};

    TRY(o->sort->class->finish(o->sort, err));
    TRY(pipeline_run(&p, err));
    return op_rest_finish(rest, err);
}

static nrw_status finish_rest(op_partition *o, nrw_error *err)
{
    op_rest rest = {.m = o->m,
                    .env = &o->env,
                    .n_written = o->spec.written->n_fields,
                    .cancel = o->spec.cancel,
                    .listed = list_rest,
                    .self = o};
    nrw_status st;

    if (!o->sort)
        return NRW_OK;
    TRY(parquet_room_new(o->m, o->env.spill, o->spec.written, o->spec.options, o->spec.workers,
                         o->spec.memory - o->sort_memory, 0, 2 * o->spec.workers + 1, &o->room,
                         err));
    rest.room = o->room;
    op_rest_init(&rest);
    st = write_rest(o, &rest, err);
    op_rest_release(&rest);
    return st;
}

nrw_status partition_end(op_partition *o, nrw_error *err)
{
    TRY(finish_direct(o, err));
    parquet_room_close(o->room);
    o->room = NULL;
    TRY(sort_names(o, err));
    TRY(finish_rest(o, err));
    return list_direct(o, NULL, err);
}
