/* A block of memory that a library allocates from, for libraries that end the process when they are
 * refused memory: all they may need is charged and taken before they start. First fit over a list
 * of neighbours; made for some dozens of allocations. */
#ifndef CODEC_SLAB_H
#define CODEC_SLAB_H

#include "codec/internal.h"

typedef struct slab {
    uint8_t *data;
    size_t size;
} slab;

/* At least `size` bytes, all free; what was there before is gone. */
nrw_status slab_prepare(codec_ctx *c, slab *s, size_t size, nrw_error *err);
void slab_release(codec_ctx *c, slab *s);

/* NULL when it is full. */
void *slab_alloc(slab *s, size_t bytes);
/* False where p is not of this slab. */
bool slab_free(slab *s, void *p);

#endif
