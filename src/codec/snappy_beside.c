/* Several blocks at a time: an element waits for the one before, whose end says where it begins;
 * those of other blocks do not. What the elements of one block wait for is so filled with the
 * others', up to what the processor can carry out, and then each load and step less counts. */
#include "codec/snappy_block.h"
#include "codec/snappy_own.h"
#include "codec/window.h"

/* An element that is copied in whole steps takes and makes at most STEP bytes, one that take_rare
 * copies at most twice as many. NEAR an end, its head and what it overshoots are not all there. */
enum { SHORT = 32, STEP = 33, NEAR = 40 };
/* A copy from so far back is done in steps that do not meet themselves; the offset of a literal,
 * which is copied from behind its tag. */
enum { BACK = 16 };
enum { LANES = 4 };

/* By tag, as operands: what an element takes and makes, and its offset less BACK: the bytes behind
 * the tag that `mask` leaves, and `base`. Of those that take_rare looks at it is NEVER; that and
 * what is less than nothing, which wraps, lie in front of any block. */
typedef struct elements {
    uint64_t step[256], len[256];
    uint32_t mask[256], base[256];
} elements;

#define TAGS_4(of, t)  of(t, 0), of(t, 1), of(t, 2), of(t, 3)
#define TAGS_16(of, t) TAGS_4(of, t), TAGS_4(of, (t) + 4), TAGS_4(of, (t) + 8), TAGS_4(of, (t) + 12)
#define TAGS_64(of, t)                                                                             \
    TAGS_16(of, t), TAGS_16(of, (t) + 16), TAGS_16(of, (t) + 32), TAGS_16(of, (t) + 48)
#define TAGS(of) TAGS_64(of, 0), TAGS_64(of, 64), TAGS_64(of, 128), TAGS_64(of, 192)

/* t: the tag's upper six bits, times four. */
#define LEN(t, kind)                                                                               \
    ((kind) == 0   ? ((t) < 240 ? LITERAL(t) : 0)                                                  \
     : (kind) == 1 ? COPY_1(t)                                                                     \
     : (kind) == 2 ? COPY_2(t)                                                                     \
                   : 0)
#define TAKEN(t, kind)  ((kind) == 0 ? LEN(t, 0) + 1 : (kind) + 1)
#define RARE(t, kind)   (LEN(t, kind) == 0 || LEN(t, kind) > SHORT)
#define MASK(t, kind)   (RARE(t, kind) || (kind) == 0 ? 0 : (kind) == 1 ? 0xff : 0xffff)
#define OFFSET(t, kind) ((kind) == 0 ? BACK : (kind) == 1 ? (t) / 32 * 256 : 0)
#define NEVER           UINT32_MAX
#define BASE(t, kind)   (RARE(t, kind) ? NEVER : (uint32_t)(OFFSET(t, kind) - BACK))

static const elements by_tag = {{TAGS(TAKEN)}, {TAGS(LEN)}, {TAGS(MASK)}, {TAGS(BASE)}};

/* A place in a block. */
typedef struct lane {
    const uint8_t *ip;
    uint8_t *op;
} lane;

static size_t room(const snappy_state *s)
{
    return size_min((size_t)(s->in_end - s->ip), (size_t)(s->out_end - s->op));
}

static bool near_end(const snappy_state *s)
{
    return room(s) < NEAR;
}

/* A longer element, or a copy that meets itself. No op: it is left to snappy_one, of another kind,
 * or wrong. */
static __attribute__((noinline)) lane take_rare(lane l, const uint8_t *low)
{
    const size_t tag = *l.ip, kind = tag & 3, len = (size_t)by_tag.len[tag];
    size_t offset = load_u32(l.ip + 1) & (kind == 1 ? 0xff : 0xffff);

    if (len == 0)
        return (lane){l.ip, NULL};
    if (kind == 0) {
        memcpy(l.op, l.ip + 1, 64);
    } else {
        offset += kind == 1 ? tag / 32 * 256 : 0;
        if (offset == 0 || offset > (size_t)(l.op - low) + BACK)
            return (lane){l.ip, NULL};
        copy_back(l.op, offset, len);
    }
    return (lane){l.ip + by_tag.step[tag], l.op + len};
}

/* An element, BACK or more behind the block's beginning, which is BACK in front of `low`, with room
 * for *turns of STEP bytes. Literals and copies follow each other without any order, so that is not
 * branched for. False: it is left to snappy_one. */
