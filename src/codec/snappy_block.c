#include "codec/snappy_block.h"
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

typedef struct state {
    const uint8_t *ip, *in_end;
    uint8_t *dst, *op, *out_end;
    size_t stretch; /* bytes of output before decode_pairs is tried again */
} state;

/* By tag: the length of what it makes; 0 for elements that are left to decode_one (literals over 60
 * bytes, copies with four bytes of offset). */
#define LITERAL(t) ((t) < 240 ? (t) / 4 + 1 : 0)
#define COPY_1(t)  (4 + (t) / 4 % 8)
#define COPY_2(t)  ((t) / 4 + 1)
#define OF_4(t)    LITERAL(t), COPY_1(t), COPY_2(t), 0
#define OF_16(t)   OF_4(t), OF_4((t) + 4), OF_4((t) + 8), OF_4((t) + 12)
#define OF_64(t)   OF_16(t), OF_16((t) + 16), OF_16((t) + 32), OF_16((t) + 48)
static const uint8_t length_of[256] = {OF_64(0), OF_64(64), OF_64(128), OF_64(192)};

/* By tag: what is added to the bytes of an offset that stand behind it. Of a literal it is
 * FAR_BACK, an offset that is always a valid one. */
#define BASES_4(high)  FAR_BACK, (high), 0, 0
#define BASES_32(high) BASES_8(high), BASES_8(high), BASES_8(high), BASES_8(high)
#define BASES_8(high)  BASES_4(high), BASES_4(high)
enum { FAR = 80, FAR_BACK = 16 };
static const uint16_t offset_base[256] = {BASES_32(0x000), BASES_32(0x100), BASES_32(0x200),
                                          BASES_32(0x300), BASES_32(0x400), BASES_32(0x500),
                                          BASES_32(0x600), BASES_32(0x700)};
/* By kind: which of the bytes behind a tag belong to the offset. */
static const uint32_t offset_bytes[4] = {0, 0xff, 0xffff, 0};

static bool is_far(const state *s)
{
    return s->in_end - s->ip >= FAR && s->out_end - s->op >= FAR;
}

/* Both are known, so that choosing between them is a conditional move. */
#define WITHOUT_BRANCH(a, b) __asm__("" : "+r"(a), "+r"(b))

/* Elements FAR from both ends are copied in whole steps: a literal of 60 bytes or a copy of 64 with
 * what it overshoots, and all heads. Literals and copies follow each other without any order, so
 * that is not branched for: a literal is a copy from behind its tag, and the next tag is read for
 * both before it is known which one this is. Starts FAR_BACK behind the beginning; stops in front
 * of what it does not take and of what is wrong; true where it stops for the stretch's end. */
static bool decode_far(state *s)
{
    const uint8_t *ip = s->ip, *in_far = s->in_end - FAR;
    uint8_t *dst = s->dst;
    size_t at = (size_t)(s->op - dst), far = (size_t)(s->out_end - dst) - FAR;
    size_t tag = *ip;
    far = size_min(far, at + s->stretch);
    while (ip <= in_far && at <= far) {
        size_t kind = tag & 3, len = length_of[tag];
        size_t offset = (load_u32(ip + 1) & offset_bytes[kind]) + offset_base[tag];
        if (len == 0 || offset - 1 >= at)
            break;
        const uint8_t *copied = dst + at - offset, *written = ip + 1;
        const uint8_t *copy_end = ip + kind + 1, *literal_end = ip + (tag >> 2) + 2;
        size_t copy_tag = *copy_end, literal_tag = *literal_end;
        WITHOUT_BRANCH(copied, written);
        WITHOUT_BRANCH(copy_end, literal_end);
        WITHOUT_BRANCH(copy_tag, literal_tag);
        const uint8_t *from = kind ? copied : written;
        ip = kind ? copy_end : literal_end;
        tag = kind ? copy_tag : literal_tag;
        if (offset < FAR_BACK) {
            copy_back(dst + at, offset, len);
        } else {
            memcpy(dst + at, from, 16);
            if (len > 16)
                for (size_t i = 16; i < len; i += 16)
                    memcpy(dst + at + i, from + i, 16);
        }
        at += len;
    }
    s->ip = ip;
    s->op = dst + at;
    return at > far;
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
static void decode_pairs(state *s)
{
    const uint8_t *ip = s->ip, *in_far = s->in_end - FAR;
    uint8_t *dst = s->dst, *op = s->op, *out_far = s->out_end - FAR;
    while (ip <= in_far && op <= out_far) {
        size_t literal = *ip;
        if ((literal & 3) || literal > PAIR_LITERAL)
            break;
        uint64_t copy = load_u64(ip + 2) >> (2 * literal);
        size_t tag = (uint8_t)copy, kind = copy & 3, len = length_of[tag];
        size_t offset = ((copy >> 8) & offset_bytes[kind]) + offset_base[tag];
        uint8_t *to = op + literal / 4 + 1;
        memcpy(op, ip + 1, 8);
        if (offset > (size_t)(to - dst))
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
static void decode_fast(state *s)
{
    do {
        const uint8_t *before = s->op;
        decode_pairs(s);
        s->stretch =
            s->op - before > PAIRS_FEW ? STRETCH_LEAST : size_min(2 * s->stretch, STRETCH_MOST);
    } while (is_far(s) && decode_far(s) && is_far(s));
}

/* One element, with every check; false where it is damaged. */
static bool decode_one(state *s)
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
    for (size_t i = 0; i < len; i++)
        s->op[i] = from[i];
    s->op += len;
    return true;
}

nrw_status snappy_block_decode(span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    uint64_t len;
    if (!preamble(&src, &len))
        return codec_damaged("snappy", err);
    if (len != dst_len)
        return codec_wrong_size("snappy", len, dst_len, err);
    state s = {src.data, src.data + src.len, dst, dst, dst + dst_len, STRETCH_LEAST};
    while (s.ip < s.in_end) {
        if (is_far(&s) && s.op - dst >= FAR_BACK)
            decode_fast(&s);
        if (!decode_one(&s))
            return codec_damaged("snappy", err);
    }
    return s.op == s.out_end ? NRW_OK
                             : codec_wrong_size("snappy", (uint64_t)(s.op - dst), dst_len, err);
}
