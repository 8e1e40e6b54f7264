/* Compact protocol, reading. Integers are zigzag varints; a struct is a row of field headers and
 * values up to a zero byte. */
#include "format/parquet/thrift.h"

#include "base/varint.h"

#include <stdarg.h>
#include <stdio.h>

thrift_in thrift_in_bytes(span b, uint64_t offset)
{
    static const uint8_t none;
    const uint8_t *p = b.data ? b.data : &none;
    /* The window is only read through p; refilling needs a file. */
    return (thrift_in){
        .p = p, .end = p + b.len, .window = (uint8_t *)(uintptr_t)p, .window_offset = offset};
}

thrift_in thrift_in_file(io_file *f, uint64_t from, uint64_t to, uint8_t *window, size_t cap)
{
    return (thrift_in){.p = window,
                       .end = window,
                       .file = f,
                       .window = window,
                       .window_cap = cap,
                       .next_offset = from,
                       .limit = to,
                       .window_offset = from};
}

nrw_status thrift_corrupt(const thrift_in *t, nrw_error *err, const char *fmt, ...)
{
    if (t->ended || !err)
        return NRW_E_CORRUPT;
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (t->file)
        err_at_object(err, t->file->name);
    err_at_offset(err, (int64_t)thrift_offset(t));
    return err_set(err, NRW_E_CORRUPT, "%s", text);
}

/* Moves the rest of the window to its front and reads behind it. At least `want` bytes (no more
 * than the window holds) are there afterwards, or the input ends too early. */
static nrw_status refill(thrift_in *t, size_t want, nrw_error *err)
{
    size_t have = (size_t)(t->end - t->p);
    if (want > thrift_left(t)) {
        if (t->partial)
            t->ended = true;
        return thrift_corrupt(t, err, "thrift structure ends too early");
    }
    size_t more = t->window_cap - have;
    if (more > t->limit - t->next_offset)
        more = (size_t)(t->limit - t->next_offset);
    t->window_offset = thrift_offset(t);
    memmove(t->window, t->p, have);
    t->p = t->window;
    t->end = t->window + have;
    TRY(file_read(t->file, t->next_offset, t->window + have, more, err));
    t->next_offset += more;
    t->end += more;
    return NRW_OK;
}

static inline nrw_status need(thrift_in *t, size_t n, nrw_error *err)
{
    return (size_t)(t->end - t->p) >= n ? NRW_OK : refill(t, n, err);
}

/* At most 10 bytes. The slow form asks for one byte at a time, since a varint may be the last. */
static nrw_status varint_slow(thrift_in *t, uint64_t *out, nrw_error *err)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        TRY(need(t, 1, err));
        uint8_t b = *t->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return NRW_OK;
        }
    }
    return thrift_corrupt(t, err, "integer of more than ten bytes");
}

static inline nrw_status varint(thrift_in *t, uint64_t *out, nrw_error *err)
{
    if (t->p < t->end && *t->p < 0x80) {
        *out = *t->p++;
        return NRW_OK;
    }
    return varint_slow(t, out, err);
}

nrw_status thrift_enter(thrift_in *t, int16_t *last, nrw_error *err)
{
    *last = 0;
    if (t->depth >= THRIFT_DEPTH)
        return thrift_corrupt(t, err, "structures nested more than %d deep", THRIFT_DEPTH);
    t->depth++;
    return NRW_OK;
}

nrw_status thrift_read_field(thrift_in *t, int16_t *last, thrift_field *f, nrw_error *err)
{
    TRY(need(t, 1, err));
    uint8_t b = *t->p++;
    *f = (thrift_field){.type = b & 15};
    if (b == THRIFT_STOP) {
        t->depth--;
        return NRW_OK;
    }
    if (f->type == THRIFT_STOP || f->type > THRIFT_UUID)
        return thrift_corrupt(t, err, "unknown field type %d", f->type);
    int64_t id = *last + (b >> 4);
    if (!(b >> 4))
        TRY(thrift_read_i64(t, &id, err));
    if (id < INT16_MIN || id > INT16_MAX)
        return thrift_corrupt(t, err, "field number %lld is out of range", (long long)id);
    f->id = *last = (int16_t)id;
    return NRW_OK;
}

nrw_status thrift_read_i64(thrift_in *t, int64_t *out, nrw_error *err)
{
    uint64_t v = 0;
    *out = 0;
    TRY(varint(t, &v, err));
    *out = unzigzag(v);
    return NRW_OK;
}

nrw_status thrift_read_i32(thrift_in *t, int32_t *out, nrw_error *err)
{
    int64_t v;
    *out = 0;
    TRY(thrift_read_i64(t, &v, err));
    if (v < INT32_MIN || v > INT32_MAX)
        return thrift_corrupt(t, err, "32-bit number out of range: %lld", (long long)v);
    *out = (int32_t)v;
    return NRW_OK;
}

