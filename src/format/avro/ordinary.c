/* What makes reading fast: the place in the block stays in a register, lengths and numbers are
 * taken from whole words, and nothing has to be told, since whatever is not as usual is left to
 * decode.c, which does the step from its start. */
#include "format/avro/ordinary.h"

#include "base/utf8.h"
#include "base/varint.h"
#include "format/avro/pass.h"
#include "format/avro/word.h"

/* ---- values ---- */

static inline const uint8_t *whole_number(const uint8_t *p, av_op op, av_slot *s)
{
    uint64_t x;
    int64_t value;
    int32_t narrow;

    p = av_number(p, &x);
    if (!p)
        return NULL;
    value = unzigzag(x);
    narrow = (int32_t)value;
    if (op != AV_OP_LONG && value != narrow)
        return NULL;
    if (op == AV_OP_INT)
        memcpy(av_slot_place(s, 4), &narrow, 4);
    else
        memcpy(av_slot_place(s, 8), &value, 8);
    return p;
}

static inline const uint8_t *copied(const uint8_t *p, const uint8_t *end, uint32_t n, av_slot *s)
{
    if (n > (size_t)(end - p))
        return NULL;
    if (n == 8)
        memcpy(av_slot_place(s, 8), p, 8);
    else if (n == 4)
        memcpy(av_slot_place(s, 4), p, 4);
    else
        memcpy(av_slot_place(s, n), p, n);
    return p + n;
}

/* A view as two words: put together in memory it would be read back before it has arrived there. */
static inline void put_view(av_slot *s, uint64_t low, uint64_t high)
{
    uint8_t *to = av_slot_place(s, sizeof(view));

    store_u64(to, low);
    store_u64(to + 8, high);
}

/* Text of up to twelve bytes at p, sixteen of which can be read. */
static inline bool put_short(av_slot *s, const uint8_t *p, size_t len, bool utf8)
{
    const bool ascii = short_view(p, len, s->data + (size_t)s->len * sizeof(view));

    if (utf8 && !ascii && !utf8_valid(p, len))
        return false;
    s->len++;
    return true;
}

/* Of more than twelve bytes. Lengths differ from row to row, so that up to 64 bytes are looked at
 * without asking how many there are. */
static inline bool long_is_ascii(const uint8_t *p, const uint8_t *end, size_t len)
{
    uint64_t high;

    if (len <= 64 && end - p >= 64)
        return high_bits_64(p) << (64 - len) == 0;
    high = load_u64(p + len - 8);
    for (size_t i = 0; i + 8 < len; i += 8)
        high |= load_u64(p + i);
    return (high & AV_HIGH_BITS) == 0;
}

/* Text of more than twelve bytes at p. */
static inline bool put_long(av_slot *s, const av_run *r, const uint8_t *p, size_t len, bool utf8)
{
    if (utf8 && !long_is_ascii(p, r->end, len) && !utf8_valid(p, len))
        return false;
    put_view(s, len | (uint64_t)load_u32(p) << 32, (uint64_t)(p - r->base) << 32);
    s->views = true;
    return true;
}

static inline __attribute__((always_inline)) const uint8_t *text(const uint8_t *p, const av_run *r,
                                                                 bool utf8, av_slot *s)
{
    size_t len;
    bool put;

    p = av_length(p, r->end, &len);
    if (!p)
        return NULL;
    put = len > VIEW_INLINE ? put_long(s, r, p, len, utf8) : put_short(s, p, len, utf8);
    return put ? p + len : NULL;
}

/* A big-endian number of up to eight bytes, which are there: AV_AHEAD is more than its length and
 * they have. */
static inline const uint8_t *decimal(const uint8_t *p, const av_step *step, av_slot *s)
{
    const uint32_t width = s->width;
    uint64_t len = step->n;
    int64_t value[2];
    uint8_t *to;

    if (step->op == AV_OP_DECIMAL) {
        p = av_number(p, &len);
        len = av_unsigned(len);
    }
    if (!p || len - 1 >= 8 || len > width || width > 16)
        return NULL;
    value[0] = (int64_t)__builtin_bswap64(load_u64(p)) >> (64 - 8 * len);
    value[1] = value[0] >> 63;
    to = av_slot_place(s, width);
    if (width == 8)
        memcpy(to, value, 8);
    else if (width == 16)
        memcpy(to, value, 16);
    else
        memcpy(to, value, 4);
    return p + len;
}

