/* A table of buckets, one for all workers, since each sees only some of a group's rows. An entry is
 * the whole key of a group, padded with zeros (keys are prefix-free, so that padded ones are equal
 * only where the keys are), and of its best rows eight bytes of what orders them. Entries are
 * looked for in their bucket alone. A worker that finds the bucket in use lets its row pass.
 *
 * Of rows that tie in those eight bytes with the last of the best nothing is known, unless the
 * eight bytes are all that orders them: then ordinals decide. Of these an entry has one bound.
 *
 * Where next to nothing is dropped (few rows in a group, the best ones last, far more groups than
 * entries), the filter rests for some rows. */
#include "exec/sort_best.h"

#include "base/fetch.h"
#include "base/hash.h"

#include <stdatomic.h>

#define KEY_LEAST  8u
#define KEY_MOST   48u
#define HEAD       4u           /* of a bucket: its lock, its youngest entry, how cold it is */
#define COLD       16u          /* a bucket is, after so many rows of unknown groups */
#define STEP       16u          /* rows that are asked for at a time */
#define LOOK       (128u << 10) /* rows until the filter is judged */
#define REST       (16 * LOOK)
#define WORTH      16u /* it is worth its time when one of so many rows goes */
#define LEAST_ROOM (16u << 10)
#define MOST_ROOM  (64u << 20) /* where many rows would be needed to fill more */

struct sort_best {
    mem *m;
    uint8_t *table;
    size_t room;
    uint32_t buckets, bucket, ways;
    uint32_t each, key, entry; /* bytes of a key, of an entry: the key, best rows, the bound */
    _Atomic int64_t rest;      /* rows to let pass */
    _Atomic uint64_t seen, young, dropped; /* since the last look */
};

/* What is known of a row. */
typedef struct candidate {
    uint8_t key[KEY_MOST];
    uint64_t best; /* the larger the sooner; 0: who knows */
    bool whole;    /* rows with the same `best` differ in nothing but their ordinals */
    uint32_t place;
    uint8_t *bucket; /* NULL: it passes */
} candidate;

typedef enum verdict { PASS, YOUNG, DROP } verdict; /* YOUNG: it passes, and the group may grow */

/* ---- of a row's key ---- */

static uint64_t load_big_endian(const uint8_t *p, uint32_t n)
{
    uint64_t x = 0;

    memcpy(&x, p, size_min(n, 8));
    return __builtin_bswap64(x);
}

/* Never falls when the ordinal rises. */
static uint32_t place_of(uint64_t ordinal)
{
    uint64_t morsel = ordinal >> 32;

    return (uint32_t)((morsel < 0xfffff ? morsel : 0xfffff) << 12 | (uint32_t)ordinal >> 20);
}

/* The first column that orders rows, behind its mark (sort_key.h). Nulls are before or behind all,
 * whatever the value. */
static void set_best(candidate *c, const uint8_t *order, uint32_t len)
{
    uint64_t x = len ? 0 : 1;

    if (len && order[0] == 1)
        x = load_big_endian(order + 1, len - 1);
    else if (len && order[0] == 2)
        x = UINT64_MAX;
    c->best = ~x;
    c->whole = len <= 9 && x != 0 && x != UINT64_MAX;
}

static uint8_t *bucket_of(const sort_best *s, uint64_t hash)
{
    return s->table + ((hash >> 32) * s->buckets >> 32) * s->bucket;
}

static void candidate_of(const sort_best *s, candidate *c, const uint8_t *key, uint32_t len,
                         uint32_t alike)
{
    c->bucket = NULL;
    if (alike > s->key)
        return;
    memset(c->key, 0, sizeof c->key);
    memcpy(c->key, key, alike);
    set_best(c, key + alike, len - alike - 8);
    c->place = place_of(load_big_endian(key + len - 8, 8));
    c->bucket = bucket_of(s, hash_bytes(key, alike));
}

/* ---- entries ---- */

static uint8_t *entry_of(const sort_best *s, uint8_t *bucket, uint32_t way)
{
    return bucket + HEAD + way * s->entry;
}

