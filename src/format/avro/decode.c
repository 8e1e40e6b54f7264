/* Steps carried out: the inner loop of reading. */
#include "format/avro/program.h"

#include "base/utf8.h"
#include "format/avro/cursor.h"
#include "format/avro/ordinary.h"
#include "format/avro/value.h"

/* ---- pieces of values; NRW_END: they go on behind the end ---- */

static nrw_status too_long(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a number is longer than 10 bytes");
}

static inline nrw_status take_long(av_run *r, int64_t *x, nrw_error *err)
{
    int got;

    if (r->p < r->end && *r->p < 128) {
        uint8_t b = *r->p++;
        *x = (int64_t)(b >> 1) ^ -(int64_t)(b & 1);
        return NRW_OK;
    }
    got = av_varint(&r->p, r->end, x);
    return got > 0 ? NRW_OK : got < 0 ? too_long(err) : NRW_END;
}

static inline nrw_status take(av_run *r, int64_t len, const uint8_t **out, nrw_error *err)
{
    if (len > r->end - r->p)
        return NRW_END;
    if (len < 0)
        return err_set(err, NRW_E_CORRUPT, "a length is negative");
    *out = r->p;
    r->p += len;
    return NRW_OK;
}

#define STEP(expr)                                                                                 \
    do {                                                                                           \
        nrw_status step_st_ = (expr);                                                              \
        if (__builtin_expect(step_st_ != NRW_OK, 0))                                               \
            return step_st_;                                                                       \
    } while (0)

static inline nrw_status take_text(av_run *r, span *out, nrw_error *err)
{
    int64_t len = 0;

    STEP(take_long(r, &len, err));
    STEP(take(r, len, &out->data, err));
    out->len = (size_t)len;
    return NRW_OK;
}

static nrw_status no_branch(uint32_t n, int64_t branch, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a union of %u branches has none of number %lld", n,
                   (long long)branch);
}

/* ---- single values ---- */

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

static inline nrw_status read_single(av_run *r, const av_step *step, nrw_error *err)
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

/* What has no step of its own behind one that is stepped over: fixed bytes of other columns. */
static nrw_status skip_behind(av_run *r, const av_step *step, const char **name, nrw_error *err)
{
    const uint8_t *p;
    nrw_status st = take(r, step->then, &p, err);

    if (__builtin_expect(st != NRW_OK, 0) && !*name)
        *name = "";
    return st;
}

/* The branch number in front of an element that may be null. */
static nrw_status skip_branch(av_run *r, const av_step *step, bool *null, nrw_error *err)
{
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    *null = branch == step->null;
    return branch >= 0 && branch < 2 ? NRW_OK : no_branch(2, branch, err);
}

static nrw_status skip_element(av_run *r, const av_step *step, const char **name, nrw_error *err)
{
    const uint8_t *p;
    int64_t x = 0;
    span text = {0};
    bool null = false;

    if (step->maybe)
        STEP(skip_branch(r, step, &null, err));
    if (null)
        return skip_behind(r, step, name, err);
    if (step->op == AV_OP_SKIP_FIXED)
        STEP(take(r, step->n, &p, err));
    else if (step->op == AV_OP_SKIP_BYTES)
        STEP(take_text(r, &text, err));
    else
        for (uint32_t i = 0; i < step->n; i++)
            STEP(take_long(r, &x, err));
    return skip_behind(r, step, name, err);
}

/* ---- nested ---- */

static nrw_status run(av_run *r, const av_step *steps, uint32_t at, uint32_t end, const char **name,
                      nrw_error *err);

/* The next block of a list: how many items, and their bytes where they are said (else -1). 0 items
 * end the list. More than can be there is NRW_END: who has the whole block knows that it is wrong.
 */
static nrw_status next_items(av_run *r, const av_step *step, int64_t *n, int64_t *size,
                             nrw_error *err)
{
    *size = -1;
    STEP(take_long(r, n, err));
    if (*n < 0) {
        STEP(take_long(r, size, err));
        if (*size < 0 || *n == INT64_MIN)
            return err_set(err, NRW_E_CORRUPT, "a block of items has a wrong size");
        if (*size > r->end - r->p)
            return NRW_END;
        *n = -*n;
    }
    return step->n && *n > (r->end - r->p) / step->n ? NRW_END : NRW_OK;
}

