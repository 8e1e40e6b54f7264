/* All columns of a file, for who goes through its blocks on its own: verification, inspection.
 * Internal to the Avro folder. */
#ifndef AVRO_WHOLE_H
#define AVRO_WHOLE_H

#include "format/avro/piece.h"

typedef struct av_whole {
    av_program program;
    av_shape shape;
    av_piece piece;
} av_whole;

/* *w stays where it is until it is closed, which is due on failure, too. */
nrw_status av_whole_open(av_whole *w, io_file *f, const av_header *h, const av_columns *c, mem *m,
                         nrw_error *err) NRW_CHECKED;
void av_whole_close(av_whole *w);

#endif
