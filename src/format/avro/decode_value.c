/* Values read into their slots, one at a time, with every check. */
#include "format/avro/decode_own.h"

#include "base/utf8.h"
#include "format/avro/value.h"

static nrw_status read_long(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    int64_t x = 0;
    int32_t narrow;

    STEP(take_long(r, &x, err));
    if (step->op == AV_OP_LONG) {
        memcpy(av_slot_place(s, 8), &x, 8);
        return NRW_OK;
    }
    narrow = (int32_t)x;
    if (x != narrow)
        return err_set(err, NRW_E_CORRUPT, "an int is larger than 32 bits");
    if (step->op == AV_OP_INT)
        memcpy(av_slot_place(s, 4), &narrow, 4);
    else
        memcpy(av_slot_place(s, 8), &x, 8);
    return NRW_OK;
}

static inline void put_view(av_run *r, av_slot *s, span text)
{
    view w = view_make(text.data, (int32_t)text.len, 0, (int32_t)(text.data - r->base));

    s->views |= text.len > VIEW_INLINE;
    memcpy(av_slot_place(s, sizeof w), &w, sizeof w);
}

/* Text that is put together: a big decimal, a value as JSON, a default. */
static nrw_status put_own(av_slot *s, span text, nrw_error *err)
{
    int32_t offset;
    view w;

    TRY(av_slot_text(s, text, &offset, err));
    w = view_make(text.data, (int32_t)text.len, 0, offset);
    s->views |= text.len > VIEW_INLINE;
    memcpy(av_slot_place(s, sizeof w), &w, sizeof w);
    return NRW_OK;
}

static inline bool is_ascii(span text)
{
    size_t i = 0;
    uint64_t high = 0;

    for (; i + 8 <= text.len; i += 8)
        high |= load_u64(text.data + i);
    for (; i < text.len; i++)
        high |= text.data[i];
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static nrw_status read_text(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    span text = {0};

    STEP(take_text(r, &text, err));
    if (step->op == AV_OP_TEXT && !is_ascii(text) && !utf8_valid(text.data, text.len))
        return err_set(err, NRW_E_CORRUPT, "bad UTF-8");
    if (r->own)
        return put_own(s, text, err);
    put_view(r, s, text);
    return NRW_OK;
}

static nrw_status read_enum(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    int64_t x = 0;

    STEP(take_long(r, &x, err));
    if (x < 0 || x >= step->n)
        return err_set(err, NRW_E_CORRUPT, "enum %.100s has no symbol %lld", step->type->name,
                       (long long)x);
    store_u32(av_slot_place(s, 4), (uint32_t)x);
    return NRW_OK;
}

static nrw_status read_enum_map(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    uint32_t symbol;
    int64_t x = 0;

    STEP(take_long(r, &x, err));
    if (x < 0 || x >= step->n)
        return err_set(err, NRW_E_CORRUPT, "enum %.100s has no symbol %lld", step->type->name,
                       (long long)x);
    symbol = load_u32(r->program->data.data + step->data + 4 * x);
    if (symbol == UINT32_MAX)
        return err_set(err, NRW_E_VALUE, "the schema that is read by has no symbol %.100s",
                       step->type->names[x]);
    store_u32(av_slot_place(s, 4), symbol);
    return NRW_OK;
}

/* "Schema Resolution": numbers that are promoted. */
static nrw_status read_promoted(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    const uint8_t *p;
    int64_t x = 0;
    double d;
    float f;

    if (step->op == AV_OP_FLOAT_DOUBLE) {
        STEP(take(r, 4, &p, err));
        memcpy(&f, p, 4);
        d = f;
    } else {
        STEP(take_long(r, &x, err));
        d = (double)x;
        f = (float)x;
    }
    if (step->op == AV_OP_INT_FLOAT)
        memcpy(av_slot_place(s, 4), &f, 4);
    else
        memcpy(av_slot_place(s, 8), &d, 8);
    return NRW_OK;
}

static nrw_status read_decimal(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    span value = {NULL, step->n};

    if (step->op == AV_OP_DECIMAL)
        STEP(take_text(r, &value, err));
    else
        STEP(take(r, step->n, &value.data, err));
    if (!av_decimal(value, s->width, s->data + (size_t)s->len * s->width))
        return err_set(err, NRW_E_VALUE, "a decimal has more than %d digits",
                       step->type->precision);
    s->len++;
    return NRW_OK;
}

static nrw_status read_big_decimal(av_run *r, av_slot *s, nrw_error *err)
{
    char room[AV_BIG_DECIMAL_MAX];
    span text = {0};

    STEP(take_text(r, &text, err));
    text.len = av_big_decimal(text, room);
    if (text.len == 0)
        return err_set(err, NRW_E_VALUE, "bytes are not a big-decimal");
    text.data = (const uint8_t *)room;
    return put_own(s, text, err);
}

static nrw_status read_json(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    bytes out = bytes_init(s->v.m, INT32_MAX);
    nrw_status st = av_json(step->type, &r->p, r->end, &r->empty, &out, err);

    if (st == NRW_OK)
        st = put_own(s, (span){out.data, out.len}, err);
    bytes_release(&out);
    return st;
}

static nrw_status read_uuid(av_run *r, av_slot *s, nrw_error *err)
{
    uint8_t value[16];
    span text = {0};

    STEP(take_text(r, &text, err));
    if (!av_uuid(text, value))
        return err_set(err, NRW_E_VALUE, "text of %zu bytes is not a UUID", text.len);
    memcpy(av_slot_place(s, 16), value, 16);
    return NRW_OK;
}

static nrw_status read_bool(av_run *r, av_slot *s, nrw_error *err)
{
    const uint8_t *p;

    STEP(take(r, 1, &p, err));
    if (*p > 1)
        return err_set(err, NRW_E_CORRUPT, "a boolean is neither 0 nor 1");
    *(uint8_t *)av_slot_place(s, 1) = *p;
    return NRW_OK;
}

static nrw_status read_copy(av_run *r, const av_step *step, av_slot *s, nrw_error *err)
{
    const uint8_t *p;

    STEP(take(r, step->n, &p, err));
    memcpy(av_slot_place(s, step->n), p, step->n);
    return NRW_OK;
}

nrw_status av_read_single(av_run *r, const av_step *step, nrw_error *err)
{
    av_slot *s = &r->slots[step->slot];

    STEP(av_slot_room(s, err));
    switch ((av_op)step->op) {
    case AV_OP_NULL: return av_slot_null(s, err);
    case AV_OP_BOOL: return read_bool(r, s, err);
    case AV_OP_INT:
    case AV_OP_INT_WIDE:
    case AV_OP_LONG: return read_long(r, step, s, err);
    case AV_OP_COPY: return read_copy(r, step, s, err);
    case AV_OP_TEXT:
    case AV_OP_BYTES: return read_text(r, step, s, err);
    case AV_OP_ENUM: return read_enum(r, step, s, err);
    case AV_OP_ENUM_MAP: return read_enum_map(r, step, s, err);
    case AV_OP_INT_FLOAT:
    case AV_OP_INT_DOUBLE:
    case AV_OP_FLOAT_DOUBLE: return read_promoted(r, step, s, err);
    case AV_OP_DECIMAL:
    case AV_OP_DECIMAL_FIX: return read_decimal(r, step, s, err);
    case AV_OP_UUID_TEXT: return read_uuid(r, s, err);
    case AV_OP_BIG_DECIMAL: return read_big_decimal(r, s, err);
    case AV_OP_STRUCT: s->len++; return NRW_OK;
    default: return read_json(r, step, s, err);
    }
}