/* The steps of the list at `at`, n times. */
static nrw_status run_items(av_run *r, const av_step *steps, uint32_t at, int64_t n,
                            const char **name, nrw_error *err)
{
    for (; n > 0; n--) {
        const uint8_t *before = r->p;
        STEP(run(r, steps, at + 1, steps[at].end, name, err));
        if (r->p == before)
            TRY(av_empty_item(&r->empty, err));
    }
    return NRW_OK;
}

static nrw_status read_list(av_run *r, const av_step *steps, uint32_t at, const char **name,
                            nrw_error *err)
{
    const av_step *step = &steps[at];
    av_slot *s = &r->slots[step->slot];
    int64_t n = 0, size = 0;

    STEP(av_slot_room(s, err));
    for (;;) {
        STEP(next_items(r, step, &n, &size, err));
        if (n == 0)
            break;
        const uint8_t *start = r->p;
        STEP(run_items(r, steps, at, n, name, err));
        if (size >= 0 && r->p - start != size)
            return err_set(err, NRW_E_CORRUPT, "items of %lld bytes were announced with %lld",
                           (long long)(r->p - start), (long long)size);
    }
    ((uint32_t *)(void *)s->data)[++s->len] = s[1].len;
    return NRW_OK;
}

static nrw_status skip_list(av_run *r, const av_step *steps, uint32_t at, const char **name,
                            nrw_error *err)
{
    const av_step *step = &steps[at];
    int64_t n = 0, size = 0;

    for (;;) {
        STEP(next_items(r, step, &n, &size, err));
        if (n == 0)
            return NRW_OK;
        if (size >= 0)
            r->p += size;
        else if (step->body_fixed)
            r->p += n * step->n; /* as many are there: see next_items */
        else
            STEP(run_items(r, steps, at, n, name, err));
    }
}

/* Nulls for the columns that begin in slots [first, end). */
static nrw_status nulls(av_run *r, uint32_t first, uint32_t end, nrw_error *err)
{
    while (first < end) {
        TRY(av_slot_null(&r->slots[first], err));
        first += 1 + r->slots[first].below;
    }
    return NRW_OK;
}

/* Goes to the steps of the branch that is there. */
static nrw_status enter_branch(av_run *r, const av_step *steps, uint32_t *at, nrw_error *err)
{
    const av_step *u = &steps[*at];
    uint32_t link = *at + 1, first = u->slot + u->whole;
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch >= u->n)
        return no_branch(u->n, branch, err);
    for (int64_t i = 0; i < branch; i++)
        link = steps[link].end;
    *at = link + 1;
    if (u->slots == 0)
        return NRW_OK;
    if (branch == u->null)
        return nulls(r, u->slot, u->slot + u->slots, err);
    if (u->whole) {
        STEP(av_slot_room(&r->slots[u->slot], err));
        r->slots[u->slot].len++;
    }
    TRY(nulls(r, first, steps[link].slot, err));
    return nulls(r, steps[link].slot + steps[link].slots, u->slot + u->slots, err);
}

static nrw_status enter_nullable(av_run *r, const av_step *steps, uint32_t *at, nrw_error *err)
{
    const av_step *step = &steps[*at];
    uint32_t branches = step->null == UINT32_MAX ? 1 : 2;
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch >= branches)
        return no_branch(branches, branch, err);
    if (branch != step->null) {
        ++*at;
        return NRW_OK;
    }
    *at = step->end;
    return nulls(r, step->slot, step->slot + step->slots, err);
}

static nrw_status choose(av_run *r, const av_step *step, nrw_error *err)
{
    const uint32_t child = step->data, end = step->slot + step->slots;

    if (step->whole) {
        STEP(av_slot_room(&r->slots[step->slot], err));
        r->slots[step->slot].len++;
    }
    TRY(nulls(r, step->slot + step->whole, child, err));
    return nulls(r, child + step->n, end, err);
}

static nrw_status not_null(av_run *r, const av_step *step, nrw_error *err)
{
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch > 1)
        return no_branch(2, branch, err);
    return branch != step->null
               ? NRW_OK
               : err_set(err, NRW_E_VALUE, "null has no place in the schema that is read by");
}

