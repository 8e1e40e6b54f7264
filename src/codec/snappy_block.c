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

/* Elements this far from both ends are copied in whole steps: a literal of 60 bytes or a copy of 64
 * with what it overshoots, and all heads. Behind the first bytes, so that an offset of FAR_BACK,
 * which stands for a literal's, is always a valid one. */
enum { FAR = 80, FAR_BACK = 8 };

/* Literals and copies follow each other without any order, so that is not branched for: a literal
 * is a copy from behind its tag. Stops in front of what it does not take and of what is wrong. */
static void decode_far(state *s)
{
    static const uint32_t offset_bytes[4] = {0, 0xff, 0xffff, 0};
    const uint8_t *ip = s->ip, *in_far = s->in_end - FAR;
    uint8_t *op = s->op, *out_far = s->out_end - FAR;
    while (ip <= in_far && op <= out_far) {
        unsigned tag = *ip, kind = tag & 3;
        size_t len = length_of[tag], literal = -(size_t)(kind == 0);
        size_t high = (tag & 0xe0) << 3 & -(size_t)(kind == 1);
        size_t offset = (load_u32(ip + 1) & offset_bytes[kind]) | high | (literal & FAR_BACK);
        if (len == 0)
            break;
        if (offset - FAR_BACK > (size_t)(op - s->dst) - FAR_BACK) {
            if (offset == 0 || offset > (size_t)(op - s->dst))
                break;
            copy_back(op, offset, len);
        } else {
            uintptr_t copied = (uintptr_t)op - offset, written = (uintptr_t)ip + 1;
            const uint8_t *from = (const uint8_t *)((copied & ~literal) | (written & literal));
            memcpy(op, from, 8);
            memcpy(op + 8, from + 8, 8);
            if (len > 16)
                for (size_t i = 16; i < len; i += 8)
                    memcpy(op + i, from + i, 8);
        }
        ip = kind ? ip + kind + 1 : ip + (tag >> 2) + 2; /* sooner known than len */
        op += len;
    }
    s->ip = ip;
    s->op = op;
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
    state s = {src.data, src.data + src.len, dst, dst, dst + dst_len};
    while (s.ip < s.in_end) {
        if (s.in_end - s.ip >= FAR && s.out_end - s.op >= FAR && s.op - dst >= FAR_BACK)
            decode_far(&s);
        if (!decode_one(&s))
            return codec_damaged("snappy", err);
    }
    return s.op == s.out_end ? NRW_OK
                             : codec_wrong_size("snappy", (uint64_t)(s.op - dst), dst_len, err);
}