nrw_status thrift_read_bool(thrift_in *t, bool *out, nrw_error *err)
{
    *out = false;
    TRY(need(t, 1, err));
    *out = *t->p++ == THRIFT_TRUE;
    return NRW_OK;
}

nrw_status thrift_read_length(thrift_in *t, size_t *len, nrw_error *err)
{
    uint64_t v = 0;
    *len = 0;
    TRY(varint(t, &v, err));
    uint64_t left = thrift_left(t);
    if (v > left) {
        if (t->partial && v <= INT32_MAX)
            t->ended = true;
        return thrift_corrupt(t, err, "text of %llu bytes where %llu are left",
                              (unsigned long long)v, (unsigned long long)left);
    }
    *len = (size_t)v;
    return NRW_OK;
}

nrw_status thrift_read_raw(thrift_in *t, void *dst, size_t len, nrw_error *err)
{
    uint8_t *to = dst;
    while (len) {
        TRY(need(t, 1, err));
        size_t n = size_min(len, (size_t)(t->end - t->p));
        memcpy(to, t->p, n);
        t->p += n;
        to += n;
        len -= n;
    }
    return NRW_OK;
}

nrw_status thrift_read_binary(thrift_in *t, arena *a, char **out, size_t *len, nrw_error *err)
{
    *out = NULL;
    TRY(thrift_read_length(t, len, err));
    void *p;
    nrw_status st = arena_alloc(a, *len + 1, &p, err);
    if (st >= 0)
        st = thrift_read_raw(t, p, *len, err);
    if (st < 0) {
        *len = 0;
        return st;
    }
    *out = p;
    return NRW_OK;
}

nrw_status thrift_read_list(thrift_in *t, uint8_t *type, uint32_t *n, nrw_error *err)
{
    *n = 0;
    *type = 0;
    TRY(need(t, 1, err));
    uint8_t b = *t->p++;
    uint64_t count = b >> 4;
    if (count == 15)
        TRY(varint(t, &count, err));
    uint8_t elem = b & 15;
    uint64_t left = thrift_left(t);
    if (count > left || count > UINT32_MAX) {
        if (t->partial && count <= INT32_MAX)
            t->ended = true;
        return thrift_corrupt(t, err, "list of %llu elements where %llu bytes are left",
                              (unsigned long long)count, (unsigned long long)left);
    }
    if (count && (elem == THRIFT_STOP || elem > THRIFT_UUID))
        return thrift_corrupt(t, err, "list of unknown type %d", elem);
    *type = elem;
    *n = (uint32_t)count;
    return NRW_OK;
}

nrw_status thrift_skip_raw(thrift_in *t, uint64_t len, nrw_error *err)
{
    uint64_t have = (uint64_t)(t->end - t->p);
    if (len <= have) {
        t->p += len;
        return NRW_OK;
    }
    if (len > thrift_left(t))
        return refill(t, SIZE_MAX, err);
    t->next_offset += len - have;
    t->window_offset = t->next_offset;
    t->p = t->end = t->window;
    return NRW_OK;
}

static nrw_status skip_map(thrift_in *t, nrw_error *err)
{
    uint64_t n = 0;
    TRY(varint(t, &n, err));
    if (!n)
        return NRW_OK;
    if (n > thrift_left(t) / 2)
        return thrift_corrupt(t, err, "map of %llu entries where %llu bytes are left",
                              (unsigned long long)n, (unsigned long long)thrift_left(t));
    TRY(need(t, 1, err));
    uint8_t types = *t->p++;
    while (n--) {
        TRY(thrift_skip_element(t, types >> 4, err));
        TRY(thrift_skip_element(t, types & 15, err));
    }
    return NRW_OK;
}

static inline nrw_status skip_varint(thrift_in *t, nrw_error *err)
{
    uint64_t unused;
    if (t->end - t->p >= 3) { /* most are short */
        const uint8_t *p = t->p;
        int n = p[0] < 0x80 ? 1 : p[1] < 0x80 ? 2 : p[2] < 0x80 ? 3 : 0;
        t->p += n;
        if (n)
            return NRW_OK;
    }
    return varint(t, &unused, err);
}

static inline nrw_status skip_binary(thrift_in *t, nrw_error *err)
{
    size_t len;
    if (t->p < t->end && *t->p < 0x80 && *t->p < t->end - t->p) {
        t->p += *t->p + 1;
        return NRW_OK;
    }
    TRY(thrift_read_length(t, &len, err));
    return thrift_skip_raw(t, len, err);
}

/* What lies open while a value is skipped: a struct, or the rest of a list. */
typedef struct skip_frame {
    uint32_t left;
    uint8_t type; /* of the elements; THRIFT_STRUCT with `in_struct`: fields follow */
    bool in_struct;
} skip_frame;

/* The type of the next value in the frame; THRIFT_STOP: the frame is at its end. Booleans in lists
 * are a byte, as THRIFT_I8. */
