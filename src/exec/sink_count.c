#include "exec/sink_count.h"

static nrw_status count_push(writer *w, batch *b, nrw_error *err)
{
    (void)err;
    atomic_fetch_add_explicit(&((sink_count *)w)->rows, batch_alive(b), memory_order_relaxed);
    return NRW_OK;
}

static nrw_status count_finish(writer *w, file_summary *out, nrw_error *err)
{
    (void)err;
    *out = (file_summary){.rows = (int64_t)atomic_load(&((sink_count *)w)->rows)};
    return NRW_OK;
}

static void count_nothing(writer *w)
{
    (void)w;
}

static const writer_class count_class = {"count", count_push, count_finish, count_nothing,
                                         count_nothing};

void sink_count_init(sink_count *s)
{
    *s = (sink_count){.base.class = &count_class};
}
