#include "format/avro/salvage.h"

typedef struct salvage {
    av_walk *w;
    int64_t row;
    damage_found found;
    void *self;
} salvage;

/* Bytes [from, to) are lost, and with them `rows` records. */
static nrw_status tell(const salvage *s, uint64_t from, uint64_t to, int64_t rows,
                       const nrw_error *why, nrw_error *err)
{
    nrw_error place = *why;

    err_at_object(&place, s->w->file->name);
    return s->found(s->self, &(damage){"", s->row, rows, from, to, &place}, err);
}

/* The next marker from `from` on, else the end of the file. */
static nrw_status next_marker(av_walk *w, uint64_t from, uint64_t *at, nrw_error *err)
{
    nrw_status st = av_walk_resync(w, from, err);

    *at = st == NRW_OK ? w->at : w->file->size;
    return st < 0 ? st : NRW_OK;
}

/* The walk goes on behind the marker at `at`; at the end of the file it ends. */
static void go_on(av_walk *w, uint64_t at)
{
    w->at = at == w->file->size ? at - AV_SYNC : at;
}

/* Whether at `at` the file ends or a block begins that has its marker. */
static nrw_status is_sound(const av_walk *w, uint64_t at, bool *sound, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st;
    av_block b;

    *sound = at == w->file->size;
    if (*sound)
        return NRW_OK;
    st = av_block_at(w, at, &b, &why);
    if (st >= 0)
        return av_marker_at(w, b.data + b.size, sound, err);
    if (av_is_damage(st))
        return NRW_OK;
    if (err)
        *err = why;
    return st;
}

/* The bytes of b end where none of the markers is. */
static nrw_status mend_end(const salvage *s, av_block *b, nrw_error *err)
{
    const uint64_t end = b->data + b->size;
    av_walk *w = s->w;
    nrw_error why = NRW_ERROR_INIT;
    uint64_t at;
    bool sound;

    err_at_block(&why, b->number, -1);
    err_at_offset(&why, (int64_t)end);
    err_set(&why, NRW_E_CORRUPT, "the sync marker behind the block is wrong");
    TRY(is_sound(w, end + AV_SYNC, &sound, err));
    if (sound) {
        go_on(w, end);
        return tell(s, end, end + AV_SYNC, 0, &why, err);
    }
    TRY(next_marker(w, b->data, &at, err));
    go_on(w, at);
    if (at >= end)
        return tell(s, end, at, -1, &why, err);
    b->size = at - b->data;
    b->cut = true;
    return NRW_OK;
}

/* The numbers of b cannot be; where its bytes begin is known if it has data. NRW_END: it is lost.
 */
static nrw_status mend_numbers(const salvage *s, av_block *b, const nrw_error *why, nrw_error *err)
{
    av_walk *w = s->w;
    uint64_t at;

    TRY(next_marker(w, b->data ? b->data : b->at, &at, err));
    go_on(w, at);
    if (!b->data || b->size == 0 || b->rows <= 0 || b->rows > INT32_MAX) {
        TRY(tell(s, b->at, at, -1, why, err));
        return NRW_END;
    }
    if (at - b->data >= b->size) /* only the marker is incomplete */
        return tell(s, b->data + b->size, at, 0, why, err);
    b->size = at - b->data;
    b->cut = true;
    return NRW_OK;
}

nrw_status av_salvage_next(av_walk *w, int64_t row, damage_found found, void *self, av_block *out,
                           nrw_error *err)
{
    const salvage s = {w, row, found, self};
    nrw_status st = NRW_END;

    while (st == NRW_END && w->file->size - w->at > AV_SYNC) {
        nrw_error why = NRW_ERROR_INIT;
        bool marked;
        st = av_block_at(w, w->at + AV_SYNC, out, &why);
        if (av_is_damage(st)) {
            st = mend_numbers(&s, out, &why, err);
        } else if (st >= 0) {
            TRY(av_marker_at(w, out->data + out->size, &marked, err));
            w->at = out->data + out->size;
            st = marked ? NRW_OK : mend_end(&s, out, err);
        } else if (err) {
            *err = why;
        }
        w->number++;
    }
    return st;
}
