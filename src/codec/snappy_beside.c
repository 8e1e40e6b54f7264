/* Several blocks at a time: an element waits for the one before, whose end says where it begins;
 * those of other blocks do not. What the elements of one block wait for is so filled with the
 * others', up to what the processor can carry out, and then each load and step less counts. */
#include "codec/snappy_block.h"
#include "codec/snappy_own.h"
#include "codec/window.h"

/* Bytes in front of a block's two ends up to where an element of at most SHORT bytes is copied in
 * whole steps, with its head and what it overshoots; of any that is copied at once, FAR. */
enum { SHORT = 32, NEAR = 40, FAR = 80 };
/* A copy from so far back is done in steps that do not meet themselves; the offset of a literal,
 * which is copied from behind its tag. */
enum { BACK = 16 };

/* By tag, as operands: what an element takes and makes, and its offset: the bytes behind the tag
 * that `mask` leaves, and `base`. Of those that take_rare looks at it is 0, which no other has. */
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
#define TAKEN(t, kind) ((kind) == 0 ? LEN(t, 0) + 1 : (kind) + 1)
#define RARE(t, kind)  (LEN(t, kind) == 0 || LEN(t, kind) > SHORT)
#define MASK(t, kind)  (RARE(t, kind) || (kind) == 0 ? 0 : (kind) == 1 ? 0xff : 0xffff)
#define BASE(t, kind)  (RARE(t, kind) ? 0 : (kind) == 0 ? BACK : (kind) == 1 ? (t) / 32 * 256 : 0)

static const elements by_tag = {{TAGS(TAKEN)}, {TAGS(LEN)}, {TAGS(MASK)}, {TAGS(BASE)}};

/* A place in a block, and what bounds it. */
typedef struct lane {
    const uint8_t *ip;
    uint8_t *op;
} lane;

typedef struct limits {
    const uint8_t *dst, *in_near, *out_near;
} limits;

static bool near_end(const snappy_state *s)
{
    return s->in_end - s->ip < NEAR || s->out_end - s->op < NEAR;
}

/* A longer element, a copy that meets itself, a block's first literal. No op: it is left to
 * snappy_one, near an end, of another kind, or wrong. */
static __attribute__((noinline)) lane take_rare(lane l, const limits *m)
{
    const size_t tag = *l.ip, kind = tag & 3, len = (size_t)by_tag.len[tag];
    size_t offset = load_u32(l.ip + 1) & (kind == 1 ? 0xff : 0xffff);

    if (len == 0 || m->in_near - l.ip < FAR - NEAR || m->out_near - l.op < FAR - NEAR)
        return (lane){l.ip, NULL};
    if (kind == 0) {
        memcpy(l.op, l.ip + 1, 64);
    } else {
        offset += kind == 1 ? tag / 32 * 256 : 0;
        if (offset == 0 || offset > (size_t)(l.op - m->dst))
            return (lane){l.ip, NULL};
        copy_back(l.op, offset, len);
    }
    return (lane){l.ip + by_tag.step[tag], l.op + len};
}

/* An element NEAR no end. Literals and copies follow each other without any order, so that is not
 * branched for. False: it was the last one for that, or is left to snappy_one. */
static inline __attribute__((always_inline)) bool take(lane *l, const limits *m)
{
    const size_t tag = *l->ip;
    const size_t offset = (load_u32(l->ip + 1) & by_tag.mask[tag]) + by_tag.base[tag];
    const uint8_t *copied = (const uint8_t *)((uintptr_t)l->op - offset), *from = l->ip + 1;

    if (__builtin_expect(offset < BACK, 0) ||
        __builtin_expect((uintptr_t)copied < (uintptr_t)m->dst, 0)) {
        const lane next = take_rare(*l, m);
        if (!next.op)
            return false;
        *l = next;
    } else {
        WITHOUT_BRANCH(copied, from);
        from = tag & 3 ? copied : from;
        memcpy(l->op, from, 16);
        memcpy(l->op + 16, from + 16, 16);
        l->ip += by_tag.step[tag];
        WITHOUT_BRANCH(l->ip, l->op); /* two numbers, and not one of two halves */
        l->op += by_tag.len[tag];
    }
    return __builtin_expect(l->ip <= m->in_near, 1) && __builtin_expect(l->op <= m->out_near, 1);
}

/* Of n blocks, 2 to 4, none of which is near its end, until one has to stop: which. */
static inline __attribute__((always_inline)) size_t take_turns(snappy_state *s, size_t n)
{
    lane a = {s[0].ip, s[0].op}, b = {s[1].ip, s[1].op}, c = {NULL, NULL}, d = {NULL, NULL};
    limits m[CODEC_BESIDE];
    size_t stopped;

    for (size_t i = 0; i < n; i++)
        m[i] = (limits){s[i].dst, s[i].in_end - NEAR, s[i].out_end - NEAR};
    if (n > 2)
        c = (lane){s[2].ip, s[2].op};
    if (n > 3)
        d = (lane){s[3].ip, s[3].op};
    for (;;) {
        if (stopped = 0, !take(&a, &m[0]))
            break;
        if (stopped = 1, !take(&b, &m[1]))
            break;
        if (stopped = 2, n > 2 && !take(&c, &m[2]))
            break;
        if (stopped = 3, n > 3 && !take(&d, &m[3]))
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
static bool decode_beside(snappy_state *s, size_t n)
{
    for (;;) {
        size_t stopped;
        for (size_t i = 0; i < n; i++)
            if (near_end(&s[i]))
                return true;
        stopped = n == 4 ? take_turns_four(s) : n == 3 ? take_turns_three(s) : take_turns_two(s);
        if (!near_end(&s[stopped]) && !snappy_one(&s[stopped]))
            return false;
    }
}

/* Puts the one that is near its end, and is done then, last. */
static bool finish_one(snappy_state *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (near_end(&s[i])) {
            const snappy_state done = s[i];
            s[i] = s[n - 1];
            s[n - 1] = done;
            break;
        }
    return snappy_go_on(&s[n - 1]) && s[n - 1].op == s[n - 1].out_end;
}

bool snappy_block_decode_beside(const span *src, size_t count, uint8_t *const *dst,
                                const size_t *dst_len)
{
    snappy_state s[SNAPPY_BESIDE];

    for (size_t i = 0; i < count; i++) {
        uint64_t len;
        if (!snappy_begin(&s[i], src[i], dst[i], dst_len[i], &len) || len != dst_len[i])
            return false;
    }
    for (; count > 1; count--)
        if (!decode_beside(s, count) || !finish_one(s, count))
            return false;
    return count == 0 || (snappy_go_on(&s[0]) && s[0].op == s[0].out_end);
}