static bool key_is(const sort_best *s, const uint8_t *entry, const uint8_t *key)
{
    uint64_t differ = load_u64(entry + s->key - 8) ^ load_u64(key + s->key - 8);

    for (uint32_t at = 0; at + 8 < s->key; at += 8)
        differ |= load_u64(entry + at) ^ load_u64(key + at);
    return differ == 0;
}

/* Its best rows, the last of them first. An entry that is all zeros has none. */
static uint8_t *best_of(const sort_best *s, uint8_t *entry)
{
    return entry + s->key;
}

/* The last of the best goes; the new one comes to its place. */
static void add_best(const sort_best *s, uint8_t *entry, const candidate *c)
{
    uint8_t *best = best_of(s, entry), *place = best + 8 * (size_t)s->each;
    uint32_t at = 0;

    for (; at + 1 < s->each && load_u64(best + 8 * (at + 1)) < c->best; at++)
        store_u64(best + 8 * at, load_u64(best + 8 * (at + 1)));
    store_u64(best + 8 * at, c->best);
    if (load_u32(place) < c->place)
        store_u32(place, c->place);
}

static verdict judge_row(const sort_best *s, uint8_t *entry, const candidate *c)
{
    uint64_t last = load_u64(best_of(s, entry));
    uint32_t place = load_u32(best_of(s, entry) + 8 * (size_t)s->each);

    if (c->best < last || (c->best == last && c->whole && c->place > place))
        return DROP;
    if (c->best > last)
        add_best(s, entry, c);
    return last == 0 && c->best ? YOUNG : PASS;
}

/* A group that is not there takes the entry behind the youngest: a free one, or else one of a
 * bucket whose older entries have not been of use for a while. Where groups come one after the
 * other none is; where they come in any order all are alike, and those that stay know more. */
static verdict add_entry(const sort_best *s, uint8_t *bucket, const candidate *c)
{
    uint32_t way = bucket[1] + 1u < s->ways ? bucket[1] + 1u : 0;
    uint8_t *entry = entry_of(s, bucket, way);
    bool free = load_u64(best_of(s, entry) + 8 * (size_t)(s->each - 1)) == 0;

    if (!free && bucket[2] < COLD) {
        bucket[2]++;
        return PASS;
    }
    memset(entry, 0, s->entry);
    memcpy(entry, c->key, s->key);
    add_best(s, entry, c);
    bucket[1] = (uint8_t)way;
    return free ? YOUNG : PASS;
}

static verdict look_up(const sort_best *s, const candidate *c)
{
    uint8_t *bucket = c->bucket;

    for (uint32_t way = 0; way < s->ways; way++) {
        uint8_t *entry = entry_of(s, bucket, way);
        if (!key_is(s, entry, c->key))
            continue;
        if (way != bucket[1])
            bucket[2] = 0;
        return judge_row(s, entry, c);
    }
    return c->best ? add_entry(s, bucket, c) : PASS;
}

static verdict try_look_up(const sort_best *s, const candidate *c)
{
    _Atomic uint8_t *lock = (_Atomic uint8_t *)c->bucket;
    verdict v;

    if (atomic_exchange_explicit(lock, 1, memory_order_acquire))
        return PASS;
    v = look_up(s, c);
    atomic_store_explicit(lock, 0, memory_order_release);
    return v;
}

/* ---- rows ---- */

/* Key `from` becomes key `to`. `begin`: where it begins; *end: where the last one that stays
 * ends. */
static void move_key(const sort_best_keys *k, uint32_t from, uint32_t to, uint32_t begin,
                     uint32_t *end)
{
    uint32_t len = k->ends[from] - begin;

    if (from != to)
        memmove(k->all->data + *end, k->all->data + begin, len);
    *end += len;
    k->ends[to] = *end;
    k->alike[to] = k->alike[from];
    k->rows[to] = k->rows[from];
}

