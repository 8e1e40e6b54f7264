#include "base/arena.h"

#include "base/span.h"

/* Pieces start small, for the many arenas that hold little, and double. */
#define PIECE_MIN ((size_t)1 << 10)
#define PIECE_MAX ((size_t)64 << 10)

typedef struct piece {
    struct piece *next;
    size_t size; /* with this head */
} piece;

_Static_assert(sizeof(piece) == 16, "what follows the head is aligned to 16");

struct arena {
    mem *m;
    piece *pieces;
    uint8_t *at;
    size_t left;
    size_t grow; /* size of the next piece */
};

nrw_status arena_new(mem *m, arena **out, nrw_error *err)
{
    void *p;

    *out = NULL;
    TRY(mem_alloc(m, sizeof **out, &p, err));
    *out = p;
    **out = (arena){.m = m, .grow = PIECE_MIN};
    return NRW_OK;
}

void arena_free(arena *a)
{
    if (!a)
        return;
    while (a->pieces) {
        piece *p = a->pieces;
        a->pieces = p->next;
        mem_free(a->m, p, p->size);
    }
    mem_free(a->m, a, sizeof *a);
}

mem *arena_mem(const arena *a)
{
    return a->m;
}

static nrw_status new_piece(arena *a, size_t size, piece **out, nrw_error *err)
{
    void *p;

    TRY(mem_alloc(a->m, size, &p, err));
    *out = p;
    (*out)->size = size;
    (*out)->next = a->pieces;
    a->pieces = *out;
    return NRW_OK;
}

nrw_status arena_alloc(arena *a, size_t bytes, void **out, nrw_error *err)
{
    size_t need;
    piece *p;

    *out = NULL;
    if (!size_add(size_max(bytes, 1), 15 + sizeof(piece), &need))
        need = SIZE_MAX;
    need = need & ~(size_t)15; /* rounded up, with the head of a piece */
    if (need - sizeof(piece) > a->left && need > PIECE_MAX / 4) {
        /* large ones get a piece of their own; the current one goes on being filled */
        TRY(new_piece(a, need, &p, err));
        *out = p + 1;
    } else {
        if (need - sizeof(piece) > a->left) {
            while (a->grow < 4 * need)
                a->grow *= 2;
            TRY(new_piece(a, a->grow, &p, err));
            a->at = (uint8_t *)(p + 1);
            a->left = a->grow - sizeof(piece);
            a->grow = size_min(2 * a->grow, PIECE_MAX);
        }
        *out = a->at;
        a->at += need - sizeof(piece);
        a->left -= need - sizeof(piece);
    }
    memset(*out, 0, bytes);
    return NRW_OK;
}

nrw_status arena_grow(arena *a, void **list, size_t n, size_t *cap, size_t size, nrw_error *err)
{
    size_t more = *cap ? *cap * 2 : 8;
    void *p;

    if (n < *cap)
        return NRW_OK;
    TRY(arena_alloc(a, more * size, &p, err));
    if (n)
        memcpy(p, *list, n * size);
    *list = p;
    *cap = more;
    return NRW_OK;
}

nrw_status arena_strndup(arena *a, const char *s, size_t len, char **out, nrw_error *err)
{
    size_t size;
    void *p;

    *out = NULL;
    if (!size_add(len, 1, &size))
        size = SIZE_MAX;
    TRY(arena_alloc(a, size, &p, err));
    if (len) /* s may be NULL */
        memcpy(p, s, len);
    *out = p;
    return NRW_OK;
}
