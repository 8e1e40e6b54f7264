/* A segment is a block of 16 pages. A page is cut into pieces of one size, of which the free ones
 * form a list; pieces of more than half a page take some pages that follow each other. An account
 * has a pool for each of some threads: a thread cuts from its own, and gives a piece back to the
 * one it came from. The first bytes of a piece say where in its segment it lies. */
#include "base/piece.h"

#include "base/block.h"
#include "base/fault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define UNIT          8u /* places are counted in so many bytes */
#define PAGE          ((size_t)4 << 10)
#define PAGES         16u
#define SEGMENT       (PAGES * PAGE)
#define LONGEST_RUN   (8 * PAGE)
#define POOLS         16u
#define SEGMENTS_SEEN 8u                  /* before a run of pages gets a new one */
#define SPARE_MOST    ((uint64_t)8 << 20) /* what is left of an account that is nearly used up */

static const uint16_t sizes[] = {16,  24,  32,  40,  48,  56,  64,  80,  96,  112,  128,  160, 192,
                                 224, 256, 320, 384, 448, 512, 584, 680, 816, 1024, 1360, 2048};
#define CLASSES ((uint32_t)(sizeof sizes / sizeof *sizes))
#define RUN     UINT8_MAX /* class of the first of some pages that are one piece */

typedef struct page {
    struct page *next, *prev; /* of its class, those that have room */
    uint16_t free;            /* place of the first free piece, which has the next one's; 0: none */
    uint16_t fresh;           /* place from which on nothing was cut yet */
    uint16_t used;            /* pieces; of a run pages */
    uint8_t class, index;
} page;

typedef struct piece_pool piece_pool;

typedef struct segment {
    piece_pool *pool;
    struct segment *next, *prev; /* of those with free pages */
    uint32_t free;               /* a bit a page */
    page pages[PAGES];           /* the first one begins behind them */
} segment;

struct piece_pool {
    pthread_mutex_t lock;
    mem *m;
    segment *segments; /* that have free pages */
    page *pages[CLASSES];
};

typedef struct piece_pools {
    _Atomic(piece_pool *) at[POOLS];
} piece_pools;

/* Before a piece that has no segment; its place is 0. */
typedef struct alone {
    mem *m;
    size_t bytes; /* of the piece */
} alone;

/* ---- sizes ---- */

/* Every 8 bytes up to 64, four a doubling up to 512, then as many as fit a page. */
static uint32_t class_of(size_t bytes)
{
    uint32_t c = 19, log;

    if (bytes <= 64)
        return bytes <= 16 ? 0 : (uint32_t)((bytes + UNIT - 1) / UNIT) - 2;
    if (bytes <= 512) {
        log = 63 - (uint32_t)__builtin_clzll(bytes - 1);
        return 7 + (log - 6) * 4 + (uint32_t)((bytes - 1) >> (log - 2) & 3);
    }
    while (sizes[c] < bytes)
        c++;
    return c;
}

static bool in_class(size_t bytes)
{
    return bytes <= sizes[CLASSES - 1];
}

size_t piece_room(size_t bytes)
{
    if (in_class(bytes))
        return sizes[class_of(bytes)];
    return bytes <= LONGEST_RUN ? (bytes + PAGE - 1) / PAGE * PAGE : bytes;
}

/* Address sanitizer sees overruns of blocks of malloc alone. */
static bool is_alone(size_t bytes)
{
#ifdef BLOCK_FROM_MALLOC
    (void)bytes;
    return true;
#else
    return bytes > LONGEST_RUN;
#endif
}

static uint16_t *place_of(void *p)
{
    return p;
}

/* ---- the pool of a thread ---- */

static uint32_t pool_number(void)
{
    static _Atomic uint32_t threads;
    static _Thread_local uint32_t mine; /* plus 1 */

    if (!mine)
        mine = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % POOLS + 1;
    return mine - 1;
}

static nrw_status pools_of(mem *m, piece_pools **out, nrw_error *err)
{
    _Atomic(void *) *slot = mem_pieces(m);
    void *have = atomic_load_explicit(slot, memory_order_acquire), *made;

    if (!have) {
        TRY(mem_zalloc(m, sizeof(piece_pools), &made, err));
        if (atomic_compare_exchange_strong(slot, &have, made))
            have = made;
        else
            mem_free(m, made, sizeof(piece_pools));
    }
    *out = have;
    return NRW_OK;
}

