#include "base/mem.h"

#include "base/block.h"
#include "base/fault.h"
#include "base/piece.h"
#include "base/span.h"
#include "base/text.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Nothing larger can be meant; keeps all rounding below free of overflow. */
#define REQUEST_MAX (SIZE_MAX / 4)

/* Free blocks that may stay although the memory in use was never that much: so many bytes, or a
 * twenty-fourth of the limit. */
#define FREE_SLACK_MOST ((uint64_t)8 << 20)

/* How often a thread looks again before it takes a refusal by the root as final. */
#define ROOT_TRIES 16

struct mem {
    mem *parent, *root;
    const char *name;
    _Atomic uint64_t used, peak, limit;
    _Atomic(void *) pieces; /* base/piece.c's own */
};

/* A root has the cache of free blocks, and is known to mem_trim. */
typedef struct root_mem {
    mem account;
    block_cache cache;
    _Atomic uint64_t in_use;  /* the most that was in use at a time, free blocks not counted */
    pthread_mutex_t trimming; /* from emptying the cache until the books know of it */
    struct root_mem *next, *prev;
} root_mem;

static pthread_mutex_t roots_lock = PTHREAD_MUTEX_INITIALIZER;
static root_mem *roots;

static root_mem *root_of(const mem *m)
{
    return (root_mem *)m->root;
}

nrw_status mem_root(uint64_t limit, mem **out, nrw_error *err)
{
    root_mem *r = calloc(1, sizeof *r);

    *out = NULL;
    if (!r)
        return err_set(err, NRW_E_NOMEM, "%s", nrw_status_text(NRW_E_NOMEM));
    r->account.root = &r->account;
    r->account.name = "the process";
    atomic_init(&r->account.limit, limit);
    block_cache_init(&r->cache);
    pthread_mutex_init(&r->trimming, NULL);
    pthread_mutex_lock(&roots_lock);
    r->next = roots;
    if (roots)
        roots->prev = r;
    roots = r;
    pthread_mutex_unlock(&roots_lock);
    *out = &r->account;
    return NRW_OK;
}

nrw_status mem_child(mem *parent, const char *name, uint64_t limit, mem **out, nrw_error *err)
{
    void *p;

    *out = NULL;
    TRY(mem_zalloc(parent, sizeof(mem), &p, err));
    *out = p;
    (*out)->parent = parent;
    (*out)->root = parent->root;
    (*out)->name = name;
    atomic_init(&(*out)->limit, limit);
    return NRW_OK;
}

static void free_root(root_mem *r)
{
    pthread_mutex_lock(&roots_lock);
    if (r->prev)
        r->prev->next = r->next;
    else
        roots = r->next;
    if (r->next)
        r->next->prev = r->prev;
    pthread_mutex_unlock(&roots_lock);
    atomic_fetch_sub(&r->account.used, block_cache_shrink(&r->cache, UINT64_MAX));
    block_cache_end(&r->cache);
    pthread_mutex_destroy(&r->trimming);
}

/* A leak is a defect of the caller: tests stop here, a release leaves the bytes charged above. */
static void check_empty(const mem *m)
{
#ifdef NARROWS_DEBUG
    static const char text[] = ": memory account closed with bytes in use\n";

    if (!mem_used(m))
        return;
    if (write(STDERR_FILENO, m->name, strlen(m->name)) > 0 &&
        write(STDERR_FILENO, text, sizeof text - 1) > 0)
        abort();
    abort();
#else
    (void)m;
#endif
}

void mem_free_account(mem *m)
{
    if (!m)
        return;
    piece_end(m);
    if (!m->parent)
        free_root(root_of(m));
    check_empty(m);
    if (m->parent)
        mem_free(m->parent, m, sizeof *m);
    else
        free(m);
}

