/* Inside of a piece: piece.c decodes, piece_load.c brings blocks in, whole ones itself and others
 * by piece_stream.c. Internal to the Avro folder. */
#ifndef AVRO_PIECE_OWN_H
#define AVRO_PIECE_OWN_H

#include "format/avro/piece.h"
#include "format/avro/salvage.h"

static inline nrw_status av_give_error(nrw_status st, const nrw_error *why, nrw_error *err)
{
    if (err)
        *err = *why;
    return st;
}

/* Whether a failure is damage that is told and left out. */
static inline bool av_leaves_out(const av_piece *p, nrw_status st)
{
    return p->shape->damaged && av_is_damage(st);
}

static inline bool av_piece_plain(const av_piece *p)
{
    return p->codec.codec == codec_named("none");
}

/* The block at p->at is done with. */
static inline void av_piece_pass_block(av_piece *p, const av_block *b)
{
    p->at = b->data + b->size + AV_SYNC;
    p->number++;
    p->row += b->rows;
}

/* ---- piece_load.c ---- */

/* Records of block b from number `record` on are lost, `rows` of them, with its bytes from `from`
 * on: tells it. first_row: ordinal in the file of the block's first record. */
nrw_status av_piece_lose(av_piece *p, const av_block *b, int64_t first_row, int64_t record,
                         int64_t rows, uint64_t from, const nrw_error *why,
                         nrw_error *err) NRW_CHECKED;
/* All of block b, which is the next one. */
nrw_status av_piece_lose_block(av_piece *p, const av_block *b, const nrw_error *why,
                               nrw_error *err) NRW_CHECKED;
/* What became of unpacking block b: damage is told in the same words of blocks that come at once
 * and by stream, whatever it looked like to the codec. */
nrw_status av_piece_unpacked(const av_piece *p, const av_block *b, nrw_status st,
                             nrw_error *why) NRW_CHECKED;
nrw_status av_piece_add_segment(av_piece *p, const av_segment *s, nrw_error *err) NRW_CHECKED;
/* NRW_E_CORRUPT: bytes follow the last record. */
nrw_status av_trailing(nrw_error *err) NRW_CHECKED;
/* Gives a failure its place. */
nrw_status av_in_block(const av_block *b, nrw_status st, nrw_error *err);
/* Segments with the next rows, perhaps none. NRW_END: no more come, where damage is left out. */
nrw_status av_piece_load(av_piece *p, nrw_error *err) NRW_CHECKED;

/* ---- piece_stream.c ---- */

/* Begins the block at p->at, if it is not lost. */
nrw_status av_piece_begin_block(av_piece *p, nrw_error *err) NRW_CHECKED;
/* The next records of the block begun. */
nrw_status av_piece_load_part(av_piece *p, nrw_error *err) NRW_CHECKED;
/* No more comes of it. */
void av_piece_end_block(av_piece *p);

#endif