static nrw_status pool_of(mem *m, piece_pool **out, nrw_error *err)
{
    piece_pools *all;
    piece_pool *have = NULL, *made;
    uint32_t k = pool_number();

    TRY(pools_of(m, &all, err));
    have = atomic_load_explicit(&all->at[k], memory_order_acquire);
    if (!have) {
        TRY(mem_zalloc(m, sizeof *made, (void **)&made, err));
        made->m = m;
        pthread_mutex_init(&made->lock, NULL);
        if (atomic_compare_exchange_strong(&all->at[k], &have, made)) {
            have = made;
        } else {
            pthread_mutex_destroy(&made->lock);
            mem_free(m, made, sizeof *made);
        }
    }
    *out = have;
    return NRW_OK;
}

void piece_end(mem *m)
{
    piece_pools *all = atomic_load(mem_pieces(m));

    if (!all)
        return;
    for (uint32_t k = 0; k < POOLS; k++) {
        piece_pool *p = atomic_load(&all->at[k]);
        if (p)
            pthread_mutex_destroy(&p->lock);
        mem_free(m, p, sizeof *p);
    }
    mem_free(m, all, sizeof *all);
    atomic_store(mem_pieces(m), NULL);
}

/* ---- pages of segments ---- */

static segment *segment_of(page *g)
{
    return (segment *)(void *)((uint8_t *)(g - g->index) - offsetof(segment, pages));
}

static void link_segment(segment *s)
{
    s->prev = NULL;
    s->next = s->pool->segments;
    if (s->next)
        s->next->prev = s;
    s->pool->segments = s;
}

