#include "codec/snappy_block.h"
#include "codec/snappy_own.h"
#include "codec/window.h"

/* The uncompressed length, a varint of at most 32 bits; false where it is cut off or larger. */
static bool preamble(span *src, uint64_t *len)
{
    *len = 0;
    for (unsigned shift = 0; shift <= 28; shift += 7) {
        if (src->len == 0)
            return false;
        uint8_t b = *src->data++;
        src->len--;
        *len |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return shift < 28 || b < 16;
    }
    return false;
}

bool snappy_block_length(span src, uint64_t *len)
{
    return preamble(&src, len);
}

/* What a tag says: `step` bytes of input make `len` bytes. An offset is the bytes behind the tag
 * that `mask` leaves, and `base`: of a literal FAR_BACK, which is always a valid one; of what is
 * left to snappy_one (literals over 60 bytes, copies with four bytes of offset) 0, which never is.
 */
typedef struct element {
    uint16_t base, mask;
    uint8_t len, step;
} __attribute__((aligned(8))) element;
enum { FAR = 80, FAR_BACK = 32 };
#define ELEMENT(base, mask, len, step)                                                             \
    {                                                                                              \
        base, mask, len, step                                                                      \
    }

#define OF_4(t)                                                                                    \
    ELEMENT((t) < 240 ? FAR_BACK : 0, 0, LITERAL(t), LITERAL(t) + 1),                              \
        ELEMENT((t) / 32 * 256, 0xff, COPY_1(t), 2), ELEMENT(0, 0xffff, COPY_2(t), 3),             \
        ELEMENT(0, 0, 0, 5)
#define OF_16(t) OF_4(t), OF_4((t) + 4), OF_4((t) + 8), OF_4((t) + 12)
#define OF_64(t) OF_16(t), OF_16((t) + 16), OF_16((t) + 32), OF_16((t) + 48)
static const element of_tag[256] = {OF_64(0), OF_64(64), OF_64(128), OF_64(192)};

static bool near_end(const snappy_state *s)
{
    return s->in_end - s->ip < FAR || s->out_end - s->op < FAR;
}

static bool is_far(const snappy_state *s)
{
    return !near_end(s) && s->op - s->dst >= FAR_BACK;
}

/* A place in a block, in registers; `tag` is the byte at ip. */
typedef struct place {
    const uint8_t *ip;
    uint8_t *op;
    size_t tag;
    const uint8_t *in_far, *far, *dst; /* up to where, and from where, steps can be whole ones */
} place;

static inline place place_of(const snappy_state *s)
{
    return (place){s->ip, s->op, *s->ip, s->in_end - FAR, s->out_end - FAR, s->dst};
}

/* A copy that meets itself, or nothing that can be taken. */
static inline bool take_near(place *l, size_t offset, size_t len)
{
    if (offset == 0 || offset > (size_t)(l->op - l->dst))
        return false;
    copy_back(l->op, offset, len);
    l->op += len;
    l->ip += (l->tag & 3) + 1;
    l->tag = *l->ip;
    return true;
}

/* An element FAR from both ends, and FAR_BACK behind the beginning, is copied in whole steps: a
 * literal of 60 bytes or a copy of 64 with what it overshoots, and all heads. Literals and copies
 * follow each other without any order, so that is not branched for: a literal is a copy from behind
 * its tag, and the next tag is read for both before it is known which one this is. False: it was
 * the last one for that, or is left to snappy_one, or wrong. */
static inline __attribute__((always_inline)) bool take_far(place *l)
{
    const element e = of_tag[l->tag];
    const size_t kind = l->tag & 3, offset = (load_u32(l->ip + 1) & e.mask) + e.base;
    uintptr_t copied = (uintptr_t)l->op - offset;
    const uint8_t *written = l->ip + 1, *from;
    const uint8_t *copy_end = l->ip + kind + 1, *literal_end = l->ip + (l->tag >> 2) + 2;
    size_t copy_tag = *copy_end, literal_tag = *literal_end;

    if (__builtin_expect(offset < FAR_BACK, 0))
        return take_near(l, offset, e.len) && l->ip <= l->in_far && l->op <= l->far;
    if (__builtin_expect(copied < (uintptr_t)l->dst, 0))
        return false;
    WITHOUT_BRANCH(copied, written);
    WITHOUT_BRANCH(copy_end, literal_end);
    WITHOUT_BRANCH(copy_tag, literal_tag);
    from = kind ? (const uint8_t *)copied : written;
    l->ip = kind ? copy_end : literal_end;
    l->tag = kind ? copy_tag : literal_tag;
    memcpy(l->op, from, 16);
    memcpy(l->op + 16, from + 16, 16);
    if (e.len > 32) {
        memcpy(l->op + 32, from + 32, 16);
        memcpy(l->op + 48, from + 48, 16);
    }
    l->op += e.len;
    return __builtin_expect(l->ip <= l->in_far, 1) && __builtin_expect(l->op <= l->far, 1);
}

/* From a place that is_far; stops in front of what it does not take and of what is wrong; true
 * where it stops for the stretch's end. */
static bool decode_far(snappy_state *s)
{
    place l = place_of(s);

    l.far = l.op + size_min((size_t)(l.far - l.op), s->stretch);
    while (take_far(&l))
        ;
    s->ip = l.ip;
    s->op = l.op;
    return l.op > l.far;
}