static inline nrw_status skip_next(thrift_in *t, skip_frame *f, uint8_t *type, nrw_error *err)
{
    if (!f->in_struct) {
        *type = f->left == 0 ? THRIFT_STOP : f->type <= THRIFT_FALSE ? THRIFT_I8 : f->type;
        f->left -= f->left > 0;
        return NRW_OK;
    }
    TRY(need(t, 1, err));
    uint8_t b = *t->p++;
    *type = b & 15;
    if (b == THRIFT_STOP)
        return NRW_OK;
    if (*type == THRIFT_STOP)
        return thrift_corrupt(t, err, "unknown field type 0");
    return b >> 4 ? NRW_OK : skip_varint(t, err);
}

/* A value without a stack of calls: a footer is mostly skipped, and may be big. */
static nrw_status skip_nested(thrift_in *t, skip_frame outer, nrw_error *err)
{
    skip_frame open[THRIFT_DEPTH];
    int depth = t->depth, n = 1;
    open[0] = outer;
    while (n > 0) {
        skip_frame *f = &open[n - 1];
        uint8_t type;
        TRY(skip_next(t, f, &type, err));
        switch (type) {
        case THRIFT_STOP: n--; continue;
        case THRIFT_TRUE:
        case THRIFT_FALSE: continue;
        case THRIFT_I16:
        case THRIFT_I32:
        case THRIFT_I64: TRY(skip_varint(t, err)); continue;
        case THRIFT_BINARY: TRY(skip_binary(t, err)); continue;
        case THRIFT_LIST:
        case THRIFT_SET:
        case THRIFT_STRUCT: break;
        default:
            t->depth = depth + n;
            TRY(thrift_skip(t, type, err));
            t->depth = depth;
            continue;
        }
        if (depth + n >= THRIFT_DEPTH)
            return thrift_corrupt(t, err, "structures nested more than %d deep", THRIFT_DEPTH);
        f = &open[n++];
        *f = (skip_frame){.in_struct = type == THRIFT_STRUCT};
        if (!f->in_struct)
            TRY(thrift_read_list(t, &f->type, &f->left, err));
    }
    return NRW_OK;
}

static nrw_status skip_compound(thrift_in *t, uint8_t type, nrw_error *err)
{
    skip_frame f = {.in_struct = type == THRIFT_STRUCT};
    int16_t unused;
    TRY(thrift_enter(t, &unused, err));
    t->depth--;
    if (type == THRIFT_MAP) {
        t->depth++;
        TRY(skip_map(t, err));
        t->depth--;
        return NRW_OK;
    }
    if (!f.in_struct)
        TRY(thrift_read_list(t, &f.type, &f.left, err));
    return skip_nested(t, f, err);
}

nrw_status thrift_skip(thrift_in *t, uint8_t type, nrw_error *err)
{
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE: return NRW_OK;
    case THRIFT_I8: return thrift_skip_raw(t, 1, err);
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64: return skip_varint(t, err);
    case THRIFT_DOUBLE: return thrift_skip_raw(t, 8, err);
    case THRIFT_UUID: return thrift_skip_raw(t, 16, err);
    case THRIFT_BINARY: return skip_binary(t, err);
    case THRIFT_LIST:
    case THRIFT_SET:
    case THRIFT_MAP:
    case THRIFT_STRUCT: return skip_compound(t, type, err);
    default: return thrift_corrupt(t, err, "unknown type %d", type);
    }
}

nrw_status thrift_skip_element(thrift_in *t, uint8_t type, nrw_error *err)
{
    bool boolean = type == THRIFT_TRUE || type == THRIFT_FALSE;
    return boolean ? thrift_skip_raw(t, 1, err) : thrift_skip(t, type, err);
}

nrw_status thrift_get_i64(thrift_in *t, thrift_field f, int64_t *out, bool *seen, nrw_error *err)
{
    if (f.type != THRIFT_I64)
        return thrift_skip(t, f.type, err);
    if (seen)
        *seen = true;
    return thrift_read_i64(t, out, err);
}

nrw_status thrift_get_i32(thrift_in *t, thrift_field f, int32_t *out, bool *seen, nrw_error *err)
{
    if (f.type != THRIFT_I32)
        return thrift_skip(t, f.type, err);
    if (seen)
        *seen = true;
    return thrift_read_i32(t, out, err);
}

nrw_status thrift_get_bool(thrift_in *t, thrift_field f, bool *out, bool *seen, nrw_error *err)
{
    if (f.type != THRIFT_TRUE && f.type != THRIFT_FALSE)
        return thrift_skip(t, f.type, err);
    if (seen)
        *seen = true;
    *out = f.type == THRIFT_TRUE;
    return NRW_OK;
}

nrw_status thrift_get_binary(thrift_in *t, thrift_field f, arena *a, char **out, size_t *len,
                             bool *seen, nrw_error *err)
{
    if (f.type != THRIFT_BINARY)
        return thrift_skip(t, f.type, err);
    if (seen)
        *seen = true;
    return thrift_read_binary(t, a, out, len, err);
}
