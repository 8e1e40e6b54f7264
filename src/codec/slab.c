#include "codec/slab.h"

/* In front of every piece; the next one begins `size` bytes behind this head's start. */
typedef struct piece {
    size_t size;
    bool used;
} piece;

#define HEAD ((size_t)16)

static piece *at(const slab *s, size_t offset)
{
    return (piece *)(void *)(s->data + offset);
}

nrw_status slab_prepare(codec_ctx *c, slab *s, size_t size, nrw_error *err)
{
    size = (size + HEAD - 1) & ~(HEAD - 1);
    if (s->size < size) {
        void *p;
        slab_release(c, s);
        TRY(mem_alloc(c->m, size, &p, err));
        c->charged += size;
        *s = (slab){p, size};
    }
    *at(s, 0) = (piece){s->size, false};
    return NRW_OK;
}

void slab_release(codec_ctx *c, slab *s)
{
    mem_free(c->m, s->data, s->size);
    c->charged -= s->size;
    *s = (slab){0};
}

void *slab_alloc(slab *s, size_t bytes)
{
    if (bytes > s->size)
        return NULL;
    size_t need = (bytes + 2 * HEAD - 1) & ~(HEAD - 1);
    for (size_t i = 0; i < s->size; i += at(s, i)->size) {
        piece *p = at(s, i);
        while (!p->used && i + p->size < s->size && !at(s, i + p->size)->used)
            p->size += at(s, i + p->size)->size;
        if (p->used || p->size < need)
            continue;
        if (p->size - need >= 2 * HEAD) {
            *at(s, i + need) = (piece){p->size - need, false};
            p->size = need;
        }
        p->used = true;
        return s->data + i + HEAD;
    }
    return NULL;
}

bool slab_free(slab *s, void *p)
{
    uintptr_t first = (uintptr_t)s->data, where = (uintptr_t)p;
    if (where < first || where >= first + s->size)
        return false;
    at(s, where - first - HEAD)->used = false;
    return true;
}