/* Where rows have been few or far too many for a judgement so far, it stays as it is. */
static void look_at_itself(sort_best *s, uint32_t n, uint32_t young, uint32_t dropped)
{
    uint64_t seen = atomic_fetch_add(&s->seen, n) + n;

    young += (uint32_t)atomic_fetch_add(&s->young, young);
    dropped += (uint32_t)atomic_fetch_add(&s->dropped, dropped);
    if (seen < LOOK)
        return;
    atomic_store(&s->seen, 0);
    atomic_store(&s->young, 0);
    atomic_store(&s->dropped, 0);
    if (young < seen / 2 && dropped < seen / WORTH)
        atomic_store(&s->rest, REST);
}

/* What is known of STEP rows from `at` on, whose keys begin at `from`; their buckets are on their
 * way. Where the next ones begin. */
static uint32_t expect(const sort_best *s, const sort_best_keys *k, uint32_t n, uint32_t at,
                       uint32_t from, candidate *out)
{
    for (uint32_t i = 0; i < STEP && at + i < n; from = k->ends[at + i++]) {
        candidate_of(s, &out[i], k->all->data + from, k->ends[at + i] - from, k->alike[at + i]);
        if (out[i].bucket)
            fetch_bytes(out[i].bucket, s->bucket);
    }
    return from;
}

uint32_t sort_best_pass(sort_best *s, const sort_best_keys *k, uint32_t n)
{
    candidate some[2][STEP]; /* of rows at hand, and of those behind them */
    uint32_t kept = 0, begin = 0, end = 0, young = 0, ahead;

    if (atomic_load_explicit(&s->rest, memory_order_relaxed) > 0) {
        atomic_fetch_sub(&s->rest, n);
        return n;
    }
    ahead = expect(s, k, n, 0, 0, some[0]);
    for (uint32_t at = 0; at < n; at += STEP) {
        const candidate *now = some[at / STEP % 2];
        ahead = expect(s, k, n, at + STEP, ahead, some[(at / STEP + 1) % 2]);
        for (uint32_t i = 0; i < STEP && at + i < n; i++) {
            const uint32_t next = k->ends[at + i];
            const verdict v = now[i].bucket ? try_look_up(s, &now[i]) : PASS;
            young += v == YOUNG;
            if (v != DROP)
                move_key(k, at + i, kept++, begin, &end);
            begin = next;
        }
    }
    k->all->len = end;
    look_at_itself(s, n, young, n - kept);
    return kept;
}

/* ---- life ---- */

/* As many entries in a bucket as two cache lines have, at least two; as many buckets as fit. */
static void lay_out(sort_best *s, uint64_t room)
{
    uint32_t bytes = 2 * FETCH_LINE;
    size_t most = room;

    while (most && mem_cost(most) + mem_cost(sizeof *s) > room)
        most -= size_min(most, 4096);
    s->entry = s->key + 8 * s->each + 4;
    while (bytes < HEAD + 2 * s->entry)
        bytes += FETCH_LINE;
    s->bucket = bytes;
    s->ways = (bytes - HEAD) / s->entry;
    s->buckets = (uint32_t)size_min(most / bytes, UINT32_MAX);
    s->room = (size_t)s->buckets * bytes;
}

nrw_status sort_best_new(mem *m, const type *types, const sort_order *orders, uint32_t n_alike,
                         uint64_t each, uint64_t room, sort_best **out, nrw_error *err)
{
    uint32_t key = 0;
    sort_best *s;
    nrw_status st;

    *out = NULL;
    for (uint32_t i = 0; i < n_alike && key <= KEY_MOST; i++)
        key += 1 + types[orders[i].column].width;
    if (each == 0 || each > SORT_BEST_MOST || key > KEY_MOST || room < LEAST_ROOM)
        return NRW_OK;
    TRY(mem_zalloc(m, sizeof *s, (void **)&s, err));
    s->m = m;
    s->each = (uint32_t)each;
    s->key = key < KEY_LEAST ? KEY_LEAST : key;
    lay_out(s, size_min(room, MOST_ROOM));
    st = mem_zalloc(m, s->room, (void **)&s->table, err);
    if (st < 0)
        mem_free(m, s, sizeof *s);
    else
        *out = s;
    return st;
}

void sort_best_free(sort_best *s)
{
    if (!s)
        return;
    mem_free(s->m, s->table, s->room);
    mem_free(s->m, s, sizeof *s);
}
