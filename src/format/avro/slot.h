/* Slots: where values go on their way to vectors. One for each level of a column that is read, laid
 * out in preorder, so that the levels of a nested column are a range. Internal to the Avro folder.
 *
 * A slot holds a vector that grows. One thread at a time. */
#ifndef AVRO_SLOT_H
#define AVRO_SLOT_H

#include "column/vector.h"

typedef struct av_slot {
    uint8_t *data;   /* of v; what each value needs comes first, so that it is one cache line */
    uint32_t len;    /* values it has */
    uint32_t cap;    /* values there is room for; list offsets: beside the first */
    uint32_t width;  /* bytes of a value; of lists, of an offset; 0: nothing is kept */
    bool views;      /* some lie in the heap */
    uint32_t below;  /* slots of its children, all levels */
    vector v;        /* len, children, heaps and null bitmaps' ends are set by finish */
    dict *symbols;   /* of an enum; the owner's */
    uint32_t before; /* values it had when it was finished last */
    buffer *text;    /* own heap of text that is put together; NULL: views point into the block */
} av_slot;

/* Empty, with room for `rows`. v.type and `symbols` say of what. */
nrw_status av_slot_begin(av_slot *s, mem *m, const type *t, uint32_t rows, nrw_error *err);
void av_slot_release(av_slot *s);

/* Room for one value more; the slow half of av_slot_next. */
nrw_status av_slot_grow(av_slot *s, nrw_error *err) NRW_CHECKED;

static inline nrw_status av_slot_room(av_slot *s, nrw_error *err)
{
    return s->len < s->cap ? NRW_OK : av_slot_grow(s, err);
}
/* Where the next value goes, for which there is room. */
static inline void *av_slot_place(av_slot *s, uint32_t width)
{
    return s->data + (size_t)s->len++ * width;
}
/* A null in the column at s: in structs all the way down. */
nrw_status av_slot_null(av_slot *s, nrw_error *err) NRW_CHECKED;
/* Appends text of its own; views of it are made by the caller with the offset that comes back. */
nrw_status av_slot_text(av_slot *s, span text, int32_t *offset, nrw_error *err) NRW_CHECKED;

/* The column at s as a vector; `block` is what views point into. The slots are empty afterwards,
 * also on failure, and must be begun again. */
nrw_status av_slot_finish(av_slot *s, buffer *block, vector *out, nrw_error *err) NRW_CHECKED;

#endif
