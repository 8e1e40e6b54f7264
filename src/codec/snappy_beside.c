/* Several blocks at a time: an element waits for the one before, whose end says where it begins;
 * those of other blocks do not. What the elements of one block wait for is so filled with the
 * others', up to what the processor can carry out, and then each load less counts: a literal goes
 * with the copy behind it. */
#include "codec/snappy_block.h"
#include "codec/snappy_own.h"
#include "codec/window.h"

/* A literal of up to LITERAL_MOST bytes and a copy of up to COPY_MOST, either of which may be
 * missing, are a step: they take up to STEP_IN bytes and make up to STEP_OUT. NEAR an end, what is
 * read and written of a step whatever it has is not all there. What take_rare copies at a time
 * counts as RARE_STEPS. */
enum { LITERAL_MOST = 16, COPY_MOST = 32, STEP_IN = 20, STEP_OUT = 48, RARE_STEPS = 4 };
enum { NEAR_IN = 24, NEAR_OUT = 48 };
/* A copy from so far back is done in parts of 16 bytes that do not meet themselves. */
enum { BACK = 16 };
enum { LANES = 4 };

/* By tag, as operands: what a literal makes, 0 of others; what a copy makes, and its offset less
 * BACK: the bytes behind the tag that `mask` leaves, and `base`. Of literals, and of copies that
 * take_rare looks at, `base` is NEVER; that and what is less than nothing, which wraps, lie in
 * front of any block. */
typedef struct elements {
    uint64_t literal[256], len[256];
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
#define NEVER           UINT32_MAX
#define RARE(t, kind)   ((kind) == 0 || LEN(t, kind) == 0 || LEN(t, kind) > COPY_MOST)
#define MASK(t, kind)   (RARE(t, kind) ? 0 : (kind) == 1 ? 0xff : 0xffff)
#define OFFSET(t, kind) ((kind) == 1 ? (t) / 32 * 256 : 0)
#define BASE(t, kind)   (RARE(t, kind) ? NEVER : (uint32_t)(OFFSET(t, kind) - BACK))
#define MADE(t, kind)   ((kind) == 0 ? LITERAL(t) : 0)
#define NOT_SHORT       0xc3 /* bits of tags of all but literals of up to LITERAL_MOST */

static const elements by_tag = {{TAGS(MADE)}, {TAGS(LEN)}, {TAGS(MASK)}, {TAGS(BASE)}};

/* A place in a block. */
typedef struct lane {
    const uint8_t *ip;
    uint8_t *op;
} lane;

static bool near_end(const snappy_state *s)
{
    return s->in_end - s->ip < NEAR_IN || s->out_end - s->op < NEAR_OUT;
}

/* Steps for which there is room whatever they have; not near_end. */
static size_t steps_of(const snappy_state *s)
{
    return size_min((size_t)(s->in_end - s->ip - NEAR_IN) / STEP_IN,
                    (size_t)(s->out_end - s->op - NEAR_OUT) / STEP_OUT) +
           1;
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
    return (lane){l.ip + (kind ? kind + 1 : len + 1), l.op + len};
}

/* A step, BACK or more behind the block's beginning, which is BACK in front of `low`, with room for
 * *steps of them. Whether a literal comes first follows no order, so that is not branched for:
 * where none does, what is copied for it is written over. False: what is next is left to
 * snappy_one. */
static inline __attribute__((always_inline)) bool take(lane *l, const uint8_t *low, int64_t *steps)
{
    const size_t tag = *l->ip;
    const uint8_t *behind = l->ip + tag / 4 + 2, *copy = l->ip;
    WITHOUT_BRANCH(behind, copy);
    copy = tag & NOT_SHORT ? copy : behind;
    memcpy(l->op, l->ip + 1, LITERAL_MOST);

    uint8_t *to = l->op + by_tag.literal[tag];
    const size_t copy_tag = *copy;
    const uint32_t offset = (load_u32(copy + 1) & by_tag.mask[copy_tag]) + by_tag.base[copy_tag];
    const uint8_t *from = (const uint8_t *)((uintptr_t)to - offset);

    if (__builtin_expect((uintptr_t)from < (uintptr_t)low, 0)) {
        const lane next = *steps < RARE_STEPS ? (lane){l->ip, NULL} : take_rare(*l, low);
        if (!next.op)
            return false;
        *steps -= RARE_STEPS - 1;
        *l = next;
    } else {
        memcpy(to, from - BACK, 16);
        memcpy(to + 16, from - BACK + 16, 16);
        l->ip = copy + 1 + (copy_tag & 3);
        WITHOUT_BRANCH(l->ip, to); /* two numbers, and not one of two halves */
        l->op = to + by_tag.len[copy_tag];
    }
    return true;
}

/* Of n blocks, 2 to 4, none of which is near its end, until one has to stop: which; n: none has. */
static inline __attribute__((always_inline)) size_t take_turns(snappy_state *s, size_t n)
{
    lane a = {s[0].ip, s[0].op}, b = {s[1].ip, s[1].op}, c = {NULL, NULL}, d = {NULL, NULL};
    const uint8_t *low[LANES];
    size_t least = SIZE_MAX, stopped;
    int64_t steps;

    for (size_t i = 0; i < n; i++) {
        low[i] = s[i].dst + BACK;
        least = size_min(least, steps_of(&s[i]));
    }
    if (n > 2)
        c = (lane){s[2].ip, s[2].op};
    if (n > 3)
        d = (lane){s[3].ip, s[3].op};
    for (steps = (int64_t)least;; steps--) {
        if (stopped = n, steps <= 0)
            break;
        if (stopped = 0, !take(&a, low[0], &steps))
            break;
        if (stopped = 1, !take(&b, low[1], &steps))
            break;
        if (stopped = 2, n > 2 && !take(&c, low[2], &steps))
            break;
        if (stopped = 3, n > 3 && !take(&d, low[3], &steps))
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
