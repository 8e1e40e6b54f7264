#include "base/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

enum { NEAR_CLASSES = 3 };

/* Lies in the first page of the block it describes. */
struct free_block {
    free_block *class_prev, *class_next;
    free_block *newer, *older;
    size_t size;
};

static unsigned log2_floor(size_t v)
{
    return 63 - (unsigned)__builtin_clzll(v);
}

size_t block_size(size_t bytes)
{
    size_t step = PAGE;

    if (bytes < BLOCK_MIN)
        bytes = BLOCK_MIN;
    if (bytes <= BLOCK_KEEP_MAX)
        step = (size_t)1 << (log2_floor(bytes) - 3);
    return (bytes + step - 1) & ~(step - 1);
}

static unsigned class_of(size_t size)
{
    unsigned log = log2_floor(size);

    return (log - 15) * 8 + (unsigned)((size >> (log - 3)) & 7);
}

#ifdef BLOCK_FROM_MALLOC

void *block_map(size_t bytes)
{
    void *p = NULL;

    return posix_memalign(&p, 64, bytes) ? NULL : p;
}

void block_unmap(void *p, size_t bytes)
{
    (void)bytes;
    free(p);
}

void *block_remap(void *p, size_t old_bytes, size_t new_bytes)
{
    (void)old_bytes;
    return realloc(p, new_bytes);
}

#else

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* Newer systems align such blocks by themselves; on others a large page more is mapped, and what
 * lies before and behind given back. */
static void *map_large(size_t size)
{
    uint8_t *p = map(size);
    size_t before;

    if (p && (uintptr_t)p % BLOCK_LARGE) {
        munmap(p, size);
        p = map(size + BLOCK_LARGE);
        if (!p)
            return NULL;
        before = (BLOCK_LARGE - (uintptr_t)p % BLOCK_LARGE) % BLOCK_LARGE;
        if (before)
            munmap(p, before);
        munmap(p + before + size, BLOCK_LARGE - before);
        p += before;
    }
    if (p)
        madvise(p, size, MADV_HUGEPAGE);
    return p;
}

void *block_map(size_t bytes)
{
    size_t size = block_size(bytes);

    return size < BLOCK_LARGE ? map(size) : map_large(size);
}

void block_unmap(void *p, size_t bytes)
{
    munmap(p, block_size(bytes));
}

void *block_remap(void *p, size_t old_bytes, size_t new_bytes)
{
    const size_t had = block_size(old_bytes), size = block_size(new_bytes);
    void *moved = had == size ? p : mremap(p, had, size, MREMAP_MAYMOVE);

    return moved == MAP_FAILED ? NULL : moved;
}

#endif

void block_cache_init(block_cache *c)
{
    *c = (block_cache){.held = 0};
    pthread_mutex_init(&c->lock, NULL);
}

static void link_block(block_cache *c, free_block *b)
{
    free_block **head = &c->by_class[class_of(b->size)];

    b->class_prev = NULL;
    b->class_next = *head;
    if (*head)
        (*head)->class_prev = b;
    *head = b;
    b->newer = NULL;
    b->older = c->newest;
    if (c->newest)
        c->newest->newer = b;
    else
        c->oldest = b;
    c->newest = b;
    c->held += b->size;
}

static void unlink_block(block_cache *c, free_block *b)
{
    if (b->class_prev)
        b->class_prev->class_next = b->class_next;
    else
        c->by_class[class_of(b->size)] = b->class_next;
    if (b->class_next)
        b->class_next->class_prev = b->class_prev;
    if (b->newer)
        b->newer->older = b->older;
    else
        c->newest = b->older;
    if (b->older)
        b->older->newer = b->newer;
    else
        c->oldest = b->newer;
    c->held -= b->size;
}

void *block_cache_take(block_cache *c, size_t size)
{
    free_block *b = NULL;

    if (size > BLOCK_KEEP_MAX)
        return NULL;
    pthread_mutex_lock(&c->lock);
    b = c->by_class[class_of(size)];
    if (b)
        unlink_block(c, b);
    pthread_mutex_unlock(&c->lock);
    return b;
}

void *block_cache_take_near(block_cache *c, size_t size, size_t *had)
{
    free_block *b = NULL;
    unsigned at, away;

    if (size > BLOCK_KEEP_MAX)
        return NULL;
    at = class_of(size);
    pthread_mutex_lock(&c->lock);
    for (away = 1; !b && away <= NEAR_CLASSES; away++) {
        if (at + away < BLOCK_CLASSES)
            b = c->by_class[at + away];
        if (!b && at >= away)
            b = c->by_class[at - away];
    }
    if (b)
        unlink_block(c, b);
    pthread_mutex_unlock(&c->lock);
    if (b)
        *had = b->size;
    return b;
}

uint64_t block_cache_put(block_cache *c, void *p, size_t size)
{
    free_block *b = p;
    bool keep = size <= BLOCK_KEEP_MAX;

#ifdef BLOCK_FROM_MALLOC
    keep = false;
#endif
    if (!keep) {
        block_unmap(p, size);
        return size;
    }
    b->size = size;
    pthread_mutex_lock(&c->lock);
    link_block(c, b);
    pthread_mutex_unlock(&c->lock);
    return 0;
}

uint64_t block_cache_shrink(block_cache *c, uint64_t bytes)
{
    free_block *gone = NULL;
    uint64_t sum = 0;

    pthread_mutex_lock(&c->lock);
    while (c->oldest && sum < bytes) {
        free_block *b = c->oldest;
        unlink_block(c, b);
        b->class_next = gone;
        gone = b;
        sum += b->size;
    }
    pthread_mutex_unlock(&c->lock);
    while (gone) {
        free_block *next = gone->class_next;
        block_unmap(gone, gone->size);
        gone = next;
    }
    return sum;
}

uint64_t block_cache_held(block_cache *c)
{
    uint64_t held;

    pthread_mutex_lock(&c->lock);
    held = c->held;
    pthread_mutex_unlock(&c->lock);
    return held;
}

void block_cache_end(block_cache *c)
{
    block_cache_shrink(c, UINT64_MAX);
    pthread_mutex_destroy(&c->lock);
}
