#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

/* The struct lies in front of its bytes, which stay aligned to 64 in page-backed blocks. */
#define HEAD 64

_Static_assert(sizeof(buffer) <= HEAD, "the head has room for the struct");

static bool whole_size(size_t cap, size_t *out)
{
    return size_add(cap, HEAD + BUFFER_SLACK, out);
}

static buffer *buffer_set_up(void *p, mem *m, size_t cap)
{
    buffer *b = p;

    *b = (buffer){.data = (uint8_t *)p + HEAD, .cap = cap, .m = m};
    atomic_init(&b->refs, 1);
    return b;
}

nrw_status buffer_new(mem *m, size_t cap, buffer **out, nrw_error *err)
{
    size_t size;
    void *p;

    *out = NULL;
    if (!whole_size(cap, &size))
        size = SIZE_MAX; /* refused with the account's own sentence */
    TRY(mem_alloc(m, size, &p, err));
    *out = buffer_set_up(p, m, cap);
    return NRW_OK;
}

buffer *buffer_try_new(mem *m, size_t cap)
{
    size_t size;
    void *p = whole_size(cap, &size) ? mem_try_alloc(m, size) : NULL;

    return p ? buffer_set_up(p, m, cap) : NULL;
}

/* What was asked for it. */
static size_t size_of(const buffer *b)
{
    return HEAD + b->dropped + b->cap + BUFFER_SLACK;
}

nrw_status buffer_resize(buffer **b, size_t cap, nrw_error *err)
{
    size_t whole, size;
    void *p = *b;

    if (!size_add(cap, (*b)->dropped, &whole) || !whole_size(whole, &size))
        size = SIZE_MAX;
    TRY(mem_realloc((*b)->m, &p, size_of(*b), size, err));
    *b = p;
    (*b)->data = (uint8_t *)p + HEAD + (*b)->dropped;
    (*b)->cap = cap;
    if ((*b)->len > cap)
        (*b)->len = cap;
    return NRW_OK;
}

void buffer_drop_front(buffer *b, size_t n)
{
    b->data += n;
    b->len -= n;
    b->cap -= n;
    b->dropped += n;
}

uint64_t buffer_cost(size_t cap)
{
    return mem_cost(cap + HEAD + BUFFER_SLACK);
}

buffer *buffer_ref(buffer *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void buffer_unref(buffer *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        mem_free(b->m, b, size_of(b));
}

nrw_status bytes_reserve(bytes *b, size_t more, nrw_error *err)
{
    size_t need, want, less;
    void *p = b->data;

    if (more <= b->cap - b->len)
        return NRW_OK;
    if (!size_add(b->len, more, &need) || need > b->max)
        return err_set(err, NRW_E_MEMLIMIT, "%s: %zu bytes and %zu more pass the %zu that fit here",
                       mem_name(b->m), b->len, more, b->max);
    want =
        size_min(b->max, size_max(need, size_max(64, b->cap < b->max / 2 ? 2 * b->cap : b->max)));
    less = size_min(b->max, need + need / 64);
    /* doubling is a wish, so is a little more, lest bytes that come one by one are moved one by
     * one; the need is not */
    if (want == need || mem_realloc(b->m, &p, b->cap, want, NULL) < 0) {
        want = less;
        if (less == need || mem_realloc(b->m, &p, b->cap, want, NULL) < 0) {
            want = need;
            TRY(mem_realloc(b->m, &p, b->cap, want, err));
        }
    }
    b->data = p;
    b->cap = want;
    return NRW_OK;
}

nrw_status bytes_append(bytes *b, const void *data, size_t len, nrw_error *err)
{
    if (!len)
        return NRW_OK;
    TRY(bytes_reserve(b, len, err));
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return NRW_OK;
}

nrw_status bytes_quote(bytes *b, span text, char quote, nrw_error *err)
{
    TRY(bytes_append(b, &quote, 1, err));
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == (uint8_t)quote)
            TRY(bytes_append(b, &quote, 1, err));
        TRY(bytes_append(b, &text.data[i], 1, err));
    }
    return bytes_append(b, &quote, 1, err);
}

nrw_status bytes_printf(bytes *b, nrw_error *err, const char *fmt, ...)
{
    va_list ap, again;
    nrw_status st = NRW_OK;
    size_t room = b->cap - b->len;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(room ? (char *)b->data + b->len : NULL, room, fmt, ap);
    if (n < 0)
        st = err_set(err, NRW_E_ARG, "text cannot be formatted");
    else if ((size_t)n >= room) {
        /* the terminating zero needs room too, though it does not count */
        st = bytes_reserve(b, (size_t)n + 1, err);
        if (st == NRW_OK)
            vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
    }
    if (st == NRW_OK)
        b->len += (size_t)n;
    va_end(again);
    va_end(ap);
    return st;
}

void bytes_clear(bytes *b)
{
    b->len = 0;
}

void bytes_release(bytes *b)
{
    mem_free(b->m, b->data, b->cap);
    b->data = NULL;
    b->len = b->cap = 0;
}
