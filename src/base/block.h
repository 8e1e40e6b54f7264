/* Page-backed blocks of 32 KiB and more, and a small cache of free ones. Internal to base/mem.c,
 * which does the books. */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_MIN ((size_t)32 << 10)
/* Blocks above are never kept: they would fill the cache alone. */
#define BLOCK_KEEP_MAX ((size_t)4 << 20)
/* A large page of the machine; blocks of its size and more begin at one and ask for it. */
#define BLOCK_LARGE ((size_t)2 << 20)
/* Eight sizes a doubling, 32 KiB to 4 MiB. */
#define BLOCK_CLASSES (7 * 8 + 1)

/* Address sanitizer finds overruns only in blocks of malloc, and only if none is recycled. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_FROM_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_FROM_MALLOC 1
#endif
#endif

typedef struct free_block free_block;

typedef struct block_cache {
    pthread_mutex_t lock;
    uint64_t held; /* bytes in free blocks; guarded by lock, as all below */
    free_block *by_class[BLOCK_CLASSES];
    free_block *newest, *oldest;
} block_cache;

/* What a request really takes: whole pages, at most an eighth more (4 KiB more above 4 MiB).
 * `bytes` is at most SIZE_MAX / 4. */
size_t block_size(size_t bytes);

/* From the system, zeroed; NULL with errno. `bytes` as asked, not rounded. */
void *block_map(size_t bytes);
void block_unmap(void *p, size_t bytes);
/* Moves the pages, no copy; NULL leaves the block as it was. */
void *block_remap(void *p, size_t old_bytes, size_t new_bytes);

void block_cache_init(block_cache *c);
/* A free block of exactly this (rounded) size, or NULL. Its content is left over. */
void *block_cache_take(block_cache *c, size_t size);
/* One that is at most three classes larger or smaller than `size`; *had: its size. NULL:
 * there is none. */
void *block_cache_take_near(block_cache *c, size_t size, size_t *had);
/* Keeps the block, or unmaps it where it is too large; returns the bytes that were unmapped. */
uint64_t block_cache_put(block_cache *c, void *p, size_t size);
/* Unmaps the blocks that have been free longest, `bytes` of them or all; returns their bytes. */
uint64_t block_cache_shrink(block_cache *c, uint64_t bytes);
uint64_t block_cache_held(block_cache *c);
void block_cache_end(block_cache *c);

#endif