static void unlink_segment(segment *s)
{
    *(s->prev ? &s->prev->next : &s->pool->segments) = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

static nrw_status segment_new(piece_pool *p, segment **out, nrw_error *err)
{
    segment *s;

    TRY(mem_alloc(p->m, SEGMENT, (void **)&s, err));
    s->pool = p;
    s->free = (1u << PAGES) - 1;
    for (uint32_t i = 0; i < PAGES; i++)
        s->pages[i].index = (uint8_t)i;
    link_segment(s);
    *out = s;
    return NRW_OK;
}

/* The first of n free pages that follow each other; PAGES: there are none. A run does not begin in
 * the page that has the segment's head. */
static uint32_t find_pages(const segment *s, uint32_t n, bool run)
{
    uint32_t at = run ? s->free & ~1u : s->free;

    for (uint32_t k = 1; k < n; k++)
        at &= at >> 1;
    return at ? (uint32_t)__builtin_ctz(at) : PAGES;
}

static nrw_status take_pages(piece_pool *p, uint32_t n, bool run, page **out, nrw_error *err)
{
    segment *s = p->segments;
    uint32_t at = PAGES;

    for (uint32_t i = 0; s && i < SEGMENTS_SEEN; i++, s = s->next) {
        at = find_pages(s, n, run);
        if (at < PAGES)
            break;
    }
    if (at == PAGES) {
        TRY(segment_new(p, &s, err));
        at = find_pages(s, n, run);
    }
    s->free &= ~(((1u << n) - 1) << at);
    if (!s->free)
        unlink_segment(s);
    *out = &s->pages[at];
    return NRW_OK;
}

static void give_pages(page *g, uint32_t n)
{
    segment *s = segment_of(g);

    if (!s->free)
        link_segment(s);
    s->free |= ((1u << n) - 1) << g->index;
    if (s->free == (1u << PAGES) - 1) {
        unlink_segment(s);
        mem_free(s->pool->m, s, SEGMENT);
    }
}

/* ---- pieces of pages ---- */

static void link_page(page *g)
{
    piece_pool *p = segment_of(g)->pool;

    g->prev = NULL;
    g->next = p->pages[g->class];
    if (g->next)
        g->next->prev = g;
    p->pages[g->class] = g;
}

static void unlink_page(page *g)
{
    *(g->prev ? &g->prev->next : &segment_of(g)->pool->pages[g->class]) = g->next;
    if (g->next)
        g->next->prev = g->prev;
}

static bool has_room(const page *g)
{
    return g->free || (size_t)g->fresh * UNIT + sizes[g->class] <= (g->index + 1) * PAGE;
}

static nrw_status page_new(piece_pool *p, uint32_t class, page **out, nrw_error *err)
{
    page *g;

    TRY(take_pages(p, 1, false, &g, err));
    g->class = (uint8_t) class;
    g->free = g->used = 0;
    g->fresh = (uint16_t)((g->index ? g->index * PAGE : sizeof(segment)) / UNIT);
    link_page(g);
    *out = g;
    return NRW_OK;
}

static nrw_status cut(piece_pool *p, uint32_t class, void **out, nrw_error *err)
{
    page *g = p->pages[class];
    uint16_t place, *piece;

    if (!g)
        TRY(page_new(p, class, &g, err));
    place = g->free ? g->free : g->fresh;
    piece = (uint16_t *)(void *)((uint8_t *)segment_of(g) + (size_t)place * UNIT);
    if (g->free)
        g->free = *piece;
    else
        g->fresh = (uint16_t)(g->fresh + sizes[class] / UNIT);
    g->used++;
    if (!has_room(g))
        unlink_page(g);
    *piece = place;
    *out = piece;
    return NRW_OK;
}

static nrw_status cut_run(piece_pool *p, size_t bytes, void **out, nrw_error *err)
{
    uint32_t n = (uint32_t)((bytes + PAGE - 1) / PAGE);
    page *g;

    TRY(take_pages(p, n, true, &g, err));
    g->class = RUN;
    g->used = (uint16_t)n;
    *out = (uint8_t *)segment_of(g) + g->index * PAGE;
    *place_of(*out) = (uint16_t)(g->index * PAGE / UNIT);
    return NRW_OK;
}

static void give_back(segment *s, uint16_t *piece)
{
    page *g = &s->pages[*piece * UNIT / PAGE];
    uint16_t place = *piece;
    bool full;

    if (g->class == RUN) {
        give_pages(g, g->used);
        return;
    }
    full = !has_room(g);
    g->used--;
    if (g->used == 0) {
        if (!full)
            unlink_page(g);
        give_pages(g, 1);
        return;
    }
    *piece = g->free;
    g->free = place;
    if (full)
        link_page(g);
}

/* ---- the face ---- */

static nrw_status new_alone(mem *m, size_t bytes, void **out, nrw_error *err)
{
    alone *a;

    TRY(mem_alloc(m, sizeof *a + bytes, (void **)&a, err));
    *a = (alone){m, bytes};
    *out = a + 1;
    *place_of(*out) = 0;
    return NRW_OK;
}

/* Whether pieces are to be small: blocks must last for what is sure to come. */
static bool is_short(const piece_pool *p, size_t bytes)
{
    uint64_t spare = mem_limit(p->m) / 8;

    return !p->segments && in_class(bytes) && !p->pages[class_of(bytes)] &&
           mem_room(p->m) < (spare < SPARE_MOST ? spare : SPARE_MOST);
}

nrw_status piece_some(mem *m, size_t *bytes, size_t least, void **out, nrw_error *err)
{
    piece_pool *p;
    nrw_status st;

    *out = NULL;
    if (is_alone(*bytes)) {
        *bytes = piece_room(*bytes);
        return new_alone(m, *bytes, out, err);
    }
    if (fault_hit(FAULT_ALLOC))
        return err_set(err, NRW_E_NOMEM, "%s", nrw_status_text(NRW_E_NOMEM));
    TRY(pool_of(m, &p, err));
    pthread_mutex_lock(&p->lock);
    if (least < *bytes && is_short(p, *bytes))
        *bytes = least;
    st = in_class(*bytes) ? cut(p, class_of(*bytes), out, err) : cut_run(p, *bytes, out, err);
    pthread_mutex_unlock(&p->lock);
    *bytes = piece_room(*bytes);
    return st;
}

nrw_status piece_new(mem *m, size_t bytes, void **out, nrw_error *err)
{
    return piece_some(m, &bytes, bytes, out, err);
}

static alone *alone_of(void *p)
{
    return (alone *)p - 1;
}

void piece_free(void *p)
{
    segment *s;
    piece_pool *pool;

    if (!p)
        return;
    if (*place_of(p) == 0) {
        alone *a = alone_of(p);
        mem_free(a->m, a, sizeof *a + a->bytes);
        return;
    }
    s = (segment *)(void *)((uint8_t *)p - (size_t)*place_of(p) * UNIT);
    pool = s->pool;
    pthread_mutex_lock(&pool->lock);
    give_back(s, p);
    pthread_mutex_unlock(&pool->lock);
}

nrw_status piece_resize(mem *m, void **p, size_t old_bytes, size_t bytes, nrw_error *err)
{
    size_t had = piece_room(old_bytes), want = piece_room(bytes);
    void *fresh;

    if (!*p)
        return piece_new(m, bytes, p, err);
    if (had == want)
        return NRW_OK;
    if (is_alone(old_bytes) && is_alone(bytes)) {
        fresh = alone_of(*p);
        TRY(mem_realloc(m, &fresh, sizeof(alone) + had, sizeof(alone) + want, err));
        ((alone *)fresh)->bytes = want;
        *p = (alone *)fresh + 1;
        return NRW_OK;
    }
    TRY(piece_new(m, bytes, &fresh, err));
    memcpy(place_of(fresh) + 1, place_of(*p) + 1, (had < want ? had : want) - sizeof(uint16_t));
    piece_free(*p);
    *p = fresh;
    return NRW_OK;
}
