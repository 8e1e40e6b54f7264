#include "format/avro/whole.h"

#define PART (1u << 20) /* bytes unpacked and decoded at once */

nrw_status av_whole_open(av_whole *w, io_file *f, const av_header *h, const av_columns *c, mem *m,
                         nrw_error *err)
{
    uint32_t n = c->schema.n_fields, *cols;
    nrw_status st;

    *w = (av_whole){0};
    TRY(mem_alloc(m, n * sizeof *cols + 1, (void **)&cols, err));
    for (uint32_t i = 0; i < n; i++)
        cols[i] = i;
    st = av_program_make(m, c, cols, n, &w->program, err);
    mem_free(m, cols, n * sizeof *cols + 1);
    TRY(st);
    w->shape = (av_shape){.file = f,
                          .header = h,
                          .program = &w->program,
                          .m = m,
                          .stored_max = PART,
                          .raw_max = PART,
                          .rows_max = PART / (w->program.row_bytes + 1) + 1};
    if (w->shape.rows_max > BATCH_MAX_ROWS)
        w->shape.rows_max = BATCH_MAX_ROWS;
    return av_piece_init(&w->piece, &w->shape, err);
}

void av_whole_close(av_whole *w)
{
    av_piece_free(&w->piece);
    av_program_release(&w->program);
}
