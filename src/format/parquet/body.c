#include "format/parquet/body.h"

body body_memory(buffer *buf, const uint8_t *data, size_t len)
{
    return (body){.kind = BODY_MEMORY, .len = len, .data = data, .buf = buf};
}

body body_region(spill *s, uint64_t at, size_t len)
{
    return (body){.kind = BODY_REGION, .len = len, .s = s, .at = at};
}

body body_file(io_file *f, uint64_t at, size_t len)
{
    return (body){.kind = BODY_FILE, .len = len, .f = f, .at = at};
}

nrw_status body_read(const body *b, size_t pos, void *dst, size_t n, nrw_error *err)
{
    if (n == 0)
        return NRW_OK;
    if (pos > b->len || n > b->len - pos)
        return err_set(err, NRW_E_CORRUPT, "the page ends at byte %zu, %zu bytes from %zu are used",
                       b->len, n, pos);
    switch (b->kind) {
    case BODY_MEMORY: memcpy(dst, b->data + pos, n); return NRW_OK;
    case BODY_REGION: return spill_region_read(b->s, b->at + pos, dst, n, err);
    case BODY_FILE: return file_read(b->f, b->at + pos, dst, n, err);
    case BODY_NONE: break;
    }
    return err_set(err, NRW_E_CORRUPT, "the page has no bytes");
}

nrw_status body_spill(body *b, spill *s, nrw_error *err)
{
    uint64_t at;
    nrw_status st;

    TRY(spill_region(s, b->len, &at, err));
    st = spill_region_write(s, at, (span){b->data, b->len}, err);
    if (st < 0) {
        spill_region_free(s, at, b->len);
        return st;
    }
    buffer_unref(b->buf);
    *b = body_region(s, at, b->len);
    return NRW_OK;
}

void body_release(body *b)
{
    if (b->kind == BODY_MEMORY)
        buffer_unref(b->buf);
    else if (b->kind == BODY_REGION)
        spill_region_free(b->s, b->at, b->len);
    *b = (body){0};
}

void cursor_close(cursor *c)
{
    if (c->window)
        mem_free(c->m, c->window, c->window_cap + BUFFER_SLACK);
    *c = (cursor){0};
}

void cursor_sleep(cursor *c)
{
    c->next = cursor_pos(c);
    if (c->window)
        mem_free(c->m, c->window, c->window_cap + BUFFER_SLACK);
    c->window = NULL;
    c->p = c->end = NULL;
}

void cursor_open(cursor *c, mem *m, const body *b, size_t from, size_t to)
{
    if (c->window && (b->kind == BODY_MEMORY || c->m != m))
        cursor_close(c);
    c->m = m;
    c->b = b;
    c->limit = to;
    if (b->kind == BODY_MEMORY) {
        c->p = b->data + from;
        c->end = b->data + to;
        c->next = to;
    } else {
        c->p = c->end = c->window;
        c->next = from;
    }
}

static nrw_status window_alloc(cursor *c, nrw_error *err)
{
    void *p = NULL;

    for (size_t cap = CURSOR_WINDOW; cap > CURSOR_WINDOW_MIN; cap /= 4) {
        if (mem_room(c->m) / 32 < cap)
            continue;
        p = mem_try_alloc(c->m, cap + BUFFER_SLACK);
        if (p) {
            c->window_cap = cap;
            break;
        }
    }
    if (!p) {
        TRY(mem_alloc(c->m, CURSOR_WINDOW_MIN + BUFFER_SLACK, &p, err));
        c->window_cap = CURSOR_WINDOW_MIN;
    }
    c->window = p;
    memset(c->window + c->window_cap, 0, BUFFER_SLACK);
    c->p = c->end = c->window;
    return NRW_OK;
}

nrw_status cursor_fill(cursor *c, size_t n, nrw_error *err)
{
    size_t have, more;

    if (cursor_at_hand(c) >= n || c->next == c->limit)
        return NRW_OK;
    if (!c->window)
        TRY(window_alloc(c, err));
    have = cursor_at_hand(c);
    memmove(c->window, c->p, have);
    c->p = c->window;
    c->end = c->window + have;
    more = size_min(c->window_cap - have, c->limit - c->next);
    TRY(body_read(c->b, c->next, c->window + have, more, err));
    c->end += more;
    c->next += more;
    /* kernels load past the end: let them see the same zeros each time */
    memset((uint8_t *)c->window + have + more, 0, BUFFER_SLACK);
    return NRW_OK;
}

nrw_status cursor_wake(cursor *c, nrw_error *err)
{
    return cursor_need(c, 1, err);
}

static nrw_status too_short(const cursor *c, uint64_t n, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "%zu bytes are left in the page, %llu are needed",
                   cursor_left(c), (unsigned long long)n);
}

nrw_status cursor_copy(cursor *c, void *dst, size_t n, nrw_error *err)
{
    size_t k = size_min(n, cursor_at_hand(c));

    if (n > cursor_left(c))
        return too_short(c, n, err);
    if (k) {
        memcpy(dst, c->p, k);
        c->p += k;
        n -= k;
    }
    if (n == 0)
        return NRW_OK;
    dst = (uint8_t *)dst + k;
    if (n >= CURSOR_WINDOW_MIN) {
        TRY(body_read(c->b, c->next, dst, n, err));
        c->next += n;
        return NRW_OK;
    }
    TRY(cursor_need(c, n, err));
    memcpy(dst, c->p, n);
    c->p += n;
    return NRW_OK;
}

nrw_status cursor_skip(cursor *c, uint64_t n, nrw_error *err)
{
    size_t k;

    if (n > cursor_left(c))
        return too_short(c, n, err);
    k = size_min((size_t)n, cursor_at_hand(c));
    if (k)
        c->p += k;
    c->next += (size_t)n - k;
    return NRW_OK;
}

nrw_status cursor_varint(cursor *c, uint64_t *out, nrw_error *err)
{
    uint64_t v = 0;
    const uint8_t *p, *end;

    TRY(cursor_need(c, 10, err));
    p = c->p;
    end = c->end;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t b = *p++;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            c->p = p;
            *out = v;
            return NRW_OK;
        }
    }
    return err_set(err, NRW_E_CORRUPT, "a variable-length integer is %s",
                   p == end ? "cut off" : "longer than 64 bits");
}