static inline __attribute__((always_inline)) bool take(lane *l, const uint8_t *low, int64_t *turns)
{
    const size_t tag = *l->ip;
    const uint32_t offset = (load_u32(l->ip + 1) & by_tag.mask[tag]) + by_tag.base[tag];
    const uint8_t *copied = (const uint8_t *)((uintptr_t)l->op - offset);
    const uint8_t *from = l->ip + 1 + BACK;

    if (__builtin_expect((uintptr_t)copied < (uintptr_t)low, 0)) {
        const lane next = *turns < 3 ? (lane){l->ip, NULL} : take_rare(*l, low);
        if (!next.op)
            return false;
        --*turns;
        *l = next;
    } else {
        WITHOUT_BRANCH(copied, from);
        from = tag & 3 ? copied : from;
        memcpy(l->op, from - BACK, 16);
        memcpy(l->op + 16, from - BACK + 16, 16);
        l->ip += by_tag.step[tag];
        WITHOUT_BRANCH(l->ip, l->op); /* two numbers, and not one of two halves */
        l->op += by_tag.len[tag];
    }
    return true;
}

/* Of n blocks, 2 to 4, none of which is near its end, until one has to stop: which; n: none has. */
static inline __attribute__((always_inline)) size_t take_turns(snappy_state *s, size_t n)
{
    lane a = {s[0].ip, s[0].op}, b = {s[1].ip, s[1].op}, c = {NULL, NULL}, d = {NULL, NULL};
    const uint8_t *low[LANES];
    size_t least = SIZE_MAX, stopped;
    int64_t turns;

    for (size_t i = 0; i < n; i++) {
        low[i] = s[i].dst + BACK;
        least = size_min(least, room(&s[i]));
    }
    if (n > 2)
        c = (lane){s[2].ip, s[2].op};
    if (n > 3)
        d = (lane){s[3].ip, s[3].op};
    for (turns = (int64_t)((least - NEAR) / STEP + 1);; turns--) {
        if (stopped = n, turns <= 0)
            break;
        if (stopped = 0, !take(&a, low[0], &turns))
            break;
        if (stopped = 1, !take(&b, low[1], &turns))
            break;
        if (stopped = 2, n > 2 && !take(&c, low[2], &turns))
            break;
        if (stopped = 3, n > 3 && !take(&d, low[3], &turns))
            break;
    }
    s[0].ip = a.ip, s[0].op = a.op;
    s[1].ip = b.ip, s[1].op = b.op;
    if (n > 2)
        s[2].ip = c.ip, s[2].op = c.op;
    if (n > 3)
        s[3].ip = d.ip, s[3].op = d.op;
    return stopped;
}

static __attribute__((noinline)) size_t take_turns_two(snappy_state *s)
{
    return take_turns(s, 2);
}

static __attribute__((noinline)) size_t take_turns_three(snappy_state *s)
{
    return take_turns(s, 3);
}

static __attribute__((noinline)) size_t take_turns_four(snappy_state *s)
{
    return take_turns(s, 4);
}

/* Up to where one of n blocks is near its end. */
static bool decode_lanes(snappy_state *s, size_t n)
{
    for (;;) {
        size_t stopped;
        for (size_t i = 0; i < n; i++)
            if (near_end(&s[i]))
                return true;
        stopped = n == 4 ? take_turns_four(s) : n == 3 ? take_turns_three(s) : take_turns_two(s);
        if (stopped < n && !near_end(&s[stopped]) && !snappy_one(&s[stopped]))
            return false;
    }
}

/* The one of n that is near its end, else the last, to its end; the last one takes its place. */
static bool finish_one(snappy_state *s, size_t n)
{
    size_t i = 0;
    bool done;

    while (i < n - 1 && !near_end(&s[i]))
        i++;
    done = snappy_go_on(&s[i]) && s[i].op == s[i].out_end;
    s[i] = s[n - 1];
    return done;
}

/* Up to where `take` can go on. */
static bool begin_lane(snappy_state *s, span src, uint8_t *dst, size_t dst_len)
{
    uint64_t len;

    if (!snappy_begin(s, src, dst, dst_len, &len) || len != dst_len)
        return false;
    while (!near_end(s) && s->op - s->dst < BACK)
        if (!snappy_one(s))
            return false;
    return true;
}

bool snappy_block_decode_beside(const span *src, size_t count, uint8_t *dst, const size_t *dst_len)
{
    /* what is NEVER in front of a lower one would not be seen to be */
    const size_t lanes = (uintptr_t)dst > NEVER ? LANES : 1;
    snappy_state s[LANES];

    for (size_t next = 0, n = 0;;) {
        for (; n < lanes && next < count; dst += dst_len[next++])
            if (!begin_lane(&s[n++], src[next], dst, dst_len[next]))
                return false;
        if (n == 0)
            return true;
        if ((n > 1 && !decode_lanes(s, n)) || !finish_one(s, n--))
            return false;
    }
}