static inline const uint8_t *symbol(const uint8_t *p, const av_step *step, av_slot *s)
{
    const uint8_t b = *p;

    if (b > 127 || (b & 1) || b / 2u >= step->n)
        return NULL;
    store_u32(av_slot_place(s, 4), b / 2u);
    return p + 1;
}

static inline const uint8_t *truth(const uint8_t *p, av_slot *s)
{
    if (*p > 1)
        return NULL;
    *(uint8_t *)av_slot_place(s, 1) = *p;
    return p + 1;
}

/* The branch number of null and another type; *step goes to what is there. */
static inline const uint8_t *branch(const av_run *r, const av_step *steps, const av_step **step,
                                    const uint8_t *p)
{
    const av_step *at = *step;
    const uint32_t b = *p / 2u;

    if ((*p & 1) || b > (at->null != UINT32_MAX))
        return NULL;
    if (b != at->null) {
        *step = at + 1;
        return p + 1;
    }
    if (at->slots > 1 || (at->slots == 1 && av_slot_null(&r->slots[at->slot], NULL) != NRW_OK))
        return NULL;
    *step = steps + at->end;
    return p + 1;
}

static inline bool has_room(const av_slot *s)
{
    return __builtin_expect(s->len < s->cap, 1);
}

uint32_t av_ordinary(av_run *r, const av_step *steps, uint32_t at, uint32_t end, bool records)
{
    const uint8_t *p = r->p, *const block_end = r->end, *last, *next;
    const av_step *step, *fence;
    av_slot *const slots = r->slots;
    av_place place;

/* The value of a step with a slot: it is left alone if the slot is full. */
#define VALUE(call)                                                                                \
    do {                                                                                           \
        av_slot *s = &slots[step->slot];                                                           \
        next = has_room(s) ? (call) : NULL;                                                        \
    } while (0)

    if (at >= end || block_end - p < AV_AHEAD || r->own)
        return at;
    step = steps + at;
    fence = steps + end;
    last = block_end - AV_AHEAD;
    for (;;) {
        if (step == fence) {
            if (!records || r->left <= 1)
                break;
            r->left--;
            av_begin_record(r, p);
            step = steps;
        }
        if (p > last)
            break;
        switch ((av_op)step->op) {
        case AV_OP_BOOL: VALUE(truth(p, s)); break;
        case AV_OP_INT: VALUE(whole_number(p, AV_OP_INT, s)); break;
        case AV_OP_INT_WIDE: VALUE(whole_number(p, AV_OP_INT_WIDE, s)); break;
        case AV_OP_LONG: VALUE(whole_number(p, AV_OP_LONG, s)); break;
        case AV_OP_COPY: VALUE(copied(p, block_end, step->n, s)); break;
        case AV_OP_TEXT: VALUE(text(p, r, true, s)); break;
        case AV_OP_BYTES: VALUE(text(p, r, false, s)); break;
        case AV_OP_ENUM: VALUE(symbol(p, step, s)); break;
        case AV_OP_DECIMAL:
        case AV_OP_DECIMAL_FIX: VALUE(decimal(p, step, s)); break;
        case AV_OP_STRUCT: VALUE((s->len++, p)); break;
        case AV_OP_NULLABLE:
            next = branch(r, steps, &step, p);
            step -= next != NULL;
            break;
        case AV_OP_JUMP: step = steps + step->end; continue;
        case AV_OP_SKIP_FIXED:
        case AV_OP_SKIP_VARINT:
        case AV_OP_SKIP_BYTES:
            place = av_pass(r, step, p, last);
            p = place.p;
            if (place.step == step)
                goto out; /* it is left to decode.c */
            step = place.step;
            continue;
        case AV_OP_NULL:
        case AV_OP_UUID_TEXT:
        case AV_OP_BIG_DECIMAL:
        case AV_OP_ENUM_MAP:
        case AV_OP_INT_FLOAT:
        case AV_OP_INT_DOUBLE:
        case AV_OP_FLOAT_DOUBLE:
        case AV_OP_JSON:
        case AV_OP_LIST:
        case AV_OP_UNION:
        case AV_OP_BRANCH:
        case AV_OP_NULLS:
        case AV_OP_CHOOSE:
        case AV_OP_DEFAULT:
        case AV_OP_NOT_NULL:
        case AV_OP_FAIL:
        case AV_OP_SKIP_LIST:
        case AV_OP_SKIP_TYPE: next = NULL; break;
        default: __builtin_unreachable(); /* so that the jump needs no check */
        }
        if (!next)
            break;
        p = next;
        step++;
    }
out:
#undef VALUE
    r->p = p;
    return (uint32_t)(step - steps);
}