static bool charge_one(mem *m, uint64_t bytes)
{
    uint64_t limit = atomic_load_explicit(&m->limit, memory_order_relaxed);
    uint64_t used = atomic_load_explicit(&m->used, memory_order_relaxed), peak;

    do {
        if (used > limit || bytes > limit - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&m->used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    peak = atomic_load_explicit(&m->peak, memory_order_relaxed);
    while (peak < used + bytes &&
           !atomic_compare_exchange_weak_explicit(&m->peak, &peak, used + bytes,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
    return true;
}

/* Gives bytes back to the accounts from `m` up to, not including, `end`. */
static void discharge(mem *m, const mem *end, uint64_t bytes)
{
    for (; m != end; m = m->parent)
        atomic_fetch_sub_explicit(&m->used, bytes, memory_order_relaxed);
}

/* Charges from `m` up to, not including, `end`. Returns the account that refused, or NULL. */
static mem *charge(mem *m, const mem *end, uint64_t bytes)
{
    for (mem *at = m; at != end; at = at->parent)
        if (!charge_one(at, bytes)) {
            discharge(m, at, bytes);
            return at;
        }
    return NULL;
}

static bool trim_root(root_mem *r)
{
    uint64_t bytes;

    pthread_mutex_lock(&r->trimming);
    bytes = block_cache_shrink(&r->cache, UINT64_MAX);
    discharge(&r->account, NULL, bytes);
    pthread_mutex_unlock(&r->trimming);
    return bytes > 0;
}

/* As charge to the top, where free blocks make room if they must. Another thread may have taken
 * the free blocks away or be about to give bytes back: a refusal by the root is final only when it
 * stands for a while, as it does where the grants below leave room for what is asked. */
static mem *charge_all(mem *m, uint64_t bytes)
{
    const struct timespec moment = {.tv_nsec = 50000};
    mem *refuser = charge(m, NULL, bytes);

    for (int i = 0; i < ROOT_TRIES && refuser && refuser == m->root; i++) {
        if (!trim_root(root_of(m)) && m != refuser) {
            if (i < ROOT_TRIES / 2)
                sched_yield();
            else
                nanosleep(&moment, NULL);
        }
        refuser = charge(m, NULL, bytes);
    }
    return refuser;
}

void mem_move(mem *from, mem *to, size_t bytes)
{
    charge(to, NULL, mem_cost(bytes));
    discharge(from, NULL, mem_cost(bytes));
}

void mem_trim_root(mem *m)
{
    trim_root(root_of(m));
}

static nrw_status refuse(const mem *m, uint64_t bytes, nrw_error *err)
{
    char more[TEXT_NUMBER], use[2 * TEXT_NUMBER];

    return err_set(err, NRW_E_MEMLIMIT, "%s needs %s more, %s are in use", m->name,
                   text_size(bytes, more), text_size_of(mem_used(m), mem_limit(m), use));
}

nrw_status mem_reserve(mem *m, uint64_t bytes, nrw_error *err)
{
    mem *refuser = charge_all(m, bytes);

    return refuser ? refuse(refuser, bytes, err) : NRW_OK;
}

bool mem_try_reserve(mem *m, uint64_t bytes)
{
    return charge_all(m, bytes) == NULL;
}

void mem_release(mem *m, uint64_t bytes)
{
    discharge(m, NULL, bytes);
}

/* What a request costs in the books: malloc's header and rounding included. */
static uint64_t cost_of(size_t bytes)
{
    if (bytes >= BLOCK_MIN)
        return block_size(bytes);
    return (size_max(bytes, 1) + 15) / 16 * 16 + 16;
}

uint64_t mem_cost(size_t bytes)
{
    return cost_of(bytes);
}

typedef struct grab {
    void *p;
    mem *refuser; /* set: a grant refused; else p == NULL means that the system did */
    bool zeroed;
} grab;

static grab grab_small(mem *m, size_t bytes)
{
    grab g = {.refuser = charge_all(m, cost_of(bytes))};

    if (g.refuser)
        return g;
    g.p = malloc(size_max(bytes, 1));
    if (!g.p)
        discharge(m, NULL, cost_of(bytes));
    return g;
}

/* By how much free blocks would take the process beyond the most that it ever used, and a little
 * more, if `more` bytes came from the system. */
static uint64_t cached_too_much(root_mem *r, uint64_t more)
{
    uint64_t used = mem_used(&r->account) + more, held = block_cache_held(&r->cache);
    uint64_t live = used - (held < used ? held : used);
    uint64_t most = atomic_load_explicit(&r->in_use, memory_order_relaxed);

    while (most < live && !atomic_compare_exchange_weak_explicit(
                              &r->in_use, &most, live, memory_order_relaxed, memory_order_relaxed))
        continue;
    uint64_t slack = mem_limit(&r->account) / 24;
    most = (most > live ? most : live) + (slack < FREE_SLACK_MOST ? slack : FREE_SLACK_MOST);
    return used > most && held ? used - most : 0;
}

/* A block came from the system: the oldest free ones go where they would be too many beside it. So
 * what is kept for reuse adds little to the peak, however long the run. */
static void balance_cache(root_mem *r)
{
    uint64_t bytes = cached_too_much(r, 0);

    if (bytes)
        discharge(&r->account, NULL, block_cache_shrink(&r->cache, bytes));
}

/* Where a free block would have to go for one of another size, its pages become that one: taking
 * new ones from the system costs more than all that is done with most of them. */
static void *reshape_block(mem *m, size_t size)
{
    mem *root = m->root;
    root_mem *r = root_of(m);
    size_t had = 0, more;
    void *p = cached_too_much(r, size) ? block_cache_take_near(&r->cache, size, &had) : NULL;

    if (!p)
        return NULL;
    more = size > had ? size - had : 0;
    if (!charge(m, root, size)) {
        if (!more || !charge(root, NULL, more)) {
            void *moved = block_remap(p, had, size);
            discharge(root, NULL, !moved ? more : more ? 0 : had - size);
            balance_cache(r);
            if (moved)
                return moved;
        }
        discharge(m, root, size);
    }
    discharge(root, NULL, block_cache_put(&r->cache, p, had));
    return NULL;
}

static grab grab_block(mem *m, size_t bytes)
{
    size_t size = block_size(bytes);
    mem *root = m->root;
    grab g = {.p = block_cache_take(&root_of(m)->cache, size)};

    if (g.p) {
        g.refuser = charge(m, root, size); /* the root's charge stayed while it was cached */
        if (g.refuser) {
            discharge(root, NULL, block_cache_put(&root_of(m)->cache, g.p, size));
            g.p = NULL;
        }
        return g;
    }
    g.p = reshape_block(m, size);
    if (g.p)
        return g;
    g.refuser = charge_all(m, size);
    if (g.refuser)
        return g;
    g.p = block_map(bytes);
    if (!g.p && trim_root(root_of(m)))
        g.p = block_map(bytes);
#ifndef BLOCK_FROM_MALLOC
    g.zeroed = true;
#endif
    if (!g.p)
        discharge(m, NULL, size);
    balance_cache(root_of(m));
    return g;
}

static grab grab_bytes(mem *m, size_t bytes)
{
    if (bytes > REQUEST_MAX)
        return (grab){.refuser = m};
    if (fault_hit(FAULT_ALLOC))
        return (grab){.p = NULL};
    return bytes < BLOCK_MIN ? grab_small(m, bytes) : grab_block(m, bytes);
}

static nrw_status grab_error(const grab *g, size_t bytes, nrw_error *err)
{
    if (g->p)
        return NRW_OK;
    if (g->refuser)
        return refuse(g->refuser, bytes <= REQUEST_MAX ? cost_of(bytes) : bytes, err);
    return err_set(err, NRW_E_NOMEM, "%s", nrw_status_text(NRW_E_NOMEM));
}

nrw_status mem_alloc(mem *m, size_t bytes, void **out, nrw_error *err)
{
    grab g = grab_bytes(m, bytes);

    *out = g.p;
    return grab_error(&g, bytes, err);
}

nrw_status mem_zalloc(mem *m, size_t bytes, void **out, nrw_error *err)
{
    grab g = grab_bytes(m, bytes);

    *out = g.p;
    if (g.p && !g.zeroed)
        memset(g.p, 0, bytes);
    return grab_error(&g, bytes, err);
}

void *mem_try_alloc(mem *m, size_t bytes)
{
    return grab_bytes(m, bytes).p;
}

void mem_free(mem *m, void *p, size_t bytes)
{
    mem *root;
    size_t size;
    uint64_t gone;

    if (!p)
        return;
    root = m->root;
    if (bytes < BLOCK_MIN) {
        free(p);
        discharge(m, NULL, cost_of(bytes));
        return;
    }
    size = block_size(bytes);
    gone = block_cache_put(&root_of(m)->cache, p, size);
    discharge(m, root, size);
    discharge(root, NULL, gone);
}

/* Both sizes of one kind: malloc's or a block's. The books change by the difference. */
static nrw_status resize(mem *m, void **p, size_t old_bytes, size_t new_bytes, nrw_error *err)
{
    uint64_t old_cost = cost_of(old_bytes), new_cost = cost_of(new_bytes);
    void *moved;

    if (new_cost > old_cost)
        TRY(mem_reserve(m, new_cost - old_cost, err));
    if (new_bytes < BLOCK_MIN)
        moved = realloc(*p, size_max(new_bytes, 1));
    else
        moved = block_remap(*p, old_bytes, new_bytes);
    if (!moved) {
        if (new_cost > old_cost)
            mem_release(m, new_cost - old_cost);
        return err_set(err, NRW_E_NOMEM, "%s", nrw_status_text(NRW_E_NOMEM));
    }
    if (new_cost < old_cost)
        mem_release(m, old_cost - new_cost);
    *p = moved;
    return NRW_OK;
}

nrw_status mem_realloc(mem *m, void **p, size_t old_bytes, size_t new_bytes, nrw_error *err)
{
    void *fresh;

    if (!*p)
        return mem_alloc(m, new_bytes, p, err);
    if (new_bytes <= REQUEST_MAX && (old_bytes < BLOCK_MIN) == (new_bytes < BLOCK_MIN)) {
        if (fault_hit(FAULT_ALLOC))
            return err_set(err, NRW_E_NOMEM, "%s", nrw_status_text(NRW_E_NOMEM));
        return resize(m, p, old_bytes, new_bytes, err);
    }
    TRY(mem_alloc(m, new_bytes, &fresh, err));
    memcpy(fresh, *p, size_min(old_bytes, new_bytes));
    mem_free(m, *p, old_bytes);
    *p = fresh;
    return NRW_OK;
}

uint64_t mem_used(const mem *m)
{
    return atomic_load_explicit(&m->used, memory_order_relaxed);
}

uint64_t mem_peak(const mem *m)
{
    return atomic_load_explicit(&m->peak, memory_order_relaxed);
}

uint64_t mem_limit(const mem *m)
{
    return atomic_load_explicit(&m->limit, memory_order_relaxed);
}

void mem_set_limit(mem *m, uint64_t limit)
{
    atomic_store_explicit(&m->limit, limit, memory_order_relaxed);
}

uint64_t mem_room(const mem *m)
{
    uint64_t room = MEM_NO_LIMIT;

    for (; m; m = m->parent) {
        uint64_t used = mem_used(m), limit = mem_limit(m), here;
        if (!m->parent) {
            uint64_t cached = block_cache_held(&root_of(m)->cache);
            used -= cached < used ? cached : used;
        }
        here = used < limit ? limit - used : 0;
        room = here < room ? here : room;
    }
    return room;
}

_Atomic(void *) *mem_pieces(mem *m)
{
    return &m->pieces;
}

const char *mem_name(const mem *m)
{
    return m->name;
}

void mem_trim(void)
{
    pthread_mutex_lock(&roots_lock);
    for (root_mem *r = roots; r; r = r->next)
        trim_root(r);
    pthread_mutex_unlock(&roots_lock);
}