static nrw_status read_default(av_run *r, const av_step *steps, uint32_t at, const char **name,
                               nrw_error *err)
{
    const av_step *step = &steps[at];
    const uint8_t *p = r->p, *end = r->end;
    const bool own = r->own;
    nrw_status st;

    r->p = r->program->data.data + step->data;
    r->end = r->p + step->n;
    r->own = true;
    st = run(r, steps, at + 1, step->end, name, err);
    r->p = p;
    r->end = end;
    r->own = own;
    return st;
}

/* Steps that only a schema of the reader asks for. */
static nrw_status run_resolving(av_run *r, const av_step *steps, uint32_t *at, const char **name,
                                nrw_error *err)
{
    const av_step *step = &steps[*at];
    nrw_status st;

    switch ((av_op)step->op) {
    case AV_OP_NULLS: st = nulls(r, step->slot, step->slot + step->slots, err); break;
    case AV_OP_CHOOSE: st = choose(r, step, err); break;
    case AV_OP_NOT_NULL: st = not_null(r, step, err); break;
    case AV_OP_DEFAULT:
        st = read_default(r, steps, *at, name, err);
        *at = step->end;
        return st;
    default:
        st = err_set(err, NRW_E_VALUE,
                     "a value of type %.100s has no place in the schema that is "
                     "read by",
                     step->type->name);
        break;
    }
    ++*at;
    return st;
}

/* One step that is not as usual, or of a kind that av_ordinary does not know; *at goes on. On
 * failure *name is the field where it was. */
static nrw_status run_step(av_run *r, const av_step *steps, uint32_t *at, const char **name,
                           nrw_error *err)
{
    const av_step *step = &steps[*at];
    nrw_status st = NRW_OK;

    switch ((av_op)step->op) {
    case AV_OP_NULLABLE: st = enter_nullable(r, steps, at, err); break;
    case AV_OP_UNION: st = enter_branch(r, steps, at, err); break;
    case AV_OP_JUMP: *at = step->end; break;
    case AV_OP_LIST:
        st = read_list(r, steps, *at, name, err);
        *at = step->end;
        break;
    case AV_OP_SKIP_LIST:
        st = skip_list(r, steps, *at, name, err);
        *at = step->end;
        break;
    case AV_OP_NULLS:
    case AV_OP_CHOOSE:
    case AV_OP_DEFAULT:
    case AV_OP_NOT_NULL:
    case AV_OP_FAIL: st = run_resolving(r, steps, at, name, err); break;
    default:
        if (av_is_element(step->op))
            st = skip_element(r, step, name, err);
        else if (step->op == AV_OP_SKIP_TYPE)
            st = av_json(step->type, &r->p, r->end, &r->empty, NULL, err);
        else
            st = read_single(r, step, err);
        ++*at;
        break;
    }
    if (__builtin_expect(st != NRW_OK, 0) && !*name)
        *name = step->name;
    return st;
}

/* Steps [at, end) of a program. */
static nrw_status run(av_run *r, const av_step *steps, uint32_t at, uint32_t end, const char **name,
                      nrw_error *err)
{
    while ((at = av_ordinary(r, steps, at, end, false)) < end)
        STEP(run_step(r, steps, &at, name, err));
    return NRW_OK;
}

static nrw_status run_records(av_run *r, const char **name, nrw_error *err)
{
    const av_step *steps = r->program->steps;
    const uint32_t end = r->program->n_steps;

    for (; r->left > 0; r->left--) {
        uint32_t at = 0;
        av_begin_record(r, r->p);
        while ((at = av_ordinary(r, steps, at, end, true)) < end)
            STEP(run_step(r, steps, &at, name, err));
    }
    return NRW_OK;
}

nrw_status av_decode(av_run *r, nrw_error *err)
{
    const char *name = NULL;
    nrw_status st = run_records(r, &name, err);

    if (st == NRW_END)
        st = err_set(err, NRW_E_CORRUPT, "a value goes on behind the end of the block");
    if (st < 0 && name)
        err_at_column(err, name);
    return st;
}

nrw_status av_skip(av_run *r, nrw_error *err)
{
    const char *name = NULL;
    nrw_status st;

    av_begin_record(r, r->p);
    st = run(r, r->program->skip, 0, r->program->n_skip, &name, err);
    if (st < 0 && name)
        err_at_column(err, name);
    return st;
}