/* By tag: the least offset from which a copy is one step that does not meet itself; of other
 * elements and of longer copies NEVER. */
#define NEVER      ((uint32_t)1 << 16)
#define STEP(len)  ((len) > 16 ? NEVER : 16)
#define STEP_4(t)  NEVER, STEP(COPY_1(t)), STEP(COPY_2(t)), NEVER
#define STEP_16(t) STEP_4(t), STEP_4((t) + 4), STEP_4((t) + 8), STEP_4((t) + 12)
#define STEP_64(t) STEP_16(t), STEP_16((t) + 16), STEP_16((t) + 32), STEP_16((t) + 48)
static const uint32_t step_offset[256] = {STEP_64(0), STEP_64(64), STEP_64(128), STEP_64(192)};
enum { PAIR_LITERAL = 5 * 4 }; /* six bytes: of eight from the second on, three are left */

/* Numbers whose upper bytes are those of numbers before: literals of few bytes, each with a copy
 * behind it. Where they follow each other without an exception, branches cost nothing, and a pair
 * takes as long as one element of decode_far. Stops in front of anything else. */
static void decode_pairs(snappy_state *s)
{
    const uint8_t *ip = s->ip, *in_far = s->in_end - FAR;
    uint8_t *dst = s->dst, *op = s->op, *out_far = s->out_end - FAR;
    while (ip <= in_far && op <= out_far) {
        size_t literal = *ip;
        if ((literal & 3) || literal > PAIR_LITERAL)
            break;
        uint64_t copy = load_u64(ip + 2) >> (2 * literal);
        size_t tag = (uint8_t)copy, kind = copy & 3, len = of_tag[tag].len;
        size_t offset = ((copy >> 8) & of_tag[tag].mask) + of_tag[tag].base;
        uint8_t *to = op + literal / 4 + 1;
        memcpy(op, ip + 1, 8);
        if (offset - 1 >= (size_t)(to - dst))
            break;
        if (offset >= step_offset[tag])
            memcpy(to, to - offset, 16);
        else if ((kind == 1 || kind == 2) && offset >= 8 && len <= 8)
            memcpy(to, to - offset, 8);
        else
            break;
        op = to + len;
        ip += literal / 4 + 3 + kind;
    }
    s->ip = ip;
    s->op = op;
}

/* As long as it goes in whole steps. Pairs are looked for often where there were some, and hardly
 * ever where there were none. */
enum { PAIRS_FEW = 128, STRETCH_LEAST = 64, STRETCH_MOST = 64 << 10 };
static void decode_fast(snappy_state *s)
{
    do {
        const uint8_t *before = s->op;
        decode_pairs(s);
        s->stretch =
            s->op - before > PAIRS_FEW ? STRETCH_LEAST : size_min(2 * s->stretch, STRETCH_MOST);
    } while (is_far(s) && decode_far(s) && is_far(s));
}

bool snappy_one(snappy_state *s)
{
    unsigned tag = *s->ip++, kind = tag & 3, upper = tag >> 2;
    static const uint8_t behind[4] = {0, 1, 2, 4};
    size_t need = kind == 0 && upper >= 60 ? upper - 59 : behind[kind], number = 0;
    if ((size_t)(s->in_end - s->ip) < need)
        return false;
    for (size_t i = 0; i < need; i++)
        number |= (size_t)*s->ip++ << (8 * i);
    size_t room = (size_t)(s->out_end - s->op);
    if (kind == 0) {
        size_t len = (need ? number : upper) + 1;
        if (len > room || len > (size_t)(s->in_end - s->ip))
            return false;
        if (len <= 16 && room >= 16 && s->in_end - s->ip >= 16)
            memcpy(s->op, s->ip, 16);
        else
            memcpy(s->op, s->ip, len);
        s->ip += len;
        s->op += len;
        return true;
    }
    size_t len = kind == 1 ? 4 + (upper & 7) : upper + 1;
    size_t offset = kind == 1 ? (size_t)(upper >> 3) << 8 | number : number;
    if (len > room || offset == 0 || offset > (size_t)(s->op - s->dst))
        return false;
    const uint8_t *from = s->op - offset;
    if (room >= len + 16)
        copy_back(s->op, offset, len);
    else
        for (size_t i = 0; i < len; i++)
            s->op[i] = from[i];
    s->op += len;
    return true;
}

bool snappy_begin(snappy_state *s, span src, uint8_t *dst, size_t dst_len, uint64_t *len)
{
    if (!preamble(&src, len))
        return false;
    *s = (snappy_state){src.data, src.data + src.len, dst, dst, dst + dst_len, STRETCH_LEAST};
    return true;
}

bool snappy_go_on(snappy_state *s)
{
    while (s->ip < s->in_end) {
        if (is_far(s))
            decode_fast(s);
        if (!snappy_one(s))
            return false;
    }
    return true;
}

nrw_status snappy_block_decode(span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    snappy_state s;
    uint64_t len;

    if (!snappy_begin(&s, src, dst, dst_len, &len))
        return codec_damaged("snappy", err);
    if (len != dst_len)
        return codec_wrong_size("snappy", len, dst_len, err);
    if (!snappy_go_on(&s))
        return codec_damaged("snappy", err);
    return s.op == s.out_end ? NRW_OK
                             : codec_wrong_size("snappy", (uint64_t)(s.op - dst), dst_len, err);
}
