/* Many small things that die together: footers, schemas, plans. Not thread-safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/mem.h"

typedef struct arena arena;

nrw_status arena_new(mem *m, arena **out, nrw_error *err) NRW_CHECKED;
void arena_free(arena *a); /* NULL is fine */
mem *arena_mem(const arena *a);
/* Aligned to 16, zeroed. */
nrw_status arena_alloc(arena *a, size_t bytes, void **out, nrw_error *err) NRW_CHECKED;
/* Room for one item more behind n items of `size` bytes in *list, an array of the arena that
 * doubles; what it leaves behind goes with the arena. */
nrw_status arena_grow(arena *a, void **list, size_t n, size_t *cap, size_t size,
                      nrw_error *err) NRW_CHECKED;
nrw_status arena_strndup(arena *a, const char *s, size_t len, char **out,
                         nrw_error *err) NRW_CHECKED;

#endif
