/* What makes reading fast: the place in the block stays in a register, lengths and numbers are
 * taken from whole words, and nothing has to be told, since whatever is not as usual is left to
 * decode.c, which does the step from its start. */
#include "format/avro/ordinary.h"

#include "format/avro/ordinary_value.h"
#include "format/avro/pass.h"

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
        case AV_OP_BOOL: VALUE(av_truth(p, s)); break;
        case AV_OP_INT: VALUE(av_whole_number(p, AV_OP_INT, s)); break;
        case AV_OP_INT_WIDE: VALUE(av_whole_number(p, AV_OP_INT_WIDE, s)); break;
        case AV_OP_LONG: VALUE(av_whole_number(p, AV_OP_LONG, s)); break;
        case AV_OP_COPY: VALUE(av_copied(p, block_end, step->n, s)); break;
        case AV_OP_TEXT: VALUE(av_text(p, r, true, s)); break;
        case AV_OP_BYTES: VALUE(av_text(p, r, false, s)); break;
        case AV_OP_ENUM: VALUE(av_symbol(p, step, s)); break;
        case AV_OP_DECIMAL:
        case AV_OP_DECIMAL_FIX: VALUE(av_small_decimal(p, step, s)); break;
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
